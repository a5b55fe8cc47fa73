//! The task that runs a node for its handle.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::error::Error;
use crate::net::{Clock, Driver, Media};
use crate::node::Node;

/// How long a task may take to hand over what is queued on its connections.
const FAREWELL: Duration = Duration::from_secs(2);

/// A running node. Dropped, it ends at once and its sockets close.
#[derive(Debug)]
pub(super) struct Task<C> {
    what: &'static str,
    commands: mpsc::Sender<C>,
    running: Ends,
}

/// Ends its task when dropped.
#[derive(Debug)]
struct Ends(JoinHandle<()>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl<C: Send + 'static> Task<C> {
    /// Runs `node` on the caller's runtime. `what` names it in errors.
    pub fn spawn<N>(
        what: &'static str,
        node: N,
        media: Option<Media>,
        events: impl FnMut(N::Event) + Send + 'static,
    ) -> Self
    where
        N: Node<Command = C> + Send + 'static,
        N::Event: Send,
    {
        let clock = Clock::start();
        let media = media.unwrap_or_else(|| Media::spawn(clock));
        let (driver, commands) = Driver::new(node, clock, &media);
        let running = tokio::spawn(async move {
            driver.run(events).await;
        });
        Task {
            what,
            commands,
            running: Ends(running),
        }
    }

    /// A way to command the node that outlives the handle.
    pub fn commands(&self) -> mpsc::Sender<C> {
        self.commands.clone()
    }

    /// Ends when the node does.
    pub async fn ended(&self) {
        self.commands.closed().await;
    }

    /// Hands a command to the node.
    pub async fn command(&self, command: C) -> Result<(), Error> {
        let sent = self.commands.send(command).await;
        sent.map_err(|_| Error::Gone(self.what))
    }

    /// Room for a command, which can then be handed over without waiting.
    pub async fn reserve(&self) -> Result<mpsc::Permit<'_, C>, Error> {
        let room = self.commands.reserve().await;
        room.map_err(|_| Error::Gone(self.what))
    }

    /// The error of a node that is not there any more.
    pub fn gone(&self) -> Error {
        Error::Gone(self.what)
    }

    /// Ends the node, letting what is queued on its connections leave.
    pub async fn finish(self) {
        let Task {
            commands,
            mut running,
            ..
        } = self;
        drop(commands);
        let _ = tokio::time::timeout(FAREWELL, &mut running.0).await;
    }
}

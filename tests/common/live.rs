//! A camera on real sockets, run on a thread of its own so that tests can wait for programs.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::Sender;
use vcam::camera::{Camera, Command, Config, Event};
use vcam::net::{Clock, Driver, Media};
use vcam::node::Node;

/// A camera that runs. Dropping it frees everything.
pub struct Live {
    commands: Option<Sender<Command>>,
    events: Receiver<Event>,
    seen: Vec<Event>,
    thread: Option<JoinHandle<()>>,
}

impl Live {
    /// A camera, switched on.
    pub fn start(config: Config) -> Live {
        Live::run(Camera::new(Arc::new(config), 1), Media::spawn)
    }

    /// A camera or a wrapper around one, switched on; `media` makes its pump.
    pub fn run<N>(node: N, media: impl FnOnce(Clock) -> Media + Send + 'static) -> Live
    where
        N: Node<Command = Command, Event = Event> + Send + 'static,
    {
        let (tell, events) = channel();
        let (hand, handed) = channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async {
                let clock = Clock::start();
                let (driver, commands) = Driver::new(node, clock, &media(clock));
                let _ = hand.send(commands);
                let _ = driver.run(|event| drop(tell.send(event))).await;
            });
        });
        let live = Live {
            commands: handed.recv().ok(),
            events,
            seen: Vec::new(),
            thread: Some(thread),
        };
        live.command(Command::PowerOn);
        live
    }

    pub fn command(&self, command: Command) {
        let commands = self.commands.as_ref().expect("the camera runs");
        commands.blocking_send(command).expect("the camera runs");
    }

    /// Waits for an event: whether it came.
    pub fn saw(&mut self, limit: Duration, is: impl Fn(&Event) -> bool) -> bool {
        let end = Instant::now() + limit;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let Ok(event) = self.events.recv_timeout(left) else {
                return false;
            };
            let found = is(&event);
            self.seen.push(event);
            if found {
                return true;
            }
        }
    }

    /// Waits for an event that must come.
    pub fn until(&mut self, what: &str, limit: Duration, is: impl Fn(&Event) -> bool) {
        let saw = self.saw(limit, is);
        assert!(saw, "not {what} in {limit:?}; events: {:#?}", self.seen);
    }

    /// What it has told.
    pub fn events(&self) -> &[Event] {
        &self.seen
    }

    /// Switches off, as Ctrl-C does, and waits for it: the events of its whole life.
    pub fn off(mut self) -> Vec<Event> {
        self.command(Command::PowerOff);
        self.until("off", Duration::from_secs(10), |event| {
            matches!(event, Event::Off { .. })
        });
        std::mem::take(&mut self.seen)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.commands = None;
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || std::thread::panicking(), "it panicked");
        }
    }
}

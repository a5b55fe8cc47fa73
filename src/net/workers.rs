//! Thousands of nodes on a few threads: each node is one task with one timer on its worker's
//! runtime; receive buffers are the worker's.

use std::cell::RefCell;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::thread::JoinHandle;

use tokio::runtime::{self, Runtime};
use tokio::sync::mpsc;
use tokio::task::LocalSet;

use super::clock::Clock;
use super::driver::Driver;
use super::flows::{Flows, Trouble};
use super::mailbox::Mailbox;
use super::media::Media;
use super::shared::{Crowded, Seat, Shared};
use crate::node::Node;
use crate::sip::Mark;

/// Commands that may wait for one node; beyond it they are refused.
const COMMANDS: usize = 64;

/// One node among those of a [`Workers`], counted from 0 in the order they were added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeNumber(pub u32);

/// What a worker tells about one of its nodes.
#[derive(Debug)]
pub enum News<N: Node> {
    /// The node says something.
    Event(N::Event),
    /// The node was removed and has ended; here it is, with all it counted.
    Gone(N),
    /// The node's task panicked, and the node is lost with it: a fault of ours.
    Failed,
    /// Somebody rang, see [`Workers::ring`]; the number means nothing.
    Bell,
}

/// Why a command does not reach its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unheard {
    /// The node is removed or has failed, or there never was one.
    #[error("there is no such node")]
    Gone,
    /// Too many commands wait for it already.
    #[error("too many commands wait for it")]
    Busy,
}

/// Threads that run nodes. Dropped, everything is gone at once, as in a power cut.
pub struct Workers<N: Node> {
    workers: Vec<Worker<N>>,
    nodes: Vec<Option<Arc<Mailbox<N::Command>>>>,
}

struct Worker<N: Node> {
    runtime: runtime::Handle,
    hire: mpsc::UnboundedSender<Word<N>>,
    /// How many nodes it runs.
    load: Arc<AtomicUsize>,
    trouble: Arc<Trouble>,
    thread: Option<JoinHandle<()>>,
}

enum Word<N: Node> {
    Hire(Hired<N>),
    /// Let the sink hear the bell.
    Ring,
    /// No more nodes come: end when the last has ended.
    Finish,
}

/// A node on its way to its worker.
struct Hired<N: Node> {
    number: NodeNumber,
    node: Box<N>,
    seat: Option<Seat>,
    commands: Arc<Mailbox<N::Command>>,
}

/// What every node of a worker needs.
struct Ground<S> {
    clock: Clock,
    media: Media,
    trouble: Arc<Trouble>,
    load: Arc<AtomicUsize>,
    sink: Rc<RefCell<S>>,
}

impl<N> Workers<N>
where
    N: Node + Send + 'static,
    N::Command: Send,
{
    /// Starts `count` threads, at least one. `sinks` makes, for each of them, what takes the news
    /// of its nodes on its thread; it must not block and must not wait for a lock that many share.
    pub fn start<S>(
        count: usize,
        clock: Clock,
        media: &Media,
        mut sinks: impl FnMut(usize) -> S,
    ) -> io::Result<Self>
    where
        S: FnMut(NodeNumber, News<N>) + Send + 'static,
    {
        let workers: io::Result<_> = (0..count.max(1))
            .map(|n| Worker::start(n, clock, media.clone(), sinks(n)))
            .collect();
        Ok(Workers {
            workers: workers?,
            nodes: Vec::new(),
        })
    }

    /// How many nodes run.
    pub fn len(&self) -> usize {
        let loads = self.workers.iter().map(|worker| worker.load());
        loads.sum()
    }

    /// Whether no node runs.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What the datagram sockets of all nodes could not do, one entry per thread.
    pub fn troubles(&self) -> impl Iterator<Item = &Trouble> {
        self.workers.iter().map(|worker| &*worker.trouble)
    }

    /// Runs a node with sockets of its own on the thread that has fewest.
    pub fn add(&mut self, node: N) -> NodeNumber {
        self.hire(node, None)
    }

    /// Opens a UDP socket on `local` that at most `nodes` nodes can share. It is read on the
    /// thread that has fewest nodes; its nodes may run on any. The same seed makes the nodes'
    /// tokens in the same way.
    pub fn share(&self, local: SocketAddr, nodes: u32, seed: u64) -> io::Result<Shared> {
        let worker = self.idlest().ok_or(io::ErrorKind::NotConnected)?;
        let runtime = worker.runtime.enter();
        let shared = Shared::bind(local, nodes, seed)?;
        drop(runtime);
        worker.runtime.spawn(shared.clone().serve());
        Ok(shared)
    }

    /// Runs a node whose UDP flows are all `shared`. It is reached by `users`, its ID and those
    /// of its channels, and made by `make`, which must let its tokens bear the mark.
    pub fn add_shared(
        &mut self,
        shared: &Shared,
        users: impl IntoIterator<Item = impl AsRef<str>>,
        make: impl FnOnce(Mark) -> N,
    ) -> Result<NodeNumber, Crowded> {
        let (seat, mark) = shared.seat(users)?;
        Ok(self.hire(make(mark), Some(seat)))
    }

    /// Tells a node what to do.
    pub fn command(&self, number: NodeNumber, command: N::Command) -> Result<(), Unheard> {
        let node = self.nodes.get(number.0 as usize).and_then(Option::as_ref);
        let node = node.ok_or(Unheard::Gone)?;
        node.send(command).map_err(|_| match node.is_closed() {
            true => Unheard::Gone,
            false => Unheard::Busy,
        })
    }

    /// Every thread's sink hears [`News::Bell`] on its thread, between two pieces of news: the time
    /// to hand over what it has gathered.
    pub fn ring(&self) {
        for worker in &self.workers {
            let _ = worker.hire.send(Word::Ring);
        }
    }

    /// How many threads there are.
    pub fn threads(&self) -> usize {
        self.workers.len()
    }

    /// Lets a node end: it obeys the commands that wait, its streams stop, its sockets close, and
    /// [`News::Gone`] gives it back. Its number is not used again.
    pub fn remove(&mut self, number: NodeNumber) {
        let node = self.nodes.get_mut(number.0 as usize).and_then(Option::take);
        if let Some(node) = node {
            node.close();
        }
    }

    /// Lets every node end and waits for it, a few seconds at most. Blocks the thread.
    pub fn end(mut self) {
        for node in self.nodes.drain(..).flatten() {
            node.close();
        }
        for worker in &self.workers {
            let _ = worker.hire.send(Word::Finish);
        }
        for worker in &mut self.workers {
            worker.join();
        }
    }

    fn hire(&mut self, node: N, seat: Option<Seat>) -> NodeNumber {
        let number = NodeNumber(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        let commands = Arc::new(Mailbox::new(COMMANDS));
        self.nodes.push(Some(commands.clone()));
        if let Some(worker) = self.idlest() {
            worker.load.fetch_add(1, Ordering::Relaxed);
            let hired = Hired {
                number,
                node: Box::new(node),
                seat,
                commands,
            };
            let _ = worker.hire.send(Word::Hire(hired));
        }
        number
    }

    fn idlest(&self) -> Option<&Worker<N>> {
        self.workers.iter().min_by_key(|worker| worker.load())
    }
}

impl<N: Node> fmt::Debug for Workers<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workers")
            .field("threads", &self.workers.len())
            .field("nodes", &self.nodes.len())
            .finish_non_exhaustive()
    }
}

impl<N> Worker<N>
where
    N: Node + Send + 'static,
    N::Command: Send,
{
    fn start<S>(n: usize, clock: Clock, media: Media, sink: S) -> io::Result<Self>
    where
        S: FnMut(NodeNumber, News<N>) + Send + 'static,
    {
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let handle = runtime.handle().clone();
        let (hire, hired) = mpsc::unbounded_channel();
        let (load, trouble) = <(Arc<AtomicUsize>, Arc<Trouble>)>::default();
        let (counted, troubled) = (load.clone(), trouble.clone());
        let thread = std::thread::Builder::new().name(format!("signalling-{n}"));
        let thread = thread.spawn(move || {
            let ground = Ground {
                clock,
                media,
                trouble: troubled,
                load: counted,
                sink: Rc::new(RefCell::new(sink)),
            };
            serve(&runtime, hired, &ground);
        })?;
        Ok(Worker {
            runtime: handle,
            hire,
            load,
            trouble,
            thread: Some(thread),
        })
    }
}

impl<N: Node> Worker<N> {
    fn load(&self) -> usize {
        self.load.load(Ordering::Relaxed)
    }

    fn join(&mut self) {
        let ended = self.thread.take().map(JoinHandle::join);
        if matches!(ended, Some(Err(_))) {
            tracing::error!("a signalling thread failed");
        }
    }
}

/// A worker's thread: runs what it is given until it is told to finish and all is over, or until
/// its owner has dropped it.
fn serve<N, S>(runtime: &Runtime, mut hired: mpsc::UnboundedReceiver<Word<N>>, ground: &Ground<S>)
where
    N: Node + Send + 'static,
    N::Command: Send,
    S: FnMut(NodeNumber, News<N>) + Send + 'static,
{
    let nodes = LocalSet::new();
    let finish = nodes.run_until(async {
        loop {
            match hired.recv().await {
                Some(Word::Hire(hired)) => drop(nodes.spawn_local(ground.run(hired))),
                Some(Word::Ring) => (ground.sink.borrow_mut())(NodeNumber(u32::MAX), News::Bell),
                Some(Word::Finish) => return true,
                None => return false,
            }
        }
    });
    if runtime.block_on(finish) {
        runtime.block_on(nodes);
    }
}

/// What a future comes to; `None` if it panics, after which nothing of it is looked at again.
async fn whole<T>(life: impl Future<Output = T>) -> Option<T> {
    let mut life = pin!(life);
    poll_fn(|cx| {
        let polled = catch_unwind(AssertUnwindSafe(|| life.as_mut().poll(cx)));
        match polled {
            Ok(polled) => polled.map(Some),
            Err(_) => Poll::Ready(None),
        }
    })
    .await
}

impl<S> Ground<S> {
    /// The life of one node.
    fn run<N>(&self, hired: Hired<N>) -> impl Future<Output = ()> + use<N, S>
    where
        N: Node,
        S: FnMut(NodeNumber, News<N>),
    {
        let Hired {
            number,
            node,
            seat,
            commands,
        } = hired;
        let mailbox = commands.clone();
        let flows = Flows::default()
            .seated(seat)
            .troubling(self.trouble.clone());
        let driver = Driver::hired(node, self.clock, &self.media, flows, commands);
        let (sink, load) = (self.sink.clone(), self.load.clone());
        let tell = sink.clone();
        let life = driver.run(move |event| (tell.borrow_mut())(number, News::Event(event)));
        async move {
            let ended = whole(life).await;
            mailbox.drain();
            load.fetch_sub(1, Ordering::Relaxed);
            let news = match ended {
                Some(node) => News::Gone(node),
                None => {
                    tracing::error!(node = number.0, "a node's task failed");
                    News::Failed
                }
            };
            (sink.borrow_mut())(number, news);
        }
    }
}

//! The threads that run a fleet: workers that signal, pumps that send, clerks that count.

use std::io;
use std::num::NonZeroUsize;
use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::cast::Cast;
use super::clerk::{Clerk, Ledger};
use super::ears::Ears;
use crate::api::error::Error;
use crate::api::folder::Folder;
use crate::camera::{Camera, Command, Config};
use crate::config::{Addresses, Plan};
use crate::fleet::{Statistics, Tally};
use crate::media::Counts;
use crate::net::{Clock, Media, NodeNumber, Pump, Shared, Workers};
use crate::sip::{Tokens, Transport};

/// How long a worker is waited for that does not hand over.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) struct Crew {
    plan: Arc<Plan>,
    cast: Cast,
    workers: Workers<Camera>,
    media: Media,
    /// The socket that all share whose signalling is UDP, where the plan wants that.
    shared: Option<Shared>,
    /// The node that each camera is, once it is switched on.
    nodes: Vec<Option<NodeNumber>>,
    ledger: Ledger,
    done: mpsc::UnboundedReceiver<()>,
}

impl Crew {
    /// Starts the threads. `order` is the order in which cameras will be switched on.
    pub fn hire(
        plan: Arc<Plan>,
        (cast, folder): (Cast, &Folder),
        clock: Clock,
        order: Arc<[u32]>,
        each_alone: bool,
    ) -> io::Result<Crew> {
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let threads = plan.workers.map_or(cores, NonZeroUsize::get);
        let pumps: io::Result<Vec<_>> = (0..threads)
            .map(|n| Pump::on_thread(clock, &format!("pump-{n}")))
            .collect();
        let mut media = Media::new(pumps?);
        if !plan.rtcp {
            media = media.without_rtcp();
        }
        if each_alone {
            media = media.without_offload();
        }
        let ledger = Ledger::default();
        let (tell, done) = mpsc::unbounded_channel();
        let groups = groups(&plan);
        let workers = Workers::start(threads, clock, &media, |_| {
            let mut clerk = Clerk {
                tally: Tally::new(groups.clone()),
                ledger: ledger.clone(),
                cameras: order.clone(),
                done: tell.clone(),
                clock,
                ears: Ears::new(plan.clone(), folder.clone()),
            };
            move |number, news| clerk.hear(number, &news)
        })?;
        Ok(Crew {
            nodes: vec![None; plan.len()],
            plan,
            cast,
            workers,
            media,
            shared: None,
            ledger,
            done,
        })
    }

    /// What was counted until the last [`gather`](Self::gather).
    pub fn statistics(&self) -> MutexGuard<'_, Statistics> {
        self.ledger.open()
    }

    /// Makes a camera and switches it on.
    pub fn switch_on(&mut self, n: usize) -> Result<(), Error> {
        let plan = self.plan.clone();
        let Some(camera) = plan.camera(n) else {
            return Ok(());
        };
        let config = Arc::new(self.cast.config(&plan, &camera));
        let seed = camera.seed();
        let shares = matches!(plan.addresses, Addresses::SharedSocket { .. });
        let node = match shares && config.transport == Transport::Udp {
            true => self.seat(config, seed)?,
            false => self.workers.add(Camera::new(config, seed)),
        };
        self.tell(node, Command::PowerOn);
        if let Some(known) = self.nodes.get_mut(n) {
            *known = Some(node);
        }
        Ok(())
    }

    /// Tells a camera to say goodbye.
    pub fn switch_off(&self, n: usize) {
        if let Some(node) = self.nodes.get(n).copied().flatten() {
            self.tell(node, Command::PowerOff);
        }
    }

    /// Gathers what all workers and pumps have counted.
    pub async fn gather(&mut self) {
        while self.done.try_recv().is_ok() {}
        self.workers.ring();
        let all = async {
            for _ in 0..self.workers.threads() {
                self.done.recv().await;
            }
        };
        if timeout(PATIENCE, all).await.is_err() {
            tracing::warn!("a signalling thread is too busy to be counted");
        }
        let (mut sent, mut lateness) = (Counts::default(), None::<Histogram<u64>>);
        for pump in self.media.pumps() {
            let Some(report) = pump.report().await else {
                continue;
            };
            sent.add(report.counts);
            match &mut lateness {
                // Pumps count alike: what one could record, the sum can.
                Some(all) => drop(all.add(&report.lateness)),
                None => lateness = Some(report.lateness),
            }
        }
        let mut statistics = self.ledger.open();
        if let Some(lateness) = lateness {
            statistics.pumped(sent, lateness);
        }
        statistics.complete();
    }

    /// Gathers for the last time and ends all threads.
    pub async fn end(mut self) -> Statistics {
        self.gather().await;
        let statistics = std::mem::take(&mut *self.ledger.open());
        let workers = self.workers;
        if tokio::task::spawn_blocking(|| workers.end()).await.is_err() {
            tracing::error!("the signalling threads did not end");
        }
        statistics
    }

    /// A camera at the shared socket, which opens with the first.
    fn seat(&mut self, config: Arc<Config>, seed: u64) -> Result<NodeNumber, Error> {
        let shared = match &self.shared {
            Some(shared) => shared.clone(),
            None => self.share(&config)?,
        };
        let channels = config.channels.iter().map(|channel| channel.id);
        let users: Vec<_> = std::iter::once(config.device).chain(channels).collect();
        let users = users.iter().map(|id| id.as_str());
        let seated = self.workers.add_shared(&shared, users, |mark| {
            Camera::with_tokens(config, seed, Tokens::seeded(seed).marked(mark))
        });
        seated.map_err(|crowded| Error::Setting {
            what: "the shared socket",
            why: crowded.to_string(),
        })
    }

    fn share(&mut self, config: &Config) -> Result<Shared, Error> {
        let cameras = self.plan.signalling(Transport::Udp);
        let cameras = u32::try_from(cameras).unwrap_or(u32::MAX);
        let shared = self.workers.share(config.local, cameras, self.plan.seed);
        let shared = shared.map_err(|error| Error::Bind {
            transport: Transport::Udp,
            address: config.local,
            why: error.to_string(),
        })?;
        self.shared = Some(shared.clone());
        Ok(shared)
    }

    fn tell(&self, node: NodeNumber, command: Command) {
        if let Err(error) = self.workers.command(node, command) {
            tracing::error!(?node, %error, "a camera does not hear us");
        }
    }
}

/// The group of every camera of this process.
fn groups(plan: &Plan) -> Arc<[u16]> {
    let place = |camera: crate::config::CameraPlan<'_>| {
        let group = camera.group();
        let place = plan.groups.iter().position(|g| std::ptr::eq(g, group));
        place
            .and_then(|p| u16::try_from(p).ok())
            .unwrap_or(u16::MAX)
    };
    plan.cameras().map(place).collect()
}

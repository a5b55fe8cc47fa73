//! A fleet on real sockets, from its plan to its report.

mod cast;
mod clerk;
mod crew;
mod ears;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, timeout};

use super::address::check_free;
use super::error::Error;
use super::folder::Folder;
use crate::config::{Addresses, Needs, Plan};
use crate::fleet::{Ending, Facts, Phase, Report, Schedule, Statistics, Status, Turn};
use crate::net::{self, Clock, TooFewDescriptors};
use crate::sip::Transport;
use cast::Cast;
use crew::Crew;
use ears::make_folders;

/// How often workers hand over what they have counted.
const GATHER: Duration = Duration::from_secs(1);

/// How long the last cameras are waited for: longer than an unregistration that nobody answers
/// takes (timer F of RFC 3261, 32 s).
const FAREWELL: Duration = Duration::from_secs(35);

/// How often cameras that leave are looked after.
const GLANCE: Duration = Duration::from_millis(100);

/// Many cameras as a [`Plan`] describes them, ready to run.
///
/// ```no_run
/// # async fn load() -> Result<(), Box<dyn std::error::Error>> {
/// use vcam::config::{FleetFile, Run};
/// use vcam::{Fleet, Folder};
///
/// let folder = Folder::of("fleet.toml");
/// let file = FleetFile::read("fleet.toml", &std::fs::read_to_string("fleet.toml")?)?;
/// let fleet = Fleet::prepare("fleet.toml", file.plan(&Run::default(), &folder)?, &folder).await?;
/// let report = fleet.run(std::future::pending(), |_| {}).await?;
/// assert!(report.passed(), "{}", report.json());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Fleet {
    name: String,
    plan: Arc<Plan>,
    cast: Cast,
    folder: Folder,
    each_alone: bool,
}

/// How a fleet stands while it runs.
#[derive(Clone, Copy, Debug)]
pub struct FleetView<'f> {
    /// Where the run stands.
    pub phase: Phase,
    /// What was counted so far.
    pub statistics: &'f Statistics,
    /// The same in words.
    pub status: &'f Status,
}

impl Fleet {
    /// Makes everything ready that can fail: reads every clip once, cuts it once for each make,
    /// looks the platform up, makes room for the sockets. Nothing is sent. `name` is what the
    /// report calls the fleet file; the files that it names lie in `folder`.
    pub async fn prepare(name: &str, plan: Plan, folder: &Folder) -> Result<Fleet, Error> {
        make_room(&plan)?;
        has_addresses(&plan)?;
        let cast = Cast::gather(&plan, folder).await?;
        Ok(Fleet {
            name: name.to_owned(),
            plan: Arc::new(plan),
            cast,
            folder: folder.clone(),
            each_alone: false,
        })
    }

    /// The same without segmentation offload, for captures on this machine.
    pub fn without_offload(self) -> Self {
        Fleet {
            each_alone: true,
            ..self
        }
    }

    /// What it was made of.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Runs it to its end: the end of the plan, or `stop`; then every camera says BYE and
    /// unregisters, each in its turn. `watch` is shown how it stands about once a second.
    ///
    /// The cameras run on threads of their own. Dropping the future ends everything at once, as a
    /// power cut does.
    pub async fn run(
        self,
        stop: impl Future<Output = ()>,
        mut watch: impl FnMut(FleetView<'_>),
    ) -> Result<Report, Error> {
        let clock = Clock::start();
        let began = clock.now();
        let schedule = Schedule::of(&self.plan);
        let order = schedule.order().collect();
        make_folders(&self.plan, &self.folder)?;
        let cast = (self.cast, &self.folder);
        let crew = Crew::hire(self.plan.clone(), cast, clock, order, self.each_alone);
        let crew = crew.map_err(|error| Error::Setting {
            what: "threads",
            why: error.to_string(),
        })?;
        let mut play = Play {
            schedule,
            status: Status::new(self.plan.len() as u64),
            crew,
            clock,
        };
        play.perform(stop, &mut watch).await?;
        play.farewell(&mut watch).await;
        let facts = Facts {
            file: self.name,
            began: began.wall,
            took: clock.now().mono.since(began.mono),
            ending: play.schedule.ending().unwrap_or(Ending::Stopped),
        };
        let statistics = play.crew.end().await;
        Ok(Report::of(&self.plan, &facts, &statistics))
    }
}

/// A run.
struct Play {
    schedule: Schedule,
    status: Status,
    crew: Crew,
    clock: Clock,
}

impl Play {
    /// Switches cameras on and off until the last has been told to leave.
    async fn perform(
        &mut self,
        stop: impl Future<Output = ()>,
        watch: &mut impl FnMut(FleetView<'_>),
    ) -> Result<(), Error> {
        tokio::pin!(stop);
        let mut stopped = false;
        let mut gather = interval(GATHER);
        gather.set_missed_tick_behavior(MissedTickBehavior::Delay);
        gather.tick().await;
        loop {
            self.take_turns().await?;
            if self.schedule.phase() == Phase::Over {
                return Ok(());
            }
            let due = self.schedule.deadline();
            let due = due.map(|due| self.clock.deadline(crate::time::Instant::ZERO + due));
            let turn = async {
                match due {
                    Some(due) => tokio::time::sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = turn => {}
                () = &mut stop, if !stopped => {
                    stopped = true;
                    self.schedule.stop(self.elapsed());
                }
                _ = gather.tick() => self.gather(watch).await,
            }
        }
    }

    /// Does what is due. When the ramp down begins, who is registered is counted first.
    async fn take_turns(&mut self) -> Result<(), Error> {
        /// Cameras switched on or off at one go, before anything else has its turn.
        const AT_ONE_GO: usize = 64;
        for _ in 0..AT_ONE_GO {
            match self.schedule.poll(self.elapsed()) {
                Some(Turn::On(n)) => {
                    self.crew.switch_on(n)?;
                    self.crew.statistics().switched_on();
                }
                Some(Turn::Off(n)) => {
                    if self.crew.statistics().stopped() == 0 {
                        self.crew.gather().await;
                        self.crew.statistics().end();
                    }
                    self.crew.switch_off(n);
                    self.crew.statistics().switched_off();
                }
                None => break,
            }
        }
        Ok(())
    }

    /// Waits until the last camera is off, or gone is gone.
    async fn farewell(&mut self, watch: &mut impl FnMut(FleetView<'_>)) {
        let mut glances = 0u64;
        let all_off = async {
            loop {
                self.crew.gather().await;
                if self.is_empty() {
                    return;
                }
                if glances.is_multiple_of(10) {
                    self.show(watch);
                }
                glances += 1;
                tokio::time::sleep(GLANCE).await;
            }
        };
        if timeout(FAREWELL, all_off).await.is_err() {
            tracing::warn!("some cameras are not off yet; the run ends without them");
        }
    }

    async fn gather(&mut self, watch: &mut impl FnMut(FleetView<'_>)) {
        self.crew.gather().await;
        self.show(watch);
    }

    fn show(&mut self, watch: &mut impl FnMut(FleetView<'_>)) {
        let at = self.elapsed();
        let statistics = self.crew.statistics();
        self.status.measure(at, &statistics);
        watch(FleetView {
            phase: self.schedule.phase(),
            statistics: &statistics,
            status: &self.status,
        });
    }

    /// Whether everybody who was told to leave has left.
    fn is_empty(&self) -> bool {
        let statistics = self.crew.statistics();
        statistics.off() >= statistics.stopped()
    }

    fn elapsed(&self) -> Duration {
        self.clock.mono().since(crate::time::Instant::ZERO)
    }
}

/// Whether this machine has the addresses that are named: an error now rather than in every camera.
fn has_addresses(plan: &Plan) -> Result<(), Error> {
    let signalling = match plan.addresses {
        Addresses::SharedSocket { ip, .. } | Addresses::OwnPort { ip, .. } => ip,
        Addresses::OwnIp { ips, .. } => Some(ips.first()),
    };
    let mut named = signalling.into_iter().chain(plan.media_ip);
    named.try_for_each(|ip| check_free(Transport::Udp, SocketAddr::new(ip, 0)))
}

/// Raises the limit of descriptors as far as the plan needs, or says what would need fewer. Where
/// there are enough for cameras that connect themselves, it is for the platform's INVITEs to show
/// whether more are needed.
fn make_room(plan: &Plan) -> Result<(), Error> {
    let needs = Needs::of(plan);
    let room = net::make_room_for_sockets(needs.descriptors() as u64);
    let Err(TooFewDescriptors { needed, limit }) = room else {
        return Ok(());
    };
    if limit >= needs.least_descriptors() as u64 {
        tracing::warn!(
            needed,
            limit,
            "file descriptors are enough only if the cameras make all media connections; \
             with UDP, or connections to the cameras, some calls will fail"
        );
        return Ok(());
    }
    let mut why = format!(
        "the fleet needs {needed}, when every channel is watched once, and {limit} can be had; \
         raise the limit (`ulimit -n {needed}`, LimitNOFILE= of a systemd unit, \
         --ulimit nofile={needed} of a container)"
    );
    for saving in needs.savings() {
        why += &format!(", or set {}: {} fewer", saving.setting, saving.descriptors);
    }
    Err(Error::Setting {
        what: "file descriptors",
        why: why + ", or take fewer cameras",
    })
}

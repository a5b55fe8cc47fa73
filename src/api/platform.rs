//! The reference platform on real sockets.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::board::Board;
pub use super::board::Registered;
use super::channel::Channel;
use super::error::Error;
use super::events::{Events, Source};
use super::platform_builder::PlatformBuilder;
use super::play::Play;
use super::sink::caller::Caller;
use super::sink::{Sink, SinkWatch};
use super::speech::Speech;
use super::task::Task;
use crate::camera::PlatformAddress;
use crate::gb28181::manscdp::{
    BasicParam, CatalogItem, ConfigBlock, ConfigType, Control, DeviceInfo, DeviceStatus,
    DeviceUpgrade, Outcome, Preset, PtzPosition, RecordItem, RecordQuery, SdCard, Setting,
    SnapShotConfig, Topic,
};
use crate::gb28181::{DeviceId, Ptz};
use crate::media::Cut;
use crate::net::{Clock, Media};
use crate::platform::{
    self, Answer, AskId, Command, Complaint, Config, Event, Order, Query, SpeechEnd,
};
use crate::time::Wall;

/// The reference platform, running: it takes registrations, asks devices, calls their channels
/// and judges what they send.
///
/// Dropped, it is gone at once. [`shut_down`](Platform::shut_down) ends its calls first.
pub struct Platform {
    config: Arc<Config>,
    address: SocketAddr,
    board: Arc<Board>,
    events: Source<Event>,
    task: Task<Command>,
    sink: Option<SinkWatch>,
}

impl Platform {
    /// A platform on loopback, on any port, that lets every device register.
    pub async fn start() -> Result<Platform, Error> {
        Platform::builder().start().await
    }

    /// A platform to be described further.
    pub fn builder() -> PlatformBuilder {
        PlatformBuilder::new()
    }

    /// Runs a platform and waits for its sockets; the error says which it did not get.
    pub(super) async fn spawn(
        config: Config,
        seed: u64,
        plan: Option<&Sink>,
    ) -> Result<Platform, Error> {
        let config = Arc::new(config);
        let board = Arc::new(Board::default());
        let (events, tell) = Source::new();
        let noted = board.clone();
        let node = platform::Platform::new(config.clone(), seed);
        let open = |plan: &Sink| plan.open(config.media_ip, Clock::start());
        let sink = plan.map(open).transpose()?;
        // A sink only receives. Else the first speech starts a pump; who never speaks has none.
        let media = sink.as_ref();
        let media = media.map(|watch| Media::default().received_by(watch.sink.clone()));
        let score = sink.as_ref().map(|watch| watch.score.clone());
        let (hint, hints) = mpsc::unbounded_channel();
        let task = Task::spawn("the platform", node, media, move |event| {
            noted.note(&event);
            if let Some(found) = score.as_ref().and_then(|score| score.note(&event)) {
                let _ = hint.send(found);
            }
            tell.tell(without_recording(event));
        });
        if let (Some(plan), Some(watch)) = (plan, &sink) {
            let caller = Caller::new(plan.clone(), watch.score.clone(), &task.commands());
            tokio::spawn(caller.run(hints));
        }
        let mut listening = board.listening.subscribe();
        let opened = tokio::select! {
            biased;
            opened = listening.wait_for(Option::is_some) => opened.ok().and_then(|o| o.clone()),
            () = task.ended() => None,
        };
        let address = opened.ok_or_else(|| task.gone())?;
        let address = address.map_err(|(transport, why)| Error::Bind {
            transport,
            address: config.udp,
            why,
        })?;
        Ok(Platform {
            config,
            address,
            board,
            events,
            task,
            sink,
        })
    }

    /// What cameras register with.
    pub fn address(&self) -> PlatformAddress {
        PlatformAddress {
            id: self.config.id,
            domain: self.config.domain.clone(),
            address: self.address,
        }
    }

    /// Everything it was told about itself.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Who is registered.
    pub fn devices(&self) -> BTreeMap<DeviceId, Registered> {
        self.board.devices.borrow().clone()
    }

    /// Waits until a device is registered.
    pub async fn registered(
        &self,
        device: DeviceId,
        patience: Duration,
    ) -> Result<Registered, Error> {
        let mut devices = self.board.devices.subscribe();
        let there = timeout(patience, devices.wait_for(|all| all.contains_key(&device))).await;
        if let Ok(Ok(all)) = &there
            && let Some(found) = all.get(&device)
        {
            return Ok(*found);
        }
        drop(there);
        Err(Error::Absent {
            device,
            waited: patience,
            seen: self.devices().into_keys().collect(),
        })
    }

    /// What it tells, recordings left out: the first listener hears everything since it was started, later ones what
    /// happens from now on.
    pub fn events(&self) -> Events<Event> {
        self.events.listen()
    }

    /// What devices did that the standard does not allow, the first thousand times.
    pub fn complaints(&self) -> Vec<Complaint> {
        self.board.complaints()
    }

    /// What it takes in, if it is a [`Sink`].
    pub fn sink(&self) -> Option<&SinkWatch> {
        self.sink.as_ref()
    }

    /// Calls a channel: `platform.play(camera.channel(1)).await?`. Media travels over UDP unless
    /// [`Play::over`] says otherwise.
    pub fn play(&self, channel: Channel) -> Play<'_> {
        Play::new(self.task.commands(), &self.board, channel)
    }

    /// Asks a device something.
    pub async fn query(&self, device: DeviceId, what: Query) -> Result<Answer, Error> {
        let cmd_type = what.cmd_type();
        self.ask(device, cmd_type, |ask| Command::Query { device, what, ask })
            .await
    }

    /// The channels of a device.
    pub async fn catalog(&self, device: DeviceId) -> Result<Vec<CatalogItem>, Error> {
        match self.query(device, Query::Catalog).await? {
            Answer::Catalog(items) => Ok(items),
            _ => Err(unfit(device, &Query::Catalog)),
        }
    }

    /// What a channel of a device has recorded between two times.
    pub async fn records(
        &self,
        channel: &Channel,
        from: SystemTime,
        to: SystemTime,
    ) -> Result<Vec<RecordItem>, Error> {
        let query = Query::RecordInfo {
            channel: channel.id,
            what: RecordQuery {
                start: wall(from),
                end: wall(to),
                kind: None,
            },
        };
        match self.query(channel.device, query.clone()).await? {
            Answer::Records(items) => Ok(items),
            _ => Err(unfit(channel.device, &query)),
        }
    }

    /// What a device is.
    pub async fn device_info(&self, device: DeviceId) -> Result<DeviceInfo, Error> {
        match self.query(device, Query::DeviceInfo).await? {
            Answer::DeviceInfo(info) => Ok(info),
            _ => Err(unfit(device, &Query::DeviceInfo)),
        }
    }

    /// How a device is.
    pub async fn device_status(&self, device: DeviceId) -> Result<DeviceStatus, Error> {
        match self.query(device, Query::DeviceStatus).await? {
            Answer::DeviceStatus(status) => Ok(status),
            _ => Err(unfit(device, &Query::DeviceStatus)),
        }
    }

    /// How the storage cards of a device are.
    pub async fn sd_cards(&self, device: DeviceId) -> Result<Vec<SdCard>, Error> {
        match self.query(device, Query::SdCardStatus).await? {
            Answer::SdCards(cards) => Ok(cards),
            _ => Err(unfit(device, &Query::SdCardStatus)),
        }
    }

    /// Orders a device, or one of its channels or alarm inputs, to do something: how it went, if
    /// the device says that of such orders.
    pub async fn order(
        &self,
        device: DeviceId,
        about: Option<DeviceId>,
        what: Order,
    ) -> Result<Option<Outcome>, Error> {
        let cmd_type = what.cmd_type();
        let order = |ask| Command::Order {
            device,
            about,
            what,
            ask,
        };
        match self.ask(device, cmd_type, order).await? {
            Answer::Ordered(outcome) => Ok(outcome),
            _ => Err(Error::Unfit { device, cmd_type }),
        }
    }

    /// Has a device take new firmware. Whether it begins to; what has come of it is told by
    /// [`Notice::Upgraded`](platform::Notice::Upgraded), after it has started again.
    pub async fn upgrade(&self, device: DeviceId, order: DeviceUpgrade) -> Result<bool, Error> {
        let outcome = self.order(device, None, Order::Upgrade(order)).await?;
        Ok(outcome == Some(Outcome::Ok))
    }

    /// Has a channel take pictures and deliver them over HTTP. Whether it begins to; those that
    /// have arrived are told by
    /// [`Notice::SnapshotsDelivered`](platform::Notice::SnapshotsDelivered).
    pub async fn snapshots(&self, channel: &Channel, order: SnapShotConfig) -> Result<bool, Error> {
        let what = Order::Snapshots(order);
        let outcome = self.order(channel.device, Some(channel.id), what).await?;
        Ok(outcome == Some(Outcome::Ok))
    }

    /// Has a device format the storage card of this number, or all (0). It says nothing to that:
    /// [`sd_cards`](Self::sd_cards) shows how far it is.
    pub async fn format_sd_card(&self, device: DeviceId, card: u8) -> Result<(), Error> {
        let what = Order::Control(Control::FormatSdCard(card));
        self.order(device, None, what).await?;
        Ok(())
    }

    /// How a device is configured: ConfigDownload of BasicParam.
    pub async fn basic_param(&self, device: DeviceId) -> Result<BasicParam, Error> {
        let query = Query::ConfigDownload("BasicParam".to_owned());
        let answer = self.query(device, query.clone()).await?;
        let Answer::Config(entries) = answer else {
            return Err(unfit(device, &query));
        };
        let basic = entries.into_iter().find_map(|entry| entry.basic);
        basic.ok_or_else(|| unfit(device, &query))
    }

    /// Steers the head of a channel.
    pub async fn ptz(&self, channel: &Channel, ptz: Ptz) -> Result<(), Error> {
        let what = Order::Control(Control::Ptz(ptz));
        self.order(channel.device, Some(channel.id), what).await?;
        Ok(())
    }

    /// The places that the head of a channel knows.
    pub async fn presets(&self, channel: &Channel) -> Result<Vec<Preset>, Error> {
        let query = Query::Presets(channel.id);
        match self.query(channel.device, query.clone()).await? {
            Answer::Presets(presets) => Ok(presets),
            _ => Err(unfit(channel.device, &query)),
        }
    }

    /// Where the head of a channel looks.
    pub async fn looks_at(&self, channel: &Channel) -> Result<PtzPosition, Error> {
        let query = Query::PtzPosition(channel.id);
        match self.query(channel.device, query.clone()).await? {
            Answer::PtzPosition(position) => Ok(position),
            _ => Err(unfit(channel.device, &query)),
        }
    }

    /// How a channel of a device is configured: ConfigDownload of a block. The error for a device
    /// that does not have it is [`Error::Unfit`].
    pub async fn config_block(
        &self,
        channel: &Channel,
        kind: ConfigType,
    ) -> Result<ConfigBlock, Error> {
        let query = Query::ConfigOf {
            channel: channel.id,
            types: kind.to_string(),
        };
        let answer = self.query(channel.device, query.clone()).await?;
        let Answer::Config(entries) = answer else {
            return Err(unfit(channel.device, &query));
        };
        let block = entries.into_iter().find_map(|entry| entry.block);
        block.ok_or_else(|| unfit(channel.device, &query))
    }

    /// Configures a device, or one of its channels (DeviceConfig). Whether it says that it has
    /// obeyed.
    pub async fn configure(
        &self,
        device: DeviceId,
        about: Option<DeviceId>,
        setting: Setting,
    ) -> Result<bool, Error> {
        let outcome = self.order(device, about, Order::Configure(setting)).await?;
        Ok(outcome == Some(Outcome::Ok))
    }

    /// Has a device start again (TeleBoot), which says nothing to that, leaves and registers anew.
    pub async fn reboot(&self, device: DeviceId) -> Result<(), Error> {
        let what = Order::Control(Control::Boot);
        self.order(device, None, what).await?;
        Ok(())
    }

    /// Subscribes to something of a device, or of a channel of it; the lifetime that is granted.
    /// What it tells comes as [`Event::Notice`](crate::platform::Event::Notice). The subscription
    /// is refreshed as long as the device is there; a lifetime of zero ends it.
    pub async fn subscribe(
        &self,
        device: DeviceId,
        about: DeviceId,
        topic: Topic,
        lifetime: Duration,
    ) -> Result<Duration, Error> {
        let subscribe = |ask| Command::Subscribe {
            device,
            about,
            topic,
            lifetime,
            ask,
        };
        match self.ask(device, "SUBSCRIBE", subscribe).await? {
            Answer::Subscribed(lifetime) => Ok(lifetime),
            _ => Err(self.task.gone()),
        }
    }

    /// Speaks through a device (Broadcast): `target` is the device itself, one of its channels or
    /// a voice output of it, `samples` are G.711 A-law, 8,000 in a second, said again and again.
    /// The device has agreed when this returns; [`Speech::heard`] waits until it has called.
    ///
    /// A platform that is a [`Sink`] cannot speak.
    pub async fn speak(
        &self,
        device: DeviceId,
        target: DeviceId,
        samples: &[u8],
    ) -> Result<Speech, Error> {
        let voice = Arc::new(Cut::voice("speech", samples));
        let mut speech = None;
        let speak = |ask: AskId| {
            speech = Some((ask, self.board.speech(ask.0)));
            Command::Speak {
                device,
                target,
                voice,
                ask,
            }
        };
        let answer = self.ask(device, "Broadcast", speak).await?;
        let (Answer::Ordered(Some(Outcome::Ok)), Some((ask, news))) = (answer, speech) else {
            let why = SpeechEnd::Declined;
            return Err(Error::Speech { device, why });
        };
        let (commands, board) = (self.task.commands(), self.board.clone());
        Ok(Speech::new(device, ask, commands, board, news))
    }

    /// Sends OPTIONS; the SIP status that answers it.
    pub async fn ping(&self, device: DeviceId) -> Result<u16, Error> {
        let ping = |ask| Command::Ping { device, ask };
        match self.ask(device, "OPTIONS", ping).await? {
            Answer::Pong(status) => Ok(status),
            _ => Err(self.task.gone()),
        }
    }

    async fn ask(
        &self,
        device: DeviceId,
        cmd_type: &'static str,
        command: impl FnOnce(AskId) -> Command,
    ) -> Result<Answer, Error> {
        let (ask, answer) = self.board.ask();
        self.task.command(command(AskId(ask))).await?;
        let answer = tokio::select! {
            biased;
            answer = answer => answer.map_err(|_| self.task.gone())?,
            () = self.task.ended() => return Err(self.task.gone()),
        };
        answer.map_err(|why| Error::Ask {
            device,
            cmd_type,
            why,
        })
    }

    /// Ends every call with BYE, then closes everything.
    pub async fn shut_down(self) -> Result<(), Error> {
        self.task.command(Command::Shutdown).await?;
        let mut off = self.board.off.subscribe();
        tokio::select! {
            biased;
            _ = off.wait_for(|off| *off) => {}
            () = self.task.ended() => return Err(self.task.gone()),
        }
        self.task.finish().await;
        Ok(())
    }
}

/// Recordings go to those who asked for them: in a queue of events they would only hold memory.
fn without_recording(mut event: Event) -> Event {
    if let Event::PlayEnded { recording, .. } = &mut event {
        *recording = Bytes::new();
    }
    event
}

/// Times before 1970 are 1970.
fn wall(time: SystemTime) -> Wall {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    let micros = since.map_or(0, |since| since.as_micros());
    Wall::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
}

/// An answer without what it should bring.
fn unfit(device: DeviceId, query: &Query) -> Error {
    let cmd_type = query.cmd_type();
    Error::Unfit { device, cmd_type }
}

impl fmt::Debug for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Platform")
            .field("address", &self.address())
            .field("devices", &self.board.devices.borrow().len())
            .finish_non_exhaustive()
    }
}

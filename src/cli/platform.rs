//! `vcam platform`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{ArgGroup, Args};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::interval_at;

use super::arguments::{Media, clip, endpoint};
use super::failure::Failure;
use super::screen::Screen;
use super::sink;
use super::stop::Stop;
use super::words;
use crate::api::{Channel, Clip, Error, Platform, PlatformBuilder, StreamEnd};
use crate::gb28181::DeviceId;
use crate::gb28181::manscdp::{CatalogItem, DeviceInfo};
use crate::media::{MediaTransport, Rational, Verdict};
use crate::platform::{Event, Notice};

/// How often a running stream is reported.
const REPORT_EVERY: Duration = Duration::from_secs(5);

/// How long a stream may bring no frame before that is wrong.
const SILENCE: Duration = Duration::from_secs(4);

/// Run the reference platform, to try a camera against
///
/// It takes registrations, asks every camera for its catalogue, plays its channels if asked to,
/// and complains about everything the standard does not allow.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("calling").args(["play", "sink"]).multiple(true)), after_help = "\
Examples:
  vcam platform                listen on port 5060, let everybody register
  VCAM_PASSWORD=12345678 vcam platform --play udp --seconds 10 --record out
                               play every channel for 10 s, keep what came
  vcam platform --listen 127.0.0.1:0 --play udp --source street.h264
                               compare what comes with the file
  vcam platform --sink --play-rate 200 --duration 60 --json
                               take in what a load generator sends, count it

Exit codes: 0 every stream was clean, 1 one was not or did not come, 2 wrong use.")]
pub(super) struct Arguments {
    /// Where it listens, UDP and TCP; port 0 takes any free one
    #[arg(long, default_value = "0.0.0.0:5060", value_name = "IP:PORT", value_parser = endpoint)]
    listen: SocketAddr,
    /// Its 20-digit code
    #[arg(long, default_value = "34020000002000000001")]
    id: DeviceId,
    /// Its SIP domain and realm [default: the first ten digits of --id]
    #[arg(long)]
    domain: Option<String>,
    /// The password of every camera; better given in the environment. Without it, nobody is asked
    #[arg(long, env = "VCAM_PASSWORD", hide_env_values = true)]
    password: Option<String>,
    /// The address it takes media at [default: where it listens]
    #[arg(long, value_name = "IP")]
    media_ip: Option<IpAddr>,
    /// Play every channel of every camera that registers, media travelling so
    #[arg(long, value_name = "TRANSPORT")]
    play: Option<Media>,
    /// End each stream after so many seconds [default: when the camera or Ctrl-C does]
    #[arg(long, requires = "play")]
    seconds: Option<f64>,
    /// Keep what comes: one program stream (.ps) per call in this folder, at most 64 MB each
    #[arg(long, value_name = "DIR", requires = "play")]
    record: Option<PathBuf>,
    /// What the channels show: H.264 or H.265 (a byte stream, MP4 or program stream); what comes is compared with it
    #[arg(long, value_name = "FILE", requires = "calling")]
    source: Option<PathBuf>,
    /// Frames per second of a --source that does not say it
    #[arg(long, requires = "source")]
    fps: Option<Rational>,
    #[command(flatten)]
    sink: sink::Flags,
}

/// Runs the platform.
pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    if arguments.sink.sink {
        let source = source(&arguments)?;
        return sink::run(&arguments.sink, builder(&arguments), arguments.play, source).await;
    }
    let screen = Screen::new();
    let stop = Stop::listen()?;
    let wish = Arc::new(Wish::of(&arguments)?);
    let platform = Arc::new(builder(&arguments).start().await?);
    introduce(screen, &platform, &wish);
    let (say, said) = mpsc::unbounded_channel();
    let hall = Hall {
        screen,
        platform,
        wish,
        say,
        stop,
        visits: JoinSet::new(),
        known: BTreeSet::new(),
        complaints: HashMap::new(),
    };
    hall.watch(said).await
}

fn builder(arguments: &Arguments) -> PlatformBuilder {
    let mut platform = Platform::builder()
        .id(arguments.id)
        .listen(arguments.listen);
    if let Some(domain) = &arguments.domain {
        platform = platform.domain(domain);
    }
    // An empty variable is as none.
    if let Some(password) = arguments.password.as_ref().filter(|word| !word.is_empty()) {
        platform = platform.password(password);
    }
    if let Some(ip) = arguments.media_ip {
        platform = platform.media_ip(ip);
    }
    platform
}

fn source(arguments: &Arguments) -> Result<Option<Clip>, Failure> {
    let source = arguments.source.as_deref();
    let source = source.map(|file| clip(Some(file), arguments.fps));
    source.transpose()
}

fn introduce(screen: Screen, platform: &Platform, wish: &Wish) {
    let address = platform.address();
    let passwords = match platform.config().passwords.are_asked() {
        true => "a password is asked for",
        false => "everybody may register",
    };
    screen.line(format_args!(
        "{} sip:{}@{} listens on UDP and TCP; {passwords}",
        screen.bold("platform"),
        address.id,
        address.address,
    ));
    if let Some(transport) = wish.transport {
        screen.line(format_args!(
            "  plays every channel over {}",
            words::media(transport)
        ));
    }
    screen.line("  Ctrl-C ends it\n");
}

/// What is wished of every camera.
#[derive(Debug)]
struct Wish {
    transport: Option<MediaTransport>,
    time: Option<Duration>,
    record: Option<PathBuf>,
    source: Option<Clip>,
}

impl Wish {
    fn of(arguments: &Arguments) -> Result<Wish, Failure> {
        let time = arguments
            .seconds
            .map(Duration::try_from_secs_f64)
            .transpose();
        let source = source(arguments)?;
        if let Some(folder) = &arguments.record {
            std::fs::create_dir_all(folder).map_err(|error| {
                Failure::flag("--record", format!("{}: {error}", folder.display()))
            })?;
        }
        Ok(Wish {
            transport: arguments.play.map(MediaTransport::from),
            time: time.map_err(|error| Failure::flag("--seconds", error))?,
            record: arguments.record.clone(),
            source,
        })
    }
}

/// The platform's entrance hall: who comes, and what becomes of the visits.
struct Hall {
    screen: Screen,
    platform: Arc<Platform>,
    wish: Arc<Wish>,
    say: mpsc::UnboundedSender<String>,
    stop: Stop,
    /// One per camera; each brings the number of streams that were not as they should be.
    visits: JoinSet<u64>,
    known: BTreeSet<DeviceId>,
    complaints: HashMap<String, u64>,
}

impl Hall {
    async fn watch(mut self, mut said: mpsc::UnboundedReceiver<String>) -> Result<(), Failure> {
        let mut events = self.platform.events();
        let mut stop = self.stop.clone();
        let mut failed = 0;
        loop {
            tokio::select! {
                event = events.next() => match event {
                    Some(event) => self.tell(event),
                    None => return Err(Error::Gone("the platform").into()),
                },
                Some(text) = said.recv() => self.screen.event(text),
                Some(visit) = self.visits.join_next() => failed += visit.unwrap_or(1),
                () = stop.asked() => break,
            }
        }
        self.screen.renew("");
        if self.wish.transport.is_some() {
            self.screen
                .event("ending: BYE to every call (Ctrl-C again: at once)");
        }
        // The visits learn of it too, end their streams and say how these were.
        while let Some(visit) = self.visits.join_next().await {
            failed += visit.unwrap_or(1);
        }
        while let Ok(text) = said.try_recv() {
            self.screen.event(text);
        }
        self.sum_up();
        if let Some(platform) = Arc::into_inner(self.platform) {
            platform.shut_down().await?;
        }
        match failed {
            0 => Ok(()),
            n => Err(Failure::Short(format!(
                "{} not as they should be; see above",
                words::count(n, "stream")
            ))),
        }
    }

    fn tell(&mut self, event: Event) {
        let text = match event {
            Event::Registered {
                device,
                at,
                transport,
                expires,
                refresh,
            } => {
                if refresh && self.known.contains(&device) {
                    return;
                }
                self.known.insert(device);
                self.visit(device);
                let (word, lifetime) = (self.screen.good("registered"), expires.as_secs());
                format!("{device}  {word} from {at} over {transport} for {lifetime} s")
            }
            Event::Unregistered { device } => {
                self.known.remove(&device);
                format!("{device}  unregistered")
            }
            Event::Offline { device, why } => {
                self.known.remove(&device);
                format!("{device}  {}: {why}", self.screen.bad("gone"))
            }
            Event::Back { device } => format!("{device}  there again"),
            Event::Refused {
                device,
                from,
                status,
                why,
            } => {
                let who = device.map_or_else(|| from.to_string(), |device| device.to_string());
                format!("{who}  {} with {status}: {why}", self.screen.bad("refused"))
            }
            Event::Notice { device, notice } => format!("{device}  {}", told(&notice)),
            Event::Notified { device, cmd_type } => format!("{device}  notifies {cmd_type}"),
            Event::Kept {
                device,
                healthy: false,
            } => format!("{device}  says that it is not well"),
            Event::NotListening { transport, why } => {
                format!(
                    "{} on {transport}: {why}",
                    self.screen.bad("does not listen")
                )
            }
            Event::Complaint(complaint) => {
                let device = complaint.device.map(|device| device.to_string());
                let kind = format!("{} {}", device.unwrap_or_default(), complaint.what);
                let times = self.complaints.entry(kind).or_default();
                *times += 1;
                if *times > 1 {
                    return;
                }
                self.screen.dim(&format!("deviation: {complaint}"))
            }
            _ => return,
        };
        self.screen.event(text);
    }

    /// Asks the camera what it is and plays its channels, beside everything else.
    fn visit(&mut self, device: DeviceId) {
        let visit = Visit {
            device,
            screen: self.screen,
            platform: self.platform.clone(),
            wish: self.wish.clone(),
            say: self.say.clone(),
            stop: self.stop.clone(),
        };
        self.visits.spawn(visit.go());
    }

    fn sum_up(&self) {
        let all: u64 = self.complaints.values().sum();
        if all > 0 {
            self.screen.line(format_args!(
                "\n{} from the standard:",
                words::count(all, "deviation")
            ));
            let sorted: BTreeMap<_, _> = self.complaints.iter().collect();
            for (kind, times) in sorted {
                self.screen.line(format_args!("  {times:>6} x {kind}"));
            }
        }
    }
}

/// One camera's visit.
#[derive(Clone)]
struct Visit {
    device: DeviceId,
    screen: Screen,
    platform: Arc<Platform>,
    wish: Arc<Wish>,
    say: mpsc::UnboundedSender<String>,
    stop: Stop,
}

impl Visit {
    /// Returns how many streams were not as they should be.
    async fn go(self) -> u64 {
        match self.platform.device_info(self.device).await {
            Ok(info) => self.say(about(&info)),
            Err(error) => self.complain(&error),
        }
        let items = match self.platform.catalog(self.device).await {
            Ok(items) => items,
            Err(error) => {
                self.complain(&error);
                return u64::from(self.wish.transport.is_some());
            }
        };
        self.say(format!(
            "has {}",
            words::count(
                items.iter().filter(|item| item.shows_video()).count() as u64,
                "channel"
            )
        ));
        let mut streams = JoinSet::new();
        for item in items {
            self.say(described(&item));
            let wished = self.wish.transport.filter(|_| item.shows_video());
            if let (Some(transport), Ok(channel)) = (wished, item.id.parse()) {
                streams.spawn(self.clone().play(channel, transport));
            }
        }
        let all = streams.join_all().await;
        all.into_iter().filter(|well| !well).count() as u64
    }

    /// Plays a channel; `true` when it was as it should be.
    async fn play(self, channel: DeviceId, transport: MediaTransport) -> bool {
        match self.stream(channel, transport).await {
            Ok((end, silence)) => {
                let clean = end.verdict.is_clean() && silence.is_none();
                let mut verdict = end.verdict.to_string();
                if let Some(silence) = silence {
                    verdict = format!("{}; {verdict}", silent(silence));
                }
                let verdict = match clean {
                    true => self.screen.good(&verdict),
                    false => self.screen.bad(&verdict),
                };
                self.say(format!("channel {channel}: over, {}; {verdict}", end.why));
                self.keep(channel, &end) && clean
            }
            Err(error) => {
                self.complain(&error);
                false
            }
        }
    }

    /// Plays a channel to its end; with it for how long nothing had come then, if that is wrong.
    async fn stream(
        &self,
        id: DeviceId,
        transport: MediaTransport,
    ) -> Result<(StreamEnd, Option<Duration>), Error> {
        let channel = Channel {
            device: self.device,
            id,
            clip: self.wish.source.clone(),
            sub: None,
        };
        let mut play = self.platform.play(channel).over(transport);
        if self.wish.record.is_some() {
            play = play.record();
        }
        let mut stream = play.await?;
        let took = words::time(stream.streaming().await?);
        let ssrc = stream.agreed().map_or(0, |agreed| agreed.ssrc);
        let media = words::media(transport);
        self.say(format!(
            "channel {id}: {} over {media}, SSRC {ssrc:010}, first packet after {took}",
            self.screen.good("streaming")
        ));
        let mut stop = self.stop.clone();
        let enough = async {
            match self.wish.time {
                Some(time) => tokio::time::sleep(time).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(enough);
        let (mut heard, mut last) = (Verdict::default(), Instant::now());
        let silence = |last: Instant| Some(last.elapsed()).filter(|time| *time >= SILENCE);
        let mut report = interval_at((last + REPORT_EVERY).into(), REPORT_EVERY);
        loop {
            let news = {
                let next = stream.progress();
                tokio::pin!(next);
                loop {
                    tokio::select! {
                        verdict = &mut next => break Some(verdict),
                        () = &mut enough => break None,
                        () = stop.asked() => break None,
                        _ = report.tick() => self.report(id, &heard, silence(last)),
                    }
                }
            };
            match news {
                Some(Some(verdict)) => {
                    if verdict.frames > heard.frames {
                        last = Instant::now();
                    }
                    heard = verdict;
                }
                Some(None) => return Ok((stream.ended().await?, silence(last))),
                None => break,
            }
        }
        let silence = silence(last);
        Ok((stream.stop().await?, silence))
    }

    fn report(&self, channel: DeviceId, so_far: &Verdict, silence: Option<Duration>) {
        let text = match silence {
            Some(time) => self.screen.bad(&silent(time)),
            None => in_words(so_far),
        };
        self.say(format!("channel {channel}: {text}"));
    }

    /// Writes a recording; `false` when that failed.
    fn keep(&self, channel: DeviceId, end: &StreamEnd) -> bool {
        let Some(folder) = &self.wish.record else {
            return true;
        };
        let time = jiff::Zoned::now().strftime("%Y%m%d-%H%M%S-%3f");
        let file = folder.join(format!("{channel}-{time}.ps"));
        match std::fs::write(&file, &end.recording) {
            Ok(()) => {
                let size = words::octets(end.recording.len() as u64);
                self.say(format!("channel {channel}: {size} in {}", file.display()));
                true
            }
            Err(error) => {
                self.say(self.screen.bad(&format!("{}: {error}", file.display())));
                false
            }
        }
    }

    fn say(&self, text: impl std::fmt::Display) {
        // Nobody listens any more when everything ends.
        let _ = self.say.send(format!("{}  {text}", self.device));
    }

    fn complain(&self, error: &Error) {
        self.say(self.screen.bad(&error.to_string()));
    }
}

/// What a device tells of itself, in words.
fn told(notice: &Notice) -> String {
    match notice {
        Notice::Catalog(changes) => {
            let changes = changes.iter().map(|c| format!("{} {}", c.item.id, c.event));
            format!("catalogue: {}", changes.collect::<Vec<_>>().join(", "))
        }
        Notice::Alarm(alarm) => format!(
            "alarm at {}: method {}, priority {}",
            alarm.at, alarm.method, alarm.priority
        ),
        Notice::Position(at) => format!("is at {}, {}", at.longitude, at.latitude),
        Notice::Looks { channel, at } => {
            let (pan, tilt, zoom) = (at.pan, at.tilt, at.zoom);
            format!("looks to {pan}, {tilt}, magnified {zoom} times ({channel})")
        }
        Notice::Upgraded(result) => match result.failure {
            None => format!("runs {} now", result.firmware),
            Some(why) => format!("was not upgraded: {why}"),
        },
        Notice::SnapshotsDelivered(all) => {
            let files = all.files.iter().map(String::as_str);
            format!(
                "delivered pictures: {}",
                files.collect::<Vec<_>>().join(", ")
            )
        }
        Notice::VideoOffered(upload) => format!("asks for a call to {}", upload.id),
        Notice::Ended(topic) => format!("tells no more of its {topic}"),
    }
}

fn about(info: &DeviceInfo) -> String {
    let what = [&info.manufacturer, &info.model, &info.firmware];
    let known: Vec<&str> = what
        .into_iter()
        .map(String::as_str)
        .filter(|s| !s.is_empty())
        .collect();
    format!("is {} ({})", info.name, known.join(", "))
}

fn described(item: &CatalogItem) -> String {
    let state = if item.online { "on" } else { "off" };
    let name = match item.name.as_str() {
        "" => "(no name)",
        name => name,
    };
    format!("  {}  {name}  {state}", item.id)
}

fn silent(time: Duration) -> String {
    format!("nothing has come for {} s", time.as_secs())
}

fn in_words(verdict: &Verdict) -> String {
    match verdict.is_clean() {
        true => format!("{}, nothing wrong", words::count(verdict.frames, "frame")),
        false => verdict.to_string(),
    }
}

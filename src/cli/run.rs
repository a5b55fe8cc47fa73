//! `vcam run`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use super::arguments::{Signalling, audio, clip, endpoint, profile};
use super::failure::Failure;
use super::fleet;
use super::screen::Screen;
use super::stop::Stop;
use super::words;
use crate::api::{Audio, Camera, Channel, Error, explained, resolve};
use crate::camera::{Event, Recordings};
use crate::gb28181::DeviceId;
use crate::gb28181::manscdp::UpgradeResult;
use crate::media::Rational;
use crate::net::{Clock, Media, Pump};
use crate::profile::Profile;

/// How long a platform may be silent before that is told.
const SILENCE: Duration = Duration::from_secs(5);

/// Play a fleet from a file, or one camera from flags, until its time is over or Ctrl-C
///
/// Cameras register, keep themselves alive, answer queries and stream to whoever the platform lets
/// call. The first Ctrl-C says goodbye (BYE, unregister), a second one ends at once. A fleet ends
/// with a report, whose thresholds decide the exit code.
#[derive(Debug, Args)]
#[command(
    override_usage = "\
vcam run [OPTIONS] <FLEET.toml>
       vcam run [OPTIONS] --platform <SIP-URI> --id <ID>",
    after_help = "\
Examples:
  vcam run fleet.toml --duration 5m --report report.json --junit junit.xml
  VCAM_PASSWORD=12345678 vcam run --id 34020000001320000001 \\
       --platform sip:34020000002000000001@192.0.2.10:5060
  vcam run --id 34020000001320000001 --media street.h264 --transport tcp \\
       --platform sip:34020000002000000001@192.0.2.10 --name 'North gate'

Exit codes: 0 it registered and ended gracefully (a fleet: thresholds kept),
1 it did not, 2 wrong use."
)]
pub(super) struct Arguments {
    #[command(flatten)]
    fleet: fleet::Flags,
    /// The platform: sip:ID@HOST:PORT (host: a name or an address; port: 5060 if left out)
    #[arg(long, value_name = "SIP-URI", required_unless_present = "fleet")]
    platform: Option<String>,
    /// The camera's 20-digit code
    #[arg(long, required_unless_present = "fleet")]
    id: Option<DeviceId>,
    /// The password it registers with; better given in the environment. Of a fleet: the password of
    /// every camera that has none of its own in a list
    #[arg(
        long,
        env = "VCAM_PASSWORD",
        hide_env_values = true,
        default_value = "",
        hide_default_value = true
    )]
    password: String,
    /// What it plays: H.264 or H.265 (a byte stream, MP4 or program stream). Without it, a street of four seconds
    #[arg(long, value_name = "FILE")]
    media: Option<PathBuf>,
    /// What it plays to a platform that asks for a sub stream [default: the same]
    #[arg(long, value_name = "FILE")]
    sub_media: Option<PathBuf>,
    /// What is heard beside the pictures: `tone`, or a file: WAV (8000 Hz, one channel), AAC (ADTS or
    /// MP4), raw G.711 as *.g711a or *.g711u [default: the sound of an MP4 file, else none]
    #[arg(long, value_name = "FILE")]
    audio: Option<PathBuf>,
    /// Frames per second of a file that does not say it (25, 29.97, 30000/1001)
    #[arg(long)]
    fps: Option<Rational>,
    /// The make it plays: a name from `vcam profiles`, or a file ending in .toml
    #[arg(long, default_value = Profile::DEFAULT)]
    profile: String,
    /// How its signalling travels; the platform's INVITE decides how media does
    #[arg(long, default_value = "udp")]
    transport: Signalling,
    /// Its channel's 20-digit code [default: --id with type 131 in digits 11-13]
    #[arg(long, value_name = "ID")]
    channel: Option<DeviceId>,
    /// How many channels it has; their codes count on from the first
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = channels)]
    channels: usize,
    /// An organisation of its catalogue in which channels hang; may be given several times
    #[arg(long = "organisation", value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    organisations: Vec<String>,
    /// How many hours its recordings reach back, in files of half an hour [default: none]
    #[arg(long, value_name = "HOURS", value_parser = clap::value_parser!(u32).range(1..=87_600))]
    recordings: Option<u32>,
    /// Where it is: longitude and latitude in degrees, such as 116.397,39.916
    #[arg(long, value_name = "LON,LAT", value_parser = place, allow_hyphen_values = true)]
    position: Option<(f64, f64)>,
    /// What it calls itself [default: the profile's model]
    #[arg(long)]
    name: Option<String>,
    /// The SIP domain [default: the first ten digits of the platform's ID]
    #[arg(long)]
    domain: Option<String>,
    /// A WAV file for what it hears of the platform, one voice after the other
    /// [default: only counted]
    #[arg(long, value_name = "FILE.wav")]
    voice: Option<PathBuf>,
    /// Sound for its microphone, which platforms hear that talk with it: WAV of one channel and
    /// 8000 Hz, or raw G.711 A-law as *.g711a [default: a tone]
    #[arg(long, value_name = "FILE")]
    microphone: Option<PathBuf>,
    /// It says back what a platform says that talks with it, in place of its microphone
    #[arg(long, conflicts_with = "microphone")]
    echo: bool,
    /// The digest user [default: --id]
    #[arg(long)]
    user: Option<String>,
    /// The address it signals from [default: the one that faces the platform, any port]
    #[arg(long, value_name = "IP:PORT", value_parser = endpoint)]
    local: Option<SocketAddr>,
    /// The registration lifetime it asks for, in seconds
    #[arg(long, default_value_t = 3600, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=4_294_967_295))]
    expires: u64,
    /// Seconds from one Keepalive to the next
    #[arg(long, default_value_t = 60, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    keepalive: u64,
    /// How many Keepalives in a row may be lost before it registers anew
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    keepalive_count: u32,
    /// The shortest pause after a failed registration, in seconds
    #[arg(long, default_value_t = 60, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    retry: u64,
    /// Hand every datagram to the system alone, so that a capture on this machine shows them as
    /// they are on the wire and not a batch as one
    #[arg(long)]
    no_offload: bool,
}

/// Plays the fleet, or the camera.
pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    if let Some(file) = &arguments.fleet.fleet {
        let password = Some(arguments.password.as_str()).filter(|password| !password.is_empty());
        return fleet::run(file, &arguments.fleet, password, arguments.no_offload).await;
    }
    if arguments.fleet.beside.is_sharded() {
        let why = "it divides a fleet file, and none is given";
        return Err(Failure::flag("--shard", why));
    }
    if let Some(flag) = arguments.fleet.reports() {
        let why = "only a fleet has a report, and no fleet file is given";
        return Err(Failure::flag(flag, why));
    }
    let screen = Screen::new();
    let mut stop = Stop::listen()?;
    let camera = start(&arguments).await?;
    introduce(screen, &camera);
    let mut told = Told {
        passwordless: arguments.password.is_empty(),
        ..Told::default()
    };
    let mut heard = matches!(arguments.transport, Signalling::Tcp);
    let silence = tokio::time::sleep(SILENCE);
    tokio::pin!(silence);
    let mut events = camera.events();
    let over = arguments.fleet.beside.is_over();
    tokio::pin!(over);
    loop {
        tokio::select! {
            event = events.next() => match event {
                Some(event) => {
                    heard = true;
                    told.tell(screen, &event);
                }
                None => return Err(Error::Gone("the camera").into()),
            },
            () = &mut silence, if !heard => {
                heard = true;
                screen.event(unanswered(&camera));
            }
            () = stop.asked() => break,
            () = &mut over => break,
        }
    }
    screen.renew("");
    screen.event("switching off: BYE to every call, then unregistering (Ctrl-C again: at once)");
    let off = async {
        let off = camera.power_off().await;
        while let Some(event) = events.next().await {
            told.tell(screen, &event);
            if matches!(event, Event::Off { .. }) {
                break;
            }
        }
        off
    };
    off.await?;
    match told.registered {
        true => Ok(()),
        false => Err(Failure::Short(told.never(&camera))),
    }
}

fn unanswered(camera: &Camera) -> String {
    let address = camera.config().platform.address;
    format!("no answer yet from {address} over UDP; is a platform listening there?")
}

async fn start(arguments: &Arguments) -> Result<Camera, Failure> {
    let profile = profile(&arguments.profile)?;
    let shown = clip(arguments.media.as_deref(), arguments.fps)?;
    let platform = resolve(arguments.platform.as_deref().unwrap_or_default()).await?;
    let pump = Pump::on_thread(Clock::start(), "pump")
        .map_err(|error| Failure::Short(format!("no thread for the media: {error}")))?;
    let media = match arguments.no_offload {
        true => Media::new([pump]).without_offload(),
        false => Media::new([pump]),
    };
    let mut camera = Camera::builder(profile)
        .platform(platform)
        .id(arguments.id.map(|id| id.to_string()).unwrap_or_default())
        .password(&arguments.password)
        .channels(arguments.channels)
        .organisations(&arguments.organisations)
        .media(shown)
        .transport(arguments.transport.into())
        .expires(Duration::from_secs(arguments.expires))
        .keepalive(
            Duration::from_secs(arguments.keepalive),
            arguments.keepalive_count,
        )
        .retry(Duration::from_secs(arguments.retry))
        .pumps(media);
    if let Some(seed) = arguments.fleet.beside.seed() {
        camera = camera.seed(seed);
    }
    if let Some(hours) = arguments.recordings {
        let kept = Duration::from_secs(u64::from(hours) * 3600);
        camera = camera.recordings(Recordings::kept(kept));
    }
    if let Some((longitude, latitude)) = arguments.position {
        camera = camera.position(longitude, latitude);
    }
    if let Some(file) = arguments.sub_media.as_deref() {
        camera = camera.sub_media(clip(Some(file), arguments.fps)?);
    }
    if let Some(file) = &arguments.audio {
        camera = camera.audio(audio(file)?);
    }
    if let Some(file) = &arguments.voice {
        camera = camera.voice(file);
    }
    if let Some(file) = &arguments.microphone {
        camera = camera.microphone(Audio::open(file)?);
    }
    if arguments.echo {
        camera = camera.echo();
    }
    if let Some(channel) = arguments.channel {
        camera = camera.channel_id(channel);
    }
    if let Some(name) = &arguments.name {
        camera = camera.name(name);
    }
    if let Some(domain) = &arguments.domain {
        camera = camera.domain(domain);
    }
    if let Some(user) = &arguments.user {
        camera = camera.user(user);
    }
    if let Some(local) = arguments.local {
        camera = camera.local(local);
    }
    Ok(camera.start().await?)
}

/// As many channels as a fleet file lets a device have.
fn channels(text: &str) -> Result<usize, String> {
    let number = text.parse().ok();
    let fit = number.filter(|number| (1..=10_000).contains(number));
    fit.ok_or_else(|| "a device has from 1 to 10000 channels".to_owned())
}

/// Two numbers of degrees with a comma between them.
fn place(text: &str) -> Result<(f64, f64), String> {
    let wrong = || format!("{text:?} is no place: write longitude and latitude, as 116.397,39.916");
    let (longitude, latitude) = text.split_once(',').ok_or_else(wrong)?;
    let degrees = |text: &str, most: f64| {
        let degrees: Option<f64> = text.trim().parse().ok();
        degrees.filter(|degrees| degrees.abs() <= most)
    };
    let place = degrees(longitude, 180.0).zip(degrees(latitude, 90.0));
    place.ok_or_else(wrong)
}

fn introduce(screen: Screen, camera: &Camera) {
    let config = camera.config();
    let platform = &config.platform;
    screen.line(format_args!(
        "{} {} at sip:{}@{} over {}",
        screen.bold(&camera.id().to_string()),
        config.profile.title,
        platform.id,
        platform.address,
        config.transport,
    ));
    for (n, Channel { id, clip, .. }) in camera.channels().enumerate() {
        // A recorder's channels all show the same: the first few say it.
        if n == 4 {
            let rest = config.channels.len() - n;
            screen.line(format_args!(
                "  and {}",
                words::count(rest as u64, "more channel")
            ));
            break;
        }
        let shown = clip.map(|clip| format!("{} ({})", clip.name(), words::clip(&clip)));
        screen.line(format_args!(
            "  channel {id} plays {}",
            shown.unwrap_or_default()
        ));
    }
    screen.line("  Ctrl-C switches it off\n");
}

/// What has been told so far.
#[derive(Debug, Default)]
struct Told {
    /// Whether there is no password to register with.
    passwordless: bool,
    registered: bool,
    trouble: Option<String>,
    kept: u64,
    /// Whether a Keepalive was lost since the last that was not.
    losing: bool,
}

impl Told {
    fn tell(&mut self, screen: Screen, event: &Event) {
        self.note(event);
        if let Some(text) = self.in_words(screen, event) {
            screen.event(text);
        }
    }

    /// Why a registration failed, and what a person would do about it.
    fn explained(&self, why: &str) -> String {
        let asked = why.starts_with("401") || why.starts_with("403");
        match self.passwordless && asked {
            true => format!(
                "{why}: the platform asks for a password and none was given: set VCAM_PASSWORD"
            ),
            false => explained(why),
        }
    }

    fn note(&mut self, event: &Event) {
        match event {
            Event::Registered { .. } => self.registered = true,
            Event::RegisterFailed { why, .. } => self.trouble = Some(self.explained(why)),
            Event::Kept { .. } => self.kept += 1,
            _ => {}
        }
    }

    fn in_words(&mut self, screen: Screen, event: &Event) -> Option<String> {
        Some(match event {
            Event::Registered { expires, took } => {
                let (lifetime, took) = (expires.as_secs(), words::time(*took));
                format!(
                    "{} for {lifetime} s (answered in {took})",
                    screen.good("registered")
                )
            }
            Event::RegisterFailed { why, retry, .. } => {
                let (why, retry) = (self.explained(why), words::time(*retry));
                format!(
                    "{}: {why}; next attempt in {retry}",
                    screen.bad("not registered")
                )
            }
            Event::PlatformLost { why } => format!("{}: {why}", screen.bad("platform lost")),
            Event::Kept { took } => return self.keepalive(*took),
            Event::KeepaliveLost { in_a_row, .. } => {
                self.losing = true;
                format!(
                    "{}, {in_a_row} in a row",
                    screen.bad("keepalive not answered")
                )
            }
            Event::Asked { cmd_type, answered } => match answered {
                true => format!("asked for {cmd_type}: answered"),
                false => format!("told {cmd_type}: acknowledged"),
            },
            Event::Controlled { id, control } => format!("{id}: {control}"),
            Event::Configured { id, kind } => format!("{id}: {kind} configured"),
            Event::NotObeyed { id, why, .. } => {
                format!("{id}: {}: {why}", screen.bad("not obeyed"))
            }
            Event::Rebooting { away } => format!("starts again, back in {away:.0?}"),
            Event::Upgraded(UpgradeResult {
                firmware,
                failure: None,
                ..
            }) => format!("upgraded to {firmware}"),
            Event::Upgraded(UpgradeResult {
                failure: Some(why), ..
            }) => format!("not upgraded: {why}"),
            Event::SnapshotsDelivered {
                channel,
                taken,
                delivered,
            } => format!(
                "{} of {taken} pictures of {channel} delivered",
                delivered.len()
            ),
            Event::Invited {
                call,
                channel,
                transport,
            } => {
                let media = words::media(*transport);
                format!("call {}: channel {channel} over {media}", call.0)
            }
            Event::Refused { status, why, .. } => {
                format!("{} with {status}: {why}", screen.bad("call refused"))
            }
            Event::Subscribed {
                topic, lifetime, ..
            } => match lifetime.as_secs() {
                0 => format!("subscription to {topic} ended"),
                seconds => format!("subscription to {topic} for {seconds} s"),
            },
            Event::VideoOffered { id } => format!("{id}: asked to be called"),
            Event::Alarmed { at } => format!("{at}: alarm told"),
            Event::Steered { call, position } => {
                let position = words::time(*position);
                format!("call {}: the recording goes on at {position}", call.0)
            }
            Event::Played { call } => format!("call {}: the recording is sent", call.0),
            Event::Answered { .. } | Event::Acknowledged { .. } => return None,
            Event::Streaming { call, took } => {
                let streaming = screen.good("streaming");
                match took {
                    Some(took) => {
                        let took = words::time(*took);
                        format!("call {}: {streaming} ({took} after the INVITE)", call.0)
                    }
                    None => format!("call {}: {streaming} again", call.0),
                }
            }
            Event::MediaLost { call, why, .. } => {
                format!("call {}: {}: {why}", call.0, screen.bad("media broke"))
            }
            Event::Ended {
                call, why, counts, ..
            } => {
                format!("call {}: over, {why}; {}", call.0, words::sent(counts))
            }
            Event::VoiceRefused { why } => format!("{}: {why}", screen.bad("voice refused")),
            Event::VoiceHeard { source, target } => format!("{target}: {source} is heard"),
            Event::VoiceSaid { .. } => return None,
            Event::VoiceEnded {
                target, why, heard, ..
            } => {
                let packets = words::count(heard.packets, "packet");
                let lasted = words::time(heard.lasted);
                format!("{target}: voice over, {why}; {packets} heard in {lasted}")
            }
            Event::Off { unregistered: true } => "unregistered, off".to_owned(),
            Event::Off {
                unregistered: false,
            } => "off".to_owned(),
        })
    }

    /// The first one, and the first after a loss; the rest would only fill the screen.
    fn keepalive(&mut self, took: Duration) -> Option<String> {
        let took = words::time(took);
        match (self.kept, std::mem::take(&mut self.losing)) {
            (_, true) => Some(format!("keepalive answered again in {took}")),
            (1, false) => Some(format!(
                "keepalive answered in {took} (further ones only if lost)"
            )),
            _ => None,
        }
    }

    fn never(&self, camera: &Camera) -> String {
        let platform = camera.config().platform.address;
        let why = self.trouble.as_deref().unwrap_or("no answer came");
        format!("never registered with {platform}: {why}")
    }
}

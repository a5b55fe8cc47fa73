//! `vcam platform --sink`.

use std::fmt::Write;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Value, json};

use super::arguments::Media;
use super::failure::Failure;
use super::screen::{self, Screen};
use super::stop::Stop;
use super::words;
use crate::api::{Clip, Error, PlatformBuilder, Sink, SinkStatus, SinkTimes, SinkWatch};
use crate::media::MediaTransport;
use crate::net::make_room_for_sockets;

/// How often a status line comes, on a terminal and in a pipe.
const ON_TERMINAL: Duration = Duration::from_secs(1);
const IN_PIPE: Duration = Duration::from_secs(5);

/// How many calls a platform can have: the SSRCs of a SIP domain.
const MOST_CALLS: u64 = 10_000;

/// What `--sink` and its companions say.
#[derive(Debug, Args)]
#[command(next_help_heading = "Taking everything in")]
pub(super) struct Flags {
    /// Call every camera that registers and take all media in at one port: to calibrate a load
    /// generator. Streams are counted, not judged; --play says how media travels [tcp-active]
    #[arg(long, conflicts_with_all = ["seconds", "record"])]
    pub sink: bool,
    /// No more than N calls at a time; 0 only takes registrations [default: all]
    #[arg(long, value_name = "N", requires = "sink")]
    calls: Option<u64>,
    /// No more than so many INVITEs per second [default: as fast as cameras register]
    #[arg(long, value_name = "PER_SECOND", requires = "sink")]
    play_rate: Option<f64>,
    /// Judge the first N streams, or P% of all: syntax, clocks, every frame of the --source
    #[arg(long, value_name = "N|P%", requires = "sink")]
    verify: Option<Share>,
    /// End each call after a random time within these seconds, and call again: calls come and go
    /// [default: they last]
    #[arg(long, value_name = "MIN-MAX", requires = "sink")]
    lasting: Option<Lasting>,
    /// The port for all media, TCP and UDP [default: any that is free]
    #[arg(long, value_name = "PORT", requires = "sink")]
    media_port: Option<u16>,
    /// Ask every camera for its catalogue and call the first channel in it [default: call its code
    /// with type 131]
    #[arg(long, requires = "sink")]
    catalog: bool,
    /// End after so many seconds [default: at Ctrl-C]
    #[arg(long, value_name = "SECONDS", requires = "sink")]
    duration: Option<f64>,
    /// Print nothing but the end report, as JSON
    #[arg(long, requires = "sink")]
    json: bool,
}

/// A number of streams, or a percentage.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Share {
    Streams(u64),
    Percent(f64),
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("{text:?} is neither a number of streams nor a percentage from 0% to 100%");
        match text.strip_suffix('%') {
            Some(percent) => {
                let percent = percent.trim().parse().ok();
                let share = percent.filter(|percent| (0.0..=100.0).contains(percent));
                share.map(Share::Percent)
            }
            None => text.parse().map(Share::Streams).ok(),
        }
        .ok_or_else(wrong)
    }
}

/// How long calls last.
#[derive(Clone, Debug, PartialEq)]
struct Lasting(RangeInclusive<Duration>);

impl FromStr for Lasting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("{text:?} is not two numbers of seconds like 5-60, the shorter first");
        let seconds = |text: &str| {
            let seconds = text.trim().parse().ok();
            seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        };
        let (least, most) = text.split_once('-').unwrap_or((text, text));
        let (least, most) = (seconds(least), seconds(most));
        let (least, most) = least.zip(most).ok_or_else(wrong)?;
        let is_possible = least <= most && !most.is_zero();
        is_possible
            .then_some(Lasting(least..=most))
            .ok_or_else(wrong)
    }
}

impl Flags {
    fn plan(&self, play: Option<Media>, source: Option<Clip>) -> Sink {
        let transport = play.map_or(MediaTransport::TcpActive, MediaTransport::from);
        let mut sink = Sink::new().over(transport);
        if let Some(most) = self.calls {
            sink = sink.calls(most);
        }
        if let Some(rate) = self.play_rate {
            sink = sink.rate(rate);
        }
        sink = match self.verify {
            Some(Share::Streams(streams)) => sink.verify(streams),
            Some(Share::Percent(percent)) => sink.verify_percent(percent),
            None => sink,
        };
        if let Some(clip) = source {
            sink = sink.source(clip);
        }
        if let Some(port) = self.media_port {
            sink = sink.media_port(port);
        }
        if let Some(Lasting(bounds)) = &self.lasting {
            sink = sink.lasting(bounds.clone());
        }
        if self.catalog {
            sink = sink.ask_catalog();
        }
        sink
    }
}

/// Runs the platform as a sink.
pub(super) async fn run(
    flags: &Flags,
    platform: PlatformBuilder,
    play: Option<Media>,
    source: Option<Clip>,
) -> Result<(), Failure> {
    let screen = Screen::new();
    let mut stop = Stop::listen()?;
    let time = flags.duration.map(Duration::try_from_secs_f64);
    let time = time
        .transpose()
        .map_err(|error| Failure::flag("--duration", error))?;
    // A connection per call; what cannot be had is seen, and told, when it is missing.
    if let Err(few) = make_room_for_sockets(flags.calls.unwrap_or(MOST_CALLS)) {
        tracing::warn!("{few}");
    }
    let platform = platform.sink(flags.plan(play, source)).start().await?;
    let watch = platform.sink().cloned().ok_or(Error::Gone("the sink"))?;
    if !flags.json {
        let address = platform.address();
        let (id, at) = (address.id, address.address);
        let word = screen.bold("platform");
        screen.line(format_args!("{word} sip:{id}@{at} takes everything in\n"));
    }
    let begun = Instant::now();
    tokio::select! {
        () = tell(screen, &watch, flags.json) => {}
        () = stop.asked() => {}
        () = over(time) => {}
    }
    let seconds = begun.elapsed().as_secs_f64();
    platform.shut_down().await?;
    let status = watch.status().await;
    match flags.json {
        true => screen.line(format_args!("{:#}", as_json(&status, seconds))),
        false => report(screen, &status, seconds).for_each(|line| screen.line(line)),
    }
    let unknown = status.calls.failed.keys().any(|why| why.starts_with("404"));
    if unknown && !flags.catalog && !flags.json {
        screen::note(
            "404: a camera has no channel with its own code and type 131; --catalog asks for the \
             codes it has",
        );
    }
    match status.shortfalls() {
        short if short.is_empty() => Ok(()),
        short => Err(Failure::Short(short.join(", "))),
    }
}

async fn over(time: Option<Duration>) {
    match time {
        Some(time) => tokio::time::sleep(time).await,
        None => std::future::pending().await,
    }
}

/// Says every now and then how it stands.
async fn tell(screen: Screen, watch: &SinkWatch, is_quiet: bool) {
    if is_quiet {
        return std::future::pending().await;
    }
    let pause = if screen.is_terminal() {
        ON_TERMINAL
    } else {
        IN_PIPE
    };
    let mut before = watch.status().await;
    let mut then = Instant::now();
    loop {
        tokio::time::sleep(pause).await;
        let status = watch.status().await;
        let line = line(&status, &before, then.elapsed().as_secs_f64());
        match screen.is_terminal() {
            true => screen.renew(line),
            false => screen.event(line),
        }
        (before, then) = (status, Instant::now());
    }
}

/// How it stands, in one line.
fn line(status: &SinkStatus, before: &SinkStatus, seconds: f64) -> String {
    let (calls, media) = (&status.calls, &status.media);
    let failed: u64 = calls.failed.values().sum();
    let deviations: u64 = status.complaints.values().sum();
    let mut line = format!(
        "{} registered, {} up, {} streaming, {}, {} packets, {} lost in {} gaps",
        status.registered,
        words::count(calls.up, "call"),
        calls.streaming,
        words::bit_rate(status.bit_rate(before, seconds) as u64),
        media.packets.received,
        media.packets.lost,
        media.packets.gaps,
    );
    for (count, what) in [
        (failed, "calls failed"),
        (media.faults, "RTP faults"),
        (deviations, "deviations"),
    ] {
        if count > 0 {
            let _ = write!(line, ", {count} {what}");
        }
    }
    line
}

/// The end report, line by line.
fn report(screen: Screen, status: &SinkStatus, seconds: f64) -> impl Iterator<Item = String> {
    let (calls, media, verified) = (&status.calls, &status.media, &status.verified);
    let packets = &media.packets;
    let mut lines = vec![
        String::new(),
        format!(
            "registered   {} came, {} there at the end, {} refused, {} fell silent",
            status.arrivals, status.registered, status.refused, status.silent
        ),
        format!(
            "calls        {} invited, {} answered, at most {} streaming at a time, {} interruptions",
            calls.invited, calls.answered, calls.most_streaming, calls.interrupted
        ),
        format!("200 after    {}", times(&status.answer)),
        format!("media after  {}", times(&status.first_packet)),
        format!(
            "media        {} in {} packets, {} on average; {} lost in {} gaps, {} faults",
            words::octets(packets.octets),
            packets.received,
            words::bit_rate((packets.octets as f64 * 8.0 / seconds.max(1e-3)) as u64),
            packets.lost,
            packets.gaps,
            media.faults,
        ),
        format!(
            "connections  {} accepted; closed: {} of strangers, {} silent, {} unframed",
            media.accepted, media.strangers, media.silent, media.unframed
        ),
    ];
    if media.stray + media.tail + media.kernel_drops > 0 {
        lines.push(format!(
            "datagrams    {} of strangers, {} after the end, {} dropped by our kernel",
            media.stray, media.tail, media.kernel_drops
        ));
    }
    if verified.streams > 0 {
        lines.push(format!(
            "verified     {} of {} clean, {:.1} s equal to the source",
            verified.clean, verified.streams, verified.seconds
        ));
    }
    let failed = calls.failed.iter();
    lines.extend(failed.map(|(why, n)| format!("failed       {n:>6} x {why}")));
    let deviations = status.complaints.iter();
    lines.extend(deviations.map(|(what, n)| format!("deviation    {n:>6} x {what}")));
    lines.extend(
        status
            .examples
            .iter()
            .map(|text| screen.bad(&format!("for example  {text}"))),
    );
    lines.into_iter()
}

fn times(times: &SinkTimes) -> String {
    match times.count {
        0 => "-".to_owned(),
        _ => format!(
            "{:.1} ms for half, {:.1} for 90 %, {:.1} for 99 %, {:.1} at most",
            times.p50, times.p90, times.p99, times.max
        ),
    }
}

fn as_json(status: &SinkStatus, seconds: f64) -> Value {
    let mut value = json!(status);
    value["seconds"] = json!(seconds);
    value["shortfalls"] = json!(status.shortfalls());
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_a_number_of_streams_or_a_percentage() {
        assert_eq!("12".parse(), Ok(Share::Streams(12)));
        assert_eq!("0.5%".parse(), Ok(Share::Percent(0.5)));
        for wrong in ["", "%", "-1", "1.5", "some", "101%", "-1%"] {
            assert!(wrong.parse::<Share>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn calls_last_between_two_numbers_of_seconds_or_exactly_one() {
        let lasting = |least, most| {
            Ok(Lasting(
                Duration::from_secs(least)..=Duration::from_secs(most),
            ))
        };
        assert_eq!("5-60".parse(), lasting(5, 60));
        assert_eq!("5".parse(), lasting(5, 5));
        for wrong in ["", "-", "60-5", "0", "-3", "1-x", "nan", "1-inf"] {
            assert!(wrong.parse::<Lasting>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn the_line_is_readable_at_a_glance() {
        let mut status = SinkStatus::default();
        let before = status.clone();
        status.registered = 10_000;
        status.calls.up = 9_990;
        status.calls.streaming = 9_980;
        status.media.packets.received = 1_000_000;
        status.media.packets.octets = 1_250_000_000;
        assert_eq!(
            line(&status, &before, 5.0),
            "10000 registered, 9990 calls up, 9980 streaming, 2.0 Gbit/s, 1000000 packets, \
             0 lost in 0 gaps"
        );
        status.complaints.insert("no Max-Forwards".into(), 3);
        assert!(line(&status, &before, 5.0).ends_with("gaps, 3 deviations"));
    }

    #[test]
    fn the_report_as_json_carries_what_it_fell_short_in() {
        let value = as_json(&SinkStatus::default(), 1.5);
        assert_eq!(value["shortfalls"], json!(["nobody registered"]));
        assert_eq!(value["media"]["packets"]["lost"], json!(0));
        assert_eq!(value["seconds"], json!(1.5));
    }
}

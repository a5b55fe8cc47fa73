//! `vcam media`.

use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::arguments::{audio, clip, profile};
use super::failure::Failure;
use super::screen::{self, Screen};
use super::words;
use crate::api::Clip;
use crate::media::{Cut, Framing, Rational, export};
use crate::profile::Profile;

/// Octets of an RTP header.
const RTP_HEADER: usize = 12;

/// Look at video files, and at what is made of them
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vcam media inspect street.h264
  vcam media export street.h264 -o street.ps && ffprobe street.ps
  ffmpeg -i video.mp4 -c:v copy -bsf:v h264_mp4toannexb -f h264 video.h264
                                 takes the stream out of a container")]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Codec, size, frame rate, key frames, bit rate, and what the stream will look like
    #[command(after_help = "\
Examples:
  vcam media inspect street.h264
  vcam media inspect street.h264 --json --profile generic-2016")]
    Inspect {
        /// H.264 or H.265: a byte stream (Annex B), MP4 or program stream
        file: PathBuf,
        /// Frames per second of a file that does not say it (25, 29.97, 30000/1001)
        #[arg(long)]
        fps: Option<Rational>,
        /// The make that sends it: a name from `vcam profiles`, or a file ending in .toml
        #[arg(long, default_value = Profile::DEFAULT)]
        profile: String,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Write the program stream as a camera sends it, for ffprobe and players
    #[command(after_help = "\
Examples:
  vcam media export street.h264 -o street.ps
  vcam media export street.h264 -o street.ps --loops 3 --profile generic-2016")]
    Export {
        /// H.264 or H.265: a byte stream (Annex B), MP4 or program stream
        file: PathBuf,
        /// Where to write it; - is standard output
        #[arg(short, long)]
        output: PathBuf,
        /// How often the clip is played
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        loops: u32,
        /// What is heard beside the pictures: `tone`, or a file [default: the sound of an MP4 file]
        #[arg(long, value_name = "FILE")]
        audio: Option<PathBuf>,
        /// Frames per second of a file that does not say it (25, 29.97, 30000/1001)
        #[arg(long)]
        fps: Option<Rational>,
        /// The make that sends it: a name from `vcam profiles`, or a file ending in .toml
        #[arg(long, default_value = Profile::DEFAULT)]
        profile: String,
    },
}

/// Does what is asked for.
pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let screen = Screen::new();
    match &arguments.what {
        What::Inspect {
            file,
            fps,
            profile: name,
            json,
        } => {
            let profile = profile(name)?;
            let clip = clip(Some(file), *fps)?;
            let facts = Facts::of(&clip, file, *fps, &profile)?;
            match json {
                true => screen.line(format_args!("{:#}", facts.json())),
                false => facts.print(screen),
            }
            Ok(())
        }
        What::Export {
            file,
            output,
            loops,
            audio: heard,
            fps,
            profile: name,
        } => {
            let profile = profile(name)?;
            let mut clip = clip(Some(file), *fps)?;
            if let Some(heard) = heard {
                clip = clip.with_audio(&audio(heard)?);
            }
            let octets = export(&clip.cut(&profile), *loops);
            let told = format!(
                "{}, {} as {} sends them",
                words::octets(octets.len() as u64),
                words::count(clip.frames().len() as u64 * u64::from(*loops), "frame"),
                profile.name
            );
            if output.as_os_str() == "-" {
                write_out(&octets)?;
                screen::note(&told);
                return Ok(());
            }
            write_file(file, output, &octets)?;
            screen.line(format_args!("{}: {told}", output.display()));
            Ok(())
        }
    }
}

/// Writes to standard output; whoever stops reading wants nothing more.
fn write_out(octets: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(octets).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::Short(format!("standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes `output`, unless that would destroy `source`.
fn write_file(source: &Path, output: &Path, octets: &[u8]) -> Result<(), Failure> {
    let refuse = |why: String| Failure::flag("--output", format!("{}: {why}", output.display()));
    if is_same(source, output) {
        return Err(refuse(
            "this is the file that is read; give it another name, such as street.ps".to_owned(),
        ));
    }
    std::fs::write(output, octets).map_err(|error| refuse(error.to_string()))
}

/// Whether two paths lead to one file, links included.
fn is_same(one: &Path, other: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let place = |path: &Path| std::fs::metadata(path).map(|m| (m.dev(), m.ino())).ok();
        place(one).is_some_and(|at| place(other) == Some(at))
    }
    #[cfg(not(unix))]
    {
        let place = |path: &Path| path.canonicalize().ok();
        place(one).is_some_and(|at| place(other) == Some(at))
    }
}

/// What is told about a clip.
struct Facts<'a> {
    clip: &'a Clip,
    file: &'a Path,
    rate_from: RateFrom,
    profile: &'a Profile,
    cut: std::sync::Arc<Cut>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RateFrom {
    File,
    Flag,
    Default,
}

impl RateFrom {
    /// A file that says its own rate is not moved by another.
    fn of(file: &Path, given: Option<Rational>) -> Result<RateFrom, Failure> {
        let odd = Rational::new(7919, 1009);
        let own = Clip::open_at(file, odd)?.fps();
        Ok(match (Some(own) == odd, given) {
            (false, _) => RateFrom::File,
            (true, Some(_)) => RateFrom::Flag,
            (true, None) => RateFrom::Default,
        })
    }

    fn text(self) -> &'static str {
        match self {
            RateFrom::File => "said by the file (VUI)",
            RateFrom::Flag => "from --fps; the file does not say it",
            RateFrom::Default => "assumed; the file does not say it, --fps does",
        }
    }
}

impl<'a> Facts<'a> {
    fn of(
        clip: &'a Clip,
        file: &'a Path,
        fps: Option<Rational>,
        profile: &'a Profile,
    ) -> Result<Self, Failure> {
        Ok(Facts {
            clip,
            file,
            rate_from: RateFrom::of(file, fps)?,
            profile,
            cut: clip.cut(profile),
        })
    }

    fn packets(&self) -> impl Iterator<Item = usize> {
        let frames = 0..self.clip.frames().len();
        frames.flat_map(|frame| {
            self.cut
                .packets(frame)
                .iter()
                .map(|packet| packet.payload())
        })
    }

    fn key_frames(&self) -> usize {
        self.clip.frames().iter().filter(|frame| frame.key).count()
    }

    fn reorder(&self) -> u32 {
        let frames = self.clip.frames().iter();
        frames.map(|frame| frame.reorder).max().unwrap_or(0)
    }

    fn largest_frame(&self) -> usize {
        let frames = self.clip.frames().iter();
        frames.map(|frame| frame.octets.len()).max().unwrap_or(0)
    }

    fn print(&self, screen: Screen) {
        screen.line(screen.bold(&self.file.display().to_string()));
        for (what, text) in self.of_the_file() {
            screen.line(format_args!("  {what:<14} {text}"));
        }
        screen.line("");
        let title = format!("as {} sends it", self.profile.name);
        screen.line(screen.bold(&title));
        for (what, text) in self.of_the_stream() {
            screen.line(format_args!("  {what:<14} {text}"));
        }
    }

    fn of_the_file(&self) -> Vec<(&'static str, String)> {
        let clip = self.clip;
        let (least, most) = clip.gop();
        let every = match least == most {
            true => format!("one every {most} frames"),
            false => format!("one every {least} to {most} frames"),
        };
        let order = match self.reorder() {
            0 => "shown in the order they are sent (no B-frames)".to_owned(),
            n => format!(
                "shown up to {} after they are sent (B-frames)",
                words::count(n.into(), "frame")
            ),
        };
        vec![
            ("codec", clip.codec().to_string()),
            ("picture", format!("{} x {}", clip.width(), clip.height())),
            (
                "frame rate",
                format!(
                    "{} per second, {}",
                    words::frame_rate(clip.fps()),
                    self.rate_from.text()
                ),
            ),
            (
                "length",
                format!(
                    "{}, {}",
                    words::count(clip.frames().len() as u64, "frame"),
                    words::time(clip.duration())
                ),
            ),
            ("key frames", format!("{}, {every}", self.key_frames())),
            ("pictures", order),
            (
                "bit rate",
                format!(
                    "{} on average, {} in the busiest second",
                    words::bit_rate(clip.bit_rate()),
                    words::bit_rate(clip.peak_bit_rate())
                ),
            ),
            ("largest frame", words::octets(self.largest_frame() as u64)),
            ("sound", self.sound()),
        ]
    }

    fn sound(&self) -> String {
        if let Some(why) = self.clip.unheard() {
            return format!("none that can be played: {why}");
        }
        let Some(track) = self.clip.sound().map(|sound| sound.track()) else {
            return "none".to_owned();
        };
        format!(
            "{}, {} Hz, {}, {}, {}",
            track.codec(),
            track.sample_rate(),
            words::count(track.channels().into(), "channel"),
            words::bit_rate(track.bit_rate()),
            words::time(track.duration())
        )
    }

    fn sound_json(&self) -> Value {
        self.clip.sound().map_or(Value::Null, |sound| {
            let track = sound.track();
            json!({
                "codec": track.codec().to_string(),
                "sample_rate": track.sample_rate(),
                "channels": track.channels(),
                "bit_rate": track.bit_rate(),
                "seconds": track.duration().as_secs_f64(),
                "units": track.count(),
            })
        })
    }

    fn of_the_stream(&self) -> Vec<(&'static str, String)> {
        let packets = self.packets().count();
        let largest = self.packets().max().unwrap_or(0);
        vec![
            (
                "RTP",
                format!(
                    "payload type {} (PS/90000), {} per loop, {} octets at most",
                    self.cut.payload_type(),
                    words::count(packets as u64, "packet"),
                    largest + RTP_HEADER
                ),
            ),
            (
                "bit rate",
                format!(
                    "{} on the wire, framed for TCP (RFC 4571)",
                    words::bit_rate(self.wire_rate(Framing::Stream))
                ),
            ),
            (
                "stream id",
                "SSRC as the platform's INVITE asks (y=)".to_owned(),
            ),
            (
                "loop",
                "endless; SCR, PTS, DTS and RTP timestamps run on".to_owned(),
            ),
        ]
    }

    /// Bits per second of RTP, headers included.
    fn wire_rate(&self, framing: Framing) -> u64 {
        let each = RTP_HEADER + framing.prefix();
        let octets: usize = self.packets().map(|payload| payload + each).sum();
        let seconds = self.clip.duration().as_secs_f64();
        (octets as f64 * 8.0 / seconds) as u64
    }

    fn json(&self) -> Value {
        let clip = self.clip;
        let (least, most) = clip.gop();
        json!({
            "file": self.file,
            "codec": clip.codec().to_string(),
            "width": clip.width(),
            "height": clip.height(),
            "fps": clip.fps().to_string(),
            "fps_from": match self.rate_from {
                RateFrom::File => "file",
                RateFrom::Flag => "flag",
                RateFrom::Default => "default",
            },
            "frames": clip.frames().len(),
            "key_frames": self.key_frames(),
            "gop": {"min": least, "max": most},
            "reorder": self.reorder(),
            "seconds": clip.duration().as_secs_f64(),
            "bit_rate": {"mean": clip.bit_rate(), "peak": clip.peak_bit_rate()},
            "largest_frame": self.largest_frame(),
            "sound": self.sound_json(),
            "stream": {
                "profile": self.profile.name,
                "payload_type": self.cut.payload_type(),
                "packets": self.packets().count(),
                "largest_packet": self.packets().max().unwrap_or(0) + RTP_HEADER,
                "bit_rate": {"udp": self.wire_rate(Framing::Datagram), "tcp": self.wire_rate(Framing::Stream)},
            },
        })
    }
}

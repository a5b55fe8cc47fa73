//! MANSRTSP: the RTSP-like bodies of INFO that steer a playback (GB/T 28181-2022 annex B).
//!
//! Reading is lenient where platforms differ: CRLF or LF, headers in any case and order, with or
//! without the blank line at the end, whole numbers or fractions.

use std::fmt::Write as _;
use std::time::Duration;

/// The longest body that is read, in octets. Real ones have less than 200.
pub const MAX_OCTETS: usize = 4096;

/// What a platform asks of a playback.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The RTSP `CSeq`; it has nothing to do with the one of SIP.
    pub cseq: u32,
    /// What to do.
    pub command: Command,
}

/// What to do with a playback.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// `PLAY`: go on, or go elsewhere, or at another speed.
    Play {
        /// `Scale`: the speed, negative for backwards; never zero, always finite. `None`: as before.
        scale: Option<f64>,
        /// `Range`: `None` and [`Position::Now`] stay where they are.
        range: Option<Range>,
    },
    /// `PAUSE`, at once: `PauseTime` can only be `now`.
    Pause,
    /// `TEARDOWN`: send no more.
    Teardown,
}

/// A stretch of a recording: `npt=100-`, `npt=now-`, or backwards `npt=600-120`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// Where to begin.
    pub from: Position,
    /// Where to end, counted from the beginning of what the INVITE asked for.
    pub to: Option<Duration>,
}

/// A place in a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// Where the playback is.
    Now,
    /// So far from the beginning of what the INVITE asked for.
    At(Duration),
}

/// What a device answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    /// 200, or an RTSP error.
    pub status: u16,
    /// The text after the status.
    pub reason: String,
    /// That of the request.
    pub cseq: u32,
    /// The speed that holds, if it is told.
    pub scale: Option<f64>,
    /// Where it plays, if it is told.
    pub range: Option<Range>,
    /// The first packet after the change, if it is told.
    pub rtp_info: Option<RtpInfo>,
}

/// `RTP-Info: seq=…;rtptime=…`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RtpInfo {
    /// Its sequence number. A Hikvision recorder writes more than 16 bits, so they are read.
    pub seq: u32,
    /// Its timestamp.
    pub rtptime: u32,
}

/// How a body ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// With a blank line, as in RTSP.
    #[default]
    BlankLine,
    /// With the last header line: Hikvision recorders.
    LastHeader,
}

/// Why a body is not MANSRTSP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MansrtspError {
    /// Longer than [`MAX_OCTETS`].
    #[error("a MANSRTSP body of more than {MAX_OCTETS} octets")]
    TooLong,
    /// Not UTF-8, or the first line is not one of RTSP/1.0.
    #[error("no RTSP/1.0 or MANSRTSP/1.0 start line")]
    StartLine,
    /// A method that annex B does not have.
    #[error("a method that MANSRTSP does not have")]
    Method,
    /// A header that must be there is not, or makes no sense.
    #[error("header {0} is missing or makes no sense")]
    Header(&'static str),
}

impl Request {
    /// Reads a request.
    ///
    /// A `Range` in other units than `npt` (annex B names `smpte`) counts as absent; so does a
    /// missing `PauseTime`.
    pub fn parse(octets: &[u8]) -> Result<Request, MansrtspError> {
        let text = Text::of(octets)?;
        let mut words = text.start.split_ascii_whitespace();
        let method = words.next().unwrap_or_default();
        // Some put a URL between the method and the version, as RTSP itself does.
        if !words.next_back().is_some_and(is_version) {
            return Err(MansrtspError::StartLine);
        }
        let command = match method.to_ascii_uppercase().as_str() {
            "PLAY" => Command::Play {
                scale: text.scale()?,
                range: text.range()?,
            },
            "PAUSE" => Command::Pause,
            "TEARDOWN" => Command::Teardown,
            _ => return Err(MansrtspError::Method),
        };
        let cseq = text.cseq()?;
        Ok(Request { cseq, command })
    }

    /// Writes it as annex B does.
    pub fn write(&self, ending: Ending) -> String {
        let method = match &self.command {
            Command::Play { .. } => "PLAY",
            Command::Pause => "PAUSE",
            Command::Teardown => "TEARDOWN",
        };
        let mut text = format!("{method} RTSP/1.0\r\nCSeq: {}\r\n", self.cseq);
        match &self.command {
            Command::Play { scale, range } => write_play(&mut text, *scale, *range),
            Command::Pause => text.push_str("PauseTime: now\r\n"),
            Command::Teardown => {}
        }
        ending.end(text)
    }
}

impl Response {
    /// `200 OK`, and no more than that.
    pub fn ok(cseq: u32) -> Response {
        Response::error(200, "OK", cseq)
    }

    /// A bare answer, such as `457 Invalid Range`.
    pub fn error(status: u16, reason: &str, cseq: u32) -> Response {
        Response {
            status,
            reason: reason.to_owned(),
            cseq,
            scale: None,
            range: None,
            rtp_info: None,
        }
    }

    /// Reads an answer.
    pub fn parse(octets: &[u8]) -> Result<Response, MansrtspError> {
        let text = Text::of(octets)?;
        let mut words = text.start.splitn(3, ' ');
        if !words.next().is_some_and(is_version) {
            return Err(MansrtspError::StartLine);
        }
        let status = words.next().and_then(|word| word.parse().ok());
        let status = status.filter(|status| (100..700).contains(status));
        Ok(Response {
            status: status.ok_or(MansrtspError::StartLine)?,
            reason: words.next().unwrap_or_default().trim().to_owned(),
            cseq: text.cseq()?,
            scale: text.scale()?,
            range: text.range()?,
            rtp_info: text.rtp_info()?,
        })
    }

    /// Writes it.
    pub fn write(&self, ending: Ending) -> String {
        let (status, reason) = (self.status, &self.reason);
        let mut text = format!("RTSP/1.0 {status} {reason}\r\nCSeq: {}\r\n", self.cseq);
        write_play(&mut text, self.scale, self.range);
        if let Some(RtpInfo { seq, rtptime }) = self.rtp_info {
            let _ = write!(text, "RTP-Info: seq={seq};rtptime={rtptime}\r\n");
        }
        ending.end(text)
    }
}

impl Ending {
    fn end(self, mut text: String) -> String {
        if self == Ending::BlankLine {
            text.push_str("\r\n");
        }
        text
    }
}

fn write_play(text: &mut String, scale: Option<f64>, range: Option<Range>) {
    if let Some(scale) = scale {
        // 2 is written 2.0, as in the examples of annex B.
        let _ = write!(text, "Scale: {scale:?}\r\n");
    }
    if let Some(Range { from, to }) = range {
        let _ = match from {
            Position::Now => write!(text, "Range: npt=now-"),
            Position::At(at) => write!(text, "Range: npt={}-", at.as_secs_f64()),
        };
        if let Some(to) = to {
            let _ = write!(text, "{}", to.as_secs_f64());
        }
        text.push_str("\r\n");
    }
}

/// A body cut into its lines.
struct Text<'a> {
    start: &'a str,
    headers: &'a str,
}

impl<'a> Text<'a> {
    fn of(octets: &'a [u8]) -> Result<Self, MansrtspError> {
        if octets.len() > MAX_OCTETS {
            return Err(MansrtspError::TooLong);
        }
        let text = std::str::from_utf8(octets).map_err(|_| MansrtspError::StartLine)?;
        let text = text.trim_start();
        let (start, headers) = text.split_once('\n').unwrap_or((text, ""));
        let start = start.trim();
        Ok(Text { start, headers })
    }

    fn header(&self, name: &str) -> Option<&'a str> {
        let mut lines = self.headers.lines().map_while(|line| line.split_once(':'));
        let (_, value) = lines.find(|(found, _)| found.trim().eq_ignore_ascii_case(name))?;
        Some(value.trim())
    }

    fn cseq(&self) -> Result<u32, MansrtspError> {
        let cseq = self.header("CSeq").and_then(|cseq| cseq.parse().ok());
        cseq.ok_or(MansrtspError::Header("CSeq"))
    }

    fn scale(&self) -> Result<Option<f64>, MansrtspError> {
        let Some(text) = self.header("Scale") else {
            return Ok(None);
        };
        let scale = text.parse().ok();
        let scale = scale.filter(|scale: &f64| scale.is_finite() && *scale != 0.0);
        scale.map(Some).ok_or(MansrtspError::Header("Scale"))
    }

    fn range(&self) -> Result<Option<Range>, MansrtspError> {
        match self.header("Range").and_then(npt) {
            None => Ok(None),
            Some(text) => {
                let range = Range::read(text).ok_or(MansrtspError::Header("Range"))?;
                Ok(Some(range))
            }
        }
    }

    fn rtp_info(&self) -> Result<Option<RtpInfo>, MansrtspError> {
        let Some(text) = self.header("RTP-Info") else {
            return Ok(None);
        };
        let part = |wanted: &str| {
            let mut parts = text.split(';').filter_map(|part| part.split_once('='));
            let (_, value) = parts.find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted))?;
            value.trim().parse().ok()
        };
        let info = part("seq").zip(part("rtptime"));
        let (seq, rtptime) = info.ok_or(MansrtspError::Header("RTP-Info"))?;
        Ok(Some(RtpInfo { seq, rtptime }))
    }
}

impl Range {
    fn read(text: &str) -> Option<Range> {
        let (from, to) = text.split_once('-').unwrap_or((text, ""));
        let (from, to) = (from.trim(), to.trim());
        let from = match from.eq_ignore_ascii_case("now") {
            true => Position::Now,
            false => Position::At(seconds(from)?),
        };
        let to = match to {
            "" => None,
            to => Some(seconds(to)?),
        };
        Some(Range { from, to })
    }
}

/// What follows `npt=`.
fn npt(range: &str) -> Option<&str> {
    let (unit, rest) = range.split_once('=')?;
    unit.trim().eq_ignore_ascii_case("npt").then(|| rest.trim())
}

/// Seconds with or without a fraction; what no clock can hold is nothing.
fn seconds(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(text.parse().ok()?).ok()
}

fn is_version(word: &str) -> bool {
    let versions = ["RTSP/1.0", "MANSRTSP/1.0"];
    versions
        .iter()
        .any(|version| word.eq_ignore_ascii_case(version))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn play(scale: Option<f64>, range: Option<(Option<u64>, Option<u64>)>) -> Command {
        let range = range.map(|(from, to)| Range {
            from: from.map_or(Position::Now, |at| Position::At(Duration::from_secs(at))),
            to: to.map(Duration::from_secs),
        });
        Command::Play { scale, range }
    }

    #[test]
    fn the_requests_of_platforms_are_read() {
        for (text, cseq, command) in [
            (
                "PAUSE RTSP/1.0\r\nCSeq: 20\r\nPauseTime: 0\r\n\r\n",
                20,
                Command::Pause,
            ),
            ("pause rtsp/1.0\ncseq:1\nPauseTime: now", 1, Command::Pause),
            ("TEARDOWN RTSP/1.0\nCSeq: 4\n", 4, Command::Teardown),
            (
                "PLAY RTSP/1.0\r\nCSeq: 3\r\nScale: 2.0\r\n",
                3,
                play(Some(2.0), None),
            ),
            (
                "PLAY RTSP/1.0\r\nCSeq: 2\r\nRange: npt=now-\r\n",
                2,
                play(None, Some((None, None))),
            ),
            (
                "PLAY RTSP/1.0\r\nCSeq: 21\r\nScale: 1.000000\r\nRange: npt=0-\r\n\r\n",
                21,
                play(Some(1.0), Some((Some(0), None))),
            ),
            (
                "PLAY RTSP/1.0\nRANGE: NPT = 600 - 120\nSCALE: -1\nCSEQ: 5\n",
                5,
                play(Some(-1.0), Some((Some(600), Some(120)))),
            ),
            (
                "PLAY rtsp://x RTSP/1.0\nCSeq: 6\nRange: smpte=0:10-\n",
                6,
                play(None, None),
            ),
        ] {
            assert_eq!(
                Request::parse(text.as_bytes()),
                Ok(Request { cseq, command }),
                "{text}"
            );
        }
    }

    #[test]
    fn fractions_of_a_second_count() {
        let read = Request::parse(b"PLAY RTSP/1.0\nCSeq: 1\nRange: npt=12.25-\n").unwrap();
        let at = Range {
            from: Position::At(Duration::from_millis(12_250)),
            to: None,
        };
        assert_eq!(
            read.command,
            Command::Play {
                scale: None,
                range: Some(at)
            }
        );
        assert!(
            read.write(Ending::BlankLine)
                .contains("\r\nRange: npt=12.25-\r\n")
        );
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_its_name() {
        use MansrtspError::{Header, Method, StartLine, TooLong};
        for (text, error) in [
            ("", StartLine),
            ("PLAY", StartLine),
            ("PLAY SIP/2.0\nCSeq: 1\n", StartLine),
            ("RECORD RTSP/1.0\nCSeq: 1\n", Method),
            ("PAUSE RTSP/1.0\n", Header("CSeq")),
            ("PAUSE RTSP/1.0\nCSeq: -1\n", Header("CSeq")),
            ("PLAY RTSP/1.0\nCSeq: 1\nScale: 0\n", Header("Scale")),
            ("PLAY RTSP/1.0\nCSeq: 1\nScale: inf\n", Header("Scale")),
            ("PLAY RTSP/1.0\nCSeq: 1\nRange: npt=-5\n", Header("Range")),
            (
                "PLAY RTSP/1.0\nCSeq: 1\nRange: npt=1e99-\n",
                Header("Range"),
            ),
            ("PLAY RTSP/1.0\nCSeq: 1\nRange: npt=NaN-\n", Header("Range")),
        ] {
            assert_eq!(Request::parse(text.as_bytes()), Err(error), "{text}");
        }
        assert_eq!(Request::parse(&[b' '; MAX_OCTETS + 1]), Err(TooLong));
        assert_eq!(Request::parse(b"\xff\xfe"), Err(StartLine));
    }

    #[test]
    fn requests_are_written_as_annex_b_shows_them() {
        let written = |cseq, command| Request { cseq, command }.write(Ending::BlankLine);
        assert_eq!(
            written(1, Command::Pause),
            "PAUSE RTSP/1.0\r\nCSeq: 1\r\nPauseTime: now\r\n\r\n"
        );
        assert_eq!(
            written(4, Command::Teardown),
            "TEARDOWN RTSP/1.0\r\nCSeq: 4\r\n\r\n"
        );
        assert_eq!(
            written(3, play(Some(2.0), None)),
            "PLAY RTSP/1.0\r\nCSeq: 3\r\nScale: 2.0\r\n\r\n"
        );
        assert_eq!(
            written(5, play(Some(-1.0), Some((Some(600), Some(120))))),
            "PLAY RTSP/1.0\r\nCSeq: 5\r\nScale: -1.0\r\nRange: npt=600-120\r\n\r\n"
        );
    }

    /// The answer of a Hikvision recorder, 66 octets, with a sequence number of 24 bits.
    #[test]
    fn the_answer_of_a_recorder_is_read_and_written_octet_for_octet() {
        let octets = "RTSP/1.0 200 OK\r\nCSeq: 20\r\nRTP-Info: seq=9810092;rtptime=3450012\r\n";
        assert_eq!(octets.len(), 66);
        let info = RtpInfo {
            seq: 9_810_092,
            rtptime: 3_450_012,
        };
        let answer = Response {
            rtp_info: Some(info),
            ..Response::ok(20)
        };
        assert_eq!(Response::parse(octets.as_bytes()), Ok(answer.clone()));
        assert_eq!(answer.write(Ending::LastHeader), octets);
    }

    #[test]
    fn an_error_is_an_answer_too() {
        let error = Response::error(457, "Invalid Range", 9);
        let text = "RTSP/1.0 457 Invalid Range\r\nCSeq: 9\r\n\r\n";
        assert_eq!(error.write(Ending::BlankLine), text);
        assert_eq!(Response::parse(text.as_bytes()), Ok(error));
        for wrong in [
            "RTSP/1.0\nCSeq: 1\n",
            "RTSP/1.0 99 x\nCSeq: 1\n",
            "PLAY RTSP/1.0\n",
        ] {
            assert_eq!(
                Response::parse(wrong.as_bytes()),
                Err(MansrtspError::StartLine)
            );
        }
        let info = Response::parse(b"RTSP/1.0 200 OK\nCSeq: 1\nRTP-Info: seq=1\n");
        assert_eq!(info, Err(MansrtspError::Header("RTP-Info")));
    }

    #[test]
    fn the_version_may_name_mansrtsp_and_colons_may_stand_alone() {
        let request = Request::parse(b"PLAY MANSRTSP/1.0\r\nCSeq:3\r\nScale:2.0\r\n\r\n");
        let expected = Request {
            cseq: 3,
            command: Command::Play {
                scale: Some(2.0),
                range: None,
            },
        };
        assert_eq!(request, Ok(expected));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn any_octets_return(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = (Request::parse(&octets), Response::parse(&octets));
        }

        #[test]
        fn what_is_written_is_read_back(cseq: u32, scale in -32.0..32.0f64, at in 0..100_000u64) {
            prop_assume!(scale != 0.0);
            let command = play(Some(scale), Some((Some(at), None)));
            let request = Request { cseq, command };
            let text = request.write(Ending::BlankLine);
            prop_assert_eq!(Request::parse(text.as_bytes()), Ok(request));
        }
    }
}

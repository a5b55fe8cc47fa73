//! Figures as people say them.

use std::time::Duration;

use crate::api::Clip;
pub(super) use crate::fleet::{bit_rate, octets};
use crate::media::{Counts, MediaTransport, Rational};

/// `12 ms`, `1.4 s`.
pub(super) fn time(time: Duration) -> String {
    match time.as_millis() {
        0 => "< 1 ms".to_owned(),
        ms @ 1..1000 => format!("{ms} ms"),
        _ => format!("{:.1} s", time.as_secs_f64()),
    }
}

/// `1 channel`, `3 channels`.
pub(super) fn count(n: u64, one: &str) -> String {
    match n {
        1 => format!("1 {one}"),
        _ => format!("{n} {one}s"),
    }
}

/// `1 camera`, `10,000 cameras`, `2 IP addresses`.
pub(super) fn many(n: usize, one: &str) -> String {
    let plural = match (n, one.ends_with('s')) {
        (1, _) => "",
        (_, true) => "es",
        (_, false) => "s",
    };
    format!("{} {one}{plural}", thousands(n as u64))
}

/// `10,000`.
pub(super) fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `40 ms`, `1.5 s`, `2 min`, `1 h 30 min`.
pub(super) fn length(length: Duration) -> String {
    let seconds = length.as_secs();
    if length < Duration::from_secs(1) && !length.is_zero() {
        return time(length);
    }
    let parts = [(seconds / 3600, "h"), (seconds / 60 % 60, "min")];
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    let mut text: Vec<_> = parts
        .map(|(count, unit)| format!("{count} {unit}"))
        .collect();
    let rest = seconds % 60;
    let tenths = length.subsec_millis() / 100;
    match (rest, tenths, text.is_empty()) {
        (0, 0, false) => {}
        (_, 0, _) => text.push(format!("{rest} s")),
        _ => text.push(format!("{rest}.{tenths} s")),
    }
    text.join(" ")
}

/// `25`, `29.97`.
pub(super) fn frame_rate(rate: Rational) -> String {
    let text = format!("{:.2}", rate.as_f64());
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Who connects.
pub(super) fn media(transport: MediaTransport) -> &'static str {
    match transport {
        MediaTransport::Udp => "UDP",
        MediaTransport::TcpActive => "TCP, camera connects",
        MediaTransport::TcpPassive => "TCP, camera listens",
    }
}

/// `H.264 1280x720, 25 frames/s, 2.0 Mbit/s, 4.0 s`.
pub(super) fn clip(clip: &Clip) -> String {
    format!(
        "{} {}x{}, {} frames/s, {}, {}",
        clip.codec(),
        clip.width(),
        clip.height(),
        frame_rate(clip.fps()),
        bit_rate(clip.bit_rate()),
        time(clip.duration()),
    )
}

/// What went through a sending stream.
pub(super) fn sent(counts: &Counts) -> String {
    let mut text = format!(
        "{} in {}, {}",
        count(counts.frames, "frame"),
        count(counts.packets, "packet"),
        octets(counts.octets)
    );
    for (n, what) in [(counts.dropped, "dropped"), (counts.late, "late")] {
        if n > 0 {
            text += &format!(", {n} {what}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_rounded_to_what_a_person_reads() {
        assert_eq!(bit_rate(2_015_674), "2.0 Mbit/s");
        assert_eq!(bit_rate(120_400), "120 kbit/s");
        assert_eq!(octets(999), "999 octets");
        assert_eq!(octets(1_007_837), "1.0 MB");
        assert_eq!(time(Duration::from_micros(300)), "< 1 ms");
        assert_eq!(time(Duration::from_millis(1400)), "1.4 s");
        assert_eq!(frame_rate(Rational::new(30_000, 1001).unwrap()), "29.97");
        assert_eq!(frame_rate(Rational::whole(25)), "25");
        assert_eq!(count(1, "channel"), "1 channel");
        assert_eq!(many(10_000, "camera"), "10,000 cameras");
        assert_eq!(many(2, "IP address"), "2 IP addresses");
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(thousands(999), "999");
        assert_eq!(length(Duration::from_millis(40)), "40 ms");
        assert_eq!(length(Duration::from_millis(99_990)), "1 min 39.9 s");
        assert_eq!(length(Duration::from_secs(5400)), "1 h 30 min");
        assert_eq!(length(Duration::ZERO), "0 s");
    }
}

//! Figures as people say them.

use std::time::Duration;

/// `2.0 Mbit/s`.
pub fn bit_rate(bits_per_second: u64) -> String {
    let rate = bits_per_second as f64;
    match bits_per_second {
        0..1000 => format!("{bits_per_second} bit/s"),
        1000..1_000_000 => format!("{:.0} kbit/s", rate / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} Mbit/s", rate / 1e6),
        _ => format!("{:.1} Gbit/s", rate / 1e9),
    }
}

/// `1.9 MB`.
pub fn octets(count: u64) -> String {
    let size = count as f64;
    match count {
        0..1000 => format!("{count} octets"),
        1000..1_000_000 => format!("{:.1} kB", size / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", size / 1e6),
        _ => format!("{:.1} GB", size / 1e9),
    }
}

/// `0.42 ms`, `12 ms`, `1.4 s`: three digits at most.
pub fn time(time: Duration) -> String {
    let millis = time.as_secs_f64() * 1e3;
    match millis {
        _ if millis < 10.0 => format!("{millis:.2} ms"),
        _ if millis < 100.0 => format!("{millis:.1} ms"),
        _ if millis < 1000.0 => format!("{millis:.0} ms"),
        _ => format!("{:.1} s", time.as_secs_f64()),
    }
}

/// `1:02:03`, `2:03`: how long something has been going on.
pub(super) fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// `12,345`.
pub(super) fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `99.95 %`, in as many digits as it takes to tell it from all and from none.
pub(super) fn share(part: u64, of: u64) -> String {
    if part >= of {
        return "100 %".to_owned();
    }
    let percent = part as f64 / of as f64 * 100.0;
    let places = match percent {
        _ if percent > 99.99 || (percent < 0.01 && part > 0) => 4,
        _ => 2,
    };
    let text = format!("{percent:.places$}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{text} %")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_rounded_to_what_a_person_reads() {
        assert_eq!(bit_rate(2_015_674), "2.0 Mbit/s");
        assert_eq!(bit_rate(4_015_674_000), "4.0 Gbit/s");
        assert_eq!(octets(1_007_837), "1.0 MB");
        assert_eq!(time(Duration::from_micros(300)), "0.30 ms");
        assert_eq!(time(Duration::from_micros(42_340)), "42.3 ms");
        assert_eq!(time(Duration::from_millis(1400)), "1.4 s");
        assert_eq!(clock(Duration::from_secs(3723)), "1:02:03");
        assert_eq!(clock(Duration::from_secs(63)), "1:03");
        assert_eq!(number(1_234_567), "1,234,567");
        assert_eq!(number(123), "123");
    }

    #[test]
    fn one_of_ten_thousand_is_not_rounded_away() {
        assert_eq!(share(10_000, 10_000), "100 %");
        assert_eq!(share(9_999, 10_000), "99.99 %");
        assert_eq!(share(999_999, 1_000_000), "99.9999 %");
        assert_eq!(share(1, 2), "50 %");
        assert_eq!(share(0, 2), "0 %");
        assert_eq!(share(0, 0), "100 %");
    }
}

//! Local times as GB/T 28181 writes them: Beijing time, UTC+8, without saying so.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

use crate::time::Wall;

const BEIJING: Offset = Offset::constant(8);

/// `2024-05-17T14:24:54`: the time of XML bodies.
pub fn local(wall: Wall) -> String {
    civil(wall).strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// `2024-05-17T14:07:33.263`: the `Date` header of a platform (GB/T 28181-2022 §9.10.3).
pub fn local_millis(wall: Wall) -> String {
    civil(wall).strftime("%Y-%m-%dT%H:%M:%S.%3f").to_string()
}

/// Reads a local time, with or without a fraction, also with a blank instead of the `T`. A zone,
/// if there is one, counts.
pub fn parse(text: &str) -> Option<Wall> {
    let text = text.trim();
    let instant = text.parse::<Timestamp>().or_else(|_| {
        let civil: DateTime = text.parse()?;
        BEIJING.to_timestamp(civil)
    });
    Some(Wall::from_micros(instant.ok()?.as_microsecond()))
}

/// Reads the `Date` header of a SIP answer: GB/T 28181's local time, or RFC 1123 as in HTTP
/// (`Fri, 17 May 2024 06:07:33 GMT`).
pub fn parse_sip_date(text: &str) -> Option<Wall> {
    parse(text).or_else(|| {
        let parser = jiff::fmt::rfc2822::DateTimeParser::new().relaxed_weekday(true);
        let instant = parser.parse_timestamp(text.trim()).ok()?;
        Some(Wall::from_micros(instant.as_microsecond()))
    })
}

fn civil(wall: Wall) -> DateTime {
    let instant = Timestamp::from_microsecond(wall.as_micros()).unwrap_or_default();
    TimeZone::fixed(BEIJING).to_datetime(instant)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const AT: Wall = Wall::from_micros(1_715_926_053_263_000);

    #[test]
    fn times_are_written_eight_hours_ahead_of_utc() {
        assert_eq!(local(AT), "2024-05-17T14:07:33");
        assert_eq!(local_millis(AT), "2024-05-17T14:07:33.263");
        assert_eq!(local(Wall::from_seconds(0)), "1970-01-01T08:00:00");
    }

    #[test]
    fn a_sip_date_is_read_in_every_form_seen() {
        let whole = Some(Wall::from_seconds(1_715_926_053));
        assert_eq!(parse_sip_date("2024-05-17T14:07:33.263"), Some(AT));
        assert_eq!(parse_sip_date(" 2024-05-17T14:07:33 "), whole);
        assert_eq!(parse_sip_date("2024-05-17 14:07:33"), whole);
        assert_eq!(parse_sip_date("2024-05-17T06:07:33Z"), whole);
        assert_eq!(parse_sip_date("2024-05-17T14:07:33+08:00"), whole);
        assert_eq!(parse_sip_date("Fri, 17 May 2024 06:07:33 GMT"), whole);
        for garbage in ["", "yesterday", "2024-13-17T14:07:33", "1715926053"] {
            assert_eq!(parse_sip_date(garbage), None, "{garbage}");
        }
    }

    #[test]
    fn times_far_outside_the_calendar_are_written_all_the_same() {
        assert_eq!(local(Wall::from_micros(i64::MAX)), "1970-01-01T08:00:00");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn what_is_written_is_read_back(seconds in 0i64..4_000_000_000) {
            let wall = Wall::from_seconds(seconds);
            prop_assert_eq!(parse(&local(wall)), Some(wall));
        }

        #[test]
        fn any_text_returns(text in ".{0,40}") {
            let _ = parse_sip_date(&text);
        }
    }
}

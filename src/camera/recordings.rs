//! What a device has recorded: files on a line of time, simulated, or laid down one by one.
//!
//! Files are worked out when somebody asks for them: a year of recordings costs an idle camera
//! nothing.

use std::sync::Arc;
use std::time::Duration;

use crate::gb28181::manscdp::RecordKind;
use crate::media::Cut;
use crate::time::Wall;

/// The most files that one question is told of.
pub const MOST_FILES: usize = 10_000;

/// Where files begin: midnight in Beijing, in microseconds of the Unix epoch.
const MIDNIGHT: i64 = -8 * 3_600_000_000;

/// What the channels of a device have recorded.
#[derive(Clone, Debug)]
pub enum Recordings {
    /// Every channel records all the time, as a recorder does.
    Continuous {
        /// How long a file is. Files begin at midnight and every so long after it.
        file: Duration,
        /// How far back they reach from now; what is older is overwritten.
        kept: Duration,
        /// Of how many files one is of an alarm; 0: none.
        alarm_every: u32,
    },
    /// These files and no others, the same for every channel.
    Files(Vec<File>),
}

/// One recorded file.
#[derive(Clone, Debug)]
pub struct File {
    /// When it begins.
    pub start: Wall,
    /// When it ends, later than that.
    pub end: Wall,
    /// Why it was recorded.
    pub kind: RecordKind,
    /// What it shows, from its first frame on and looped; `None`: what the channel shows.
    pub source: Option<Arc<Cut>>,
}

impl Recordings {
    /// Half an hour a file, kept for three days, every tenth of an alarm.
    pub const THREE_DAYS: Recordings = Recordings::kept(Duration::from_secs(3 * 86_400));

    /// Half an hour a file, kept for so long, every tenth of an alarm.
    pub const fn kept(kept: Duration) -> Recordings {
        Recordings::Continuous {
            file: Duration::from_secs(1800),
            kept,
            alarm_every: 10,
        }
    }

    /// The files that overlap a stretch of time and are of a kind (`None`: any), the earliest
    /// first, at most [`MOST_FILES`].
    pub fn overlapping(
        &self,
        now: Wall,
        (from, to): (Wall, Wall),
        kind: Option<RecordKind>,
    ) -> Vec<File> {
        let wanted = |file: &File| {
            file.start < to && file.end > from && kind.is_none_or(|kind| kind == file.kind)
        };
        match self {
            Recordings::Files(files) => {
                let mut files: Vec<_> = files.iter().filter(|file| wanted(file)).cloned().collect();
                files.sort_by_key(|file| file.start);
                files.truncate(MOST_FILES);
                files
            }
            Recordings::Continuous {
                file,
                kept,
                alarm_every,
            } => continuous(now, (from, to), *file, *kept, *alarm_every)
                .filter(wanted)
                .take(MOST_FILES)
                .collect(),
        }
    }
}

/// The files of a stretch of time, the one that is being written ending now.
fn continuous(
    now: Wall,
    (from, to): (Wall, Wall),
    file: Duration,
    kept: Duration,
    alarm_every: u32,
) -> impl Iterator<Item = File> {
    let length = micros(file).max(1_000_000);
    let oldest = now.as_micros().saturating_sub(micros(kept));
    let begin = from.as_micros().max(oldest).saturating_sub(MIDNIGHT);
    let end = to.as_micros().min(now.as_micros()).saturating_sub(MIDNIGHT);
    let numbers = begin.div_euclid(length)..=end.div_euclid(length);
    numbers.filter_map(move |number| {
        let start = number.saturating_mul(length).saturating_add(MIDNIGHT);
        let end = start.saturating_add(length).min(now.as_micros());
        let alarm = alarm_every > 0 && number.rem_euclid(i64::from(alarm_every)) == 0;
        // What is older than is kept is gone whole; what has just begun is no file yet.
        let exists = start >= oldest && end - start >= 1_000_000;
        exists.then_some(File {
            start: Wall::from_micros(start),
            end: Wall::from_micros(end),
            kind: match alarm {
                true => RecordKind::Alarm,
                false => RecordKind::Time,
            },
            source: None,
        })
    })
}

fn micros(length: Duration) -> i64 {
    i64::try_from(length.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gb28181::time;

    const NOW: Wall = Wall::from_seconds(1_714_808_977);

    fn at(text: &str) -> Wall {
        time::parse(text).unwrap()
    }

    fn files(from: &str, to: &str, kind: Option<RecordKind>) -> Vec<(String, String)> {
        let found = Recordings::THREE_DAYS.overlapping(NOW, (at(from), at(to)), kind);
        let times = found
            .iter()
            .map(|f| (time::local(f.start), time::local(f.end)));
        times.collect()
    }

    fn pair(start: &str, end: &str) -> (String, String) {
        (start.to_owned(), end.to_owned())
    }

    #[test]
    fn files_that_overlap_are_told_whole_and_the_one_being_written_ends_now() {
        assert_eq!(
            files("2024-05-04T14:43:16", "2024-05-04T23:00:00", None),
            [
                pair("2024-05-04T14:30:00", "2024-05-04T15:00:00"),
                pair("2024-05-04T15:00:00", "2024-05-04T15:30:00"),
                pair("2024-05-04T15:30:00", "2024-05-04T15:49:37"),
            ]
        );
    }

    #[test]
    fn an_absurd_range_has_what_is_kept_and_no_more() {
        let all = files("1970-01-01T00:00:00", "9998-12-31T23:59:59", None);
        assert_eq!(all.len(), 3 * 48);
        assert_eq!(all[0].0, "2024-05-01T16:00:00");
        let (first, last) = (Wall::from_micros(i64::MIN), Wall::from_micros(i64::MAX));
        let found = Recordings::THREE_DAYS.overlapping(NOW, (first, last), None);
        assert_eq!(found.len(), 3 * 48);
        let backwards = Recordings::THREE_DAYS.overlapping(NOW, (last, first), None);
        assert_eq!(backwards.len(), 0);
    }

    #[test]
    fn kinds_are_told_apart() {
        let (day, next) = ("2024-05-03T00:00:00", "2024-05-04T00:00:00");
        let alarms = files(day, next, Some(RecordKind::Alarm)).len();
        let times = files(day, next, Some(RecordKind::Time)).len();
        assert_eq!((alarms + times, alarms), (48, 5));
        assert_eq!(files(day, next, Some(RecordKind::Manual)), []);
    }

    #[test]
    fn what_was_never_kept_or_is_still_to_come_is_not_there() {
        assert_eq!(
            files("2024-04-01T00:00:00", "2024-04-30T00:00:00", None),
            []
        );
        assert_eq!(
            files("2024-05-05T00:00:00", "2024-05-06T00:00:00", None),
            []
        );
    }

    #[test]
    fn endless_files_are_bounded() {
        let seconds = Recordings::Continuous {
            file: Duration::from_secs(1),
            kept: Duration::MAX,
            alarm_every: 0,
        };
        let found = seconds.overlapping(NOW, (Wall::from_seconds(0), NOW), None);
        assert_eq!(found.len(), MOST_FILES);
    }
}

//! Storage cards: how they are, and their formatting (GB/T 28181-2022 §9.3, §9.5). What they are
//! is worked out when it is asked: nothing ticks.

use std::time::Duration;

use bytes::Bytes;

use crate::gb28181::manscdp::{Incoming as Document, SdCard, SdCardState};
use crate::time::Instant;

use super::config::Config;

/// How long a card takes to be formatted.
const FORMATTING: Duration = Duration::from_secs(20);
/// A card that is sold as one of 64 GB, in megabytes.
const CAPACITY: u32 = 60_906;
/// Of a card in use this much is free, in megabytes.
const FREE: u32 = 1_024;
/// The most cards that an answer tells.
const MOST: usize = 8;

/// When which cards were formatted. Nothing is kept before that.
#[derive(Default)]
pub(super) struct SdCards {
    since: Option<Box<[Option<Instant>; MOST]>>,
}

impl SdCards {
    /// Formats a card, or all of them (0). Whether there is any such.
    pub fn format(&mut self, now: Instant, config: &Config, card: u8) -> bool {
        if !config.profile.behaviour.tasks {
            return false;
        }
        let cards = match card {
            0 => 1..=count(config),
            card => card..=card,
        };
        if cards.is_empty() || *cards.end() > count(config) {
            return false;
        }
        let since = self.since.get_or_insert_default();
        for (formatted, id) in since.iter_mut().zip(1..) {
            if cards.contains(&id) {
                *formatted = Some(now);
            }
        }
        true
    }

    /// The answer to a query.
    pub fn answer(&self, now: Instant, config: &Config, document: &Document) -> Bytes {
        let cards: Vec<_> = (1..=count(config)).map(|id| self.card(now, id)).collect();
        let style = &config.profile.manscdp;
        style.sd_card_status(&document.sn, &document.device_id, &cards)
    }

    fn card(&self, now: Instant, id: u8) -> SdCard {
        let all = self.since.as_ref();
        let since = all.and_then(|all| *all.get(usize::from(id).checked_sub(1)?)?);
        let (state, progress, free) = match since.map(|since| now.since(since)) {
            None => (SdCardState::Ok, 100, FREE),
            Some(passed) if passed >= FORMATTING => (SdCardState::Ok, 100, CAPACITY),
            Some(passed) => {
                let done = passed.as_millis() * 100 / FORMATTING.as_millis();
                (SdCardState::Formatting, done as u8, 0)
            }
        };
        SdCard {
            id,
            name: format!("sd{id}"),
            state,
            progress,
            capacity: CAPACITY,
            free,
        }
    }
}

fn count(config: &Config) -> u8 {
    config.profile.device.sd_cards.min(MOST as u8)
}

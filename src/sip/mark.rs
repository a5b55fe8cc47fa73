//! Random text that says whose it is: with one socket shared by thousands of nodes, an answer
//! finds its node by the branch that the node made up, without a table of transactions.
//!
//! Each node has a number. The number and some chance are shuffled together with a key, so that
//! what goes on the wire looks like any token of the make: nine or ten digits, or 32 hexadecimal
//! ones, with no pattern. Who holds the key shuffles back.

use super::via::Via;

/// osip's random numbers: 31 bits, and never seen with fewer than nine digits.
pub(super) const DIGITS: std::ops::Range<u32> = 100_000_000..1 << 31;

/// How many such numbers there are.
const NUMBERS: u32 = DIGITS.end - DIGITS.start;

/// What turns tokens into numbers of nodes and back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marks {
    key: u64,
    nodes: u32,
}

/// One node's way to make its tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    marks: Marks,
    node: u32,
}

impl Marks {
    /// How many nodes can be told apart and still have thousands of decimal tokens each.
    pub const MAX_NODES: u32 = 1 << 18;

    /// Marks for `nodes` nodes, at most [`MAX_NODES`](Self::MAX_NODES). A decimal token has room
    /// for two thousand million values; each node gets an equal part of them.
    pub fn new(seed: u64, nodes: u32) -> Marks {
        Marks {
            key: mix(seed),
            nodes: nodes.clamp(1, Self::MAX_NODES),
        }
    }

    /// How many nodes can be told apart.
    pub fn nodes(&self) -> u32 {
        self.nodes
    }

    /// The mark of a node, numbered from 0; `None` beyond the last.
    pub fn of(&self, node: u32) -> Option<Mark> {
        (node < self.nodes).then_some(Mark { marks: *self, node })
    }

    /// The node that made `token`: a branch, a tag or a Call-ID. A decimal one that nobody here
    /// made may seem to be somebody's; a hexadecimal one practically never.
    pub fn read(&self, token: &str) -> Option<u32> {
        let head = token.get(..Via::COOKIE.len());
        let cookie = head.is_some_and(|head| head.eq_ignore_ascii_case(Via::COOKIE));
        let token = if cookie {
            &token[Via::COOKIE.len()..]
        } else {
            token
        };
        let token = token.split('@').next().unwrap_or(token);
        let node = match token.len() {
            9 | 10 => self.read_digits(token)?,
            32 => self.read_hex(token)?,
            _ => return None,
        };
        (node < self.nodes).then_some(node)
    }

    fn read_digits(&self, token: &str) -> Option<u32> {
        let number: u32 = token.parse().ok()?;
        let shuffled = number.checked_sub(DIGITS.start)?;
        (shuffled < NUMBERS).then(|| self.unshuffle(shuffled) / self.room())
    }

    fn read_hex(&self, token: &str) -> Option<u32> {
        let number = u128::from_str_radix(token, 16).ok()?;
        let (chance, rest) = ((number >> 64) as u64, number as u64);
        let node = (rest ^ mix(chance ^ self.key)) as u32;
        (self.seal(chance, node) == rest).then_some(node)
    }

    /// How many decimal tokens each node has.
    fn room(&self) -> u32 {
        NUMBERS / self.nodes
    }

    /// The lower half of a hexadecimal token: the node's number and a check of it.
    fn seal(&self, chance: u64, node: u32) -> u64 {
        let check = mix(chance ^ self.key.rotate_left(17) ^ u64::from(node)) & !0xffff_ffff;
        (check | u64::from(node)) ^ mix(chance ^ self.key)
    }

    /// A permutation of the decimal tokens: a four-round Feistel network on 32 bits, walked until
    /// it comes to one of them.
    fn shuffle(&self, number: u32) -> u32 {
        walk(number, |at| {
            let rounds = 0..4;
            rounds.fold(at, |at, round| {
                let (left, right) = (at >> 16, at & 0xffff);
                (right << 16) | (left ^ self.round(round, right))
            })
        })
    }

    fn unshuffle(&self, number: u32) -> u32 {
        walk(number, |at| {
            let rounds = (0..4).rev();
            rounds.fold(at, |at, round| {
                let (left, right) = (at >> 16, at & 0xffff);
                ((right ^ self.round(round, left)) << 16) | left
            })
        })
    }

    fn round(&self, round: u64, half: u32) -> u32 {
        mix(self.key ^ (round << 32) ^ u64::from(half)) as u32 & 0xffff
    }
}

impl Mark {
    /// Nine or ten digits.
    pub(super) fn digits(&self, chance: u32) -> String {
        let room = self.marks.room();
        let number = self.node * room + chance % room;
        (DIGITS.start + self.marks.shuffle(number)).to_string()
    }

    /// 32 hexadecimal digits.
    pub(super) fn hex32(&self, chance: u64) -> String {
        let rest = self.marks.seal(chance, self.node);
        format!("{chance:016x}{rest:016x}")
    }
}

/// Steps until a legal number is met; being a permutation, the steps come round to one.
fn walk(number: u32, step: impl Fn(u32) -> u32) -> u32 {
    let mut at = step(number);
    while at >= NUMBERS {
        at = step(at);
    }
    at
}

/// The finaliser of splitmix64.
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::super::style::{CallIdStyle, Style, TokenStyle};
    use super::super::tokens::Tokens;
    use super::*;

    fn styles() -> [Style; 2] {
        let osip = Style {
            tag: TokenStyle::Decimal,
            branch: TokenStyle::Decimal,
            call_id: CallIdStyle::DigitsAtIp,
            ..Style::default()
        };
        [osip, Style::default()]
    }

    #[test]
    fn every_token_of_a_marked_node_tells_whose_it_is_and_looks_like_its_makes() {
        let ip = "192.168.6.71".parse().unwrap();
        for style in styles() {
            let marks = Marks::new(7, 10_000);
            for node in [0, 1, 4_711, 9_999] {
                let mut tokens = Tokens::seeded(3).marked(marks.of(node).unwrap());
                let mut plain = Tokens::seeded(3);
                for _ in 0..50 {
                    let tag = tokens.tag(&style);
                    assert!((plain.tag(&style).len()).abs_diff(tag.len()) <= 1);
                    assert!(tag.bytes().all(|b| b.is_ascii_hexdigit()));
                    assert_eq!(marks.read(&tag), Some(node), "{tag}");
                    assert_eq!(marks.read(&tokens.branch(&style)), Some(node));
                    assert_eq!(marks.read(&tokens.call_id(&style, ip)), Some(node));
                }
            }
        }
    }

    #[test]
    fn neighbours_have_nothing_in_common() {
        let marks = Marks::new(1, 10_000);
        let number = |node, chance| marks.of(node).unwrap().digits(chance);
        let near: u32 = number(5, 0).parse().unwrap();
        let next: u32 = number(5, 1).parse().unwrap();
        let neighbour: u32 = number(6, 0).parse().unwrap();
        assert!(near.abs_diff(next) > 1_000 && near.abs_diff(neighbour) > 1_000);
        let of_one: HashSet<_> = (0..1_000).map(|chance| number(5, chance)).collect();
        assert_eq!(of_one.len(), 1_000);
    }

    #[test]
    fn there_is_no_mark_beyond_the_last_node() {
        let marks = Marks::new(1, 3);
        assert!(marks.of(2).is_some() && marks.of(3).is_none());
        assert_eq!(Marks::new(1, u32::MAX).nodes(), Marks::MAX_NODES);
        assert_eq!(Marks::new(1, 0).nodes(), 1);
    }

    #[test]
    fn what_others_made_up_is_nobodys_or_somebodys_but_no_panic() {
        let marks = Marks::new(1, 3);
        let other = Marks::new(2, 3).of(1).unwrap();
        assert_eq!(marks.read(&other.hex32(9)), None);
        for text in [
            "",
            "z9hG4bK",
            "12345678",
            "4294967295",
            "99999999999",
            "+23456789",
            "ü12345678",
        ] {
            assert_eq!(marks.read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn shuffling_back_is_the_opposite_of_shuffling(seed: u64, number in 0..NUMBERS) {
            let marks = Marks::new(seed, 1);
            let shuffled = marks.shuffle(number);
            prop_assert!(shuffled < NUMBERS);
            prop_assert_eq!(marks.unshuffle(shuffled), number);
        }

        #[test]
        fn any_text_can_be_read(text: String) {
            let _ = Marks::new(1, 9).read(&text);
        }
    }
}

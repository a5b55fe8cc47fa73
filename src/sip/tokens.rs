//! Random text: tags, branches, Call-IDs, nonces. The only chance in SIP.

use std::collections::VecDeque;
use std::fmt;
use std::net::IpAddr;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

use super::mark::{DIGITS, Mark};
use super::style::{CallIdStyle, Style, TokenStyle};
use super::via::Via;

/// What a piece of random text is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// A From or To tag.
    Tag,
    /// A whole branch, cookie included.
    Branch,
    /// A whole Call-ID.
    CallId,
    /// A digest client's nonce.
    Cnonce,
    /// A digest server's nonce.
    Nonce,
    /// The session number in the `o=` of an answer.
    Session,
}

/// Makes all random text of one node. The same seed and the same questions give the same text.
pub struct Tokens {
    rng: Xoshiro256PlusPlus,
    mark: Option<Mark>,
    script: VecDeque<(Token, String)>,
}

impl Tokens {
    /// Text that follows from `seed`.
    pub fn seeded(seed: u64) -> Self {
        Tokens {
            rng: Xoshiro256PlusPlus::seed_from_u64(seed),
            mark: None,
            script: VecDeque::new(),
        }
    }

    /// The same, but tags, branches and Call-IDs tell whose they are to who holds the
    /// [`Marks`](super::Marks).
    pub fn marked(mut self, mark: Mark) -> Self {
        self.mark = Some(mark);
        self
    }

    /// Queues `text` as the next token of its kind: a replay says what a capture says.
    pub fn script(&mut self, token: Token, text: impl Into<String>) {
        self.script.push_back((token, text.into()));
    }

    /// A new tag.
    pub fn tag(&mut self, style: &Style) -> String {
        self.scripted(Token::Tag)
            .unwrap_or_else(|| self.token(style.tag))
    }

    /// A new branch with its cookie.
    pub fn branch(&mut self, style: &Style) -> String {
        let fresh = |tokens: &mut Self| Via::COOKIE.to_owned() + &tokens.token(style.branch);
        self.scripted(Token::Branch).unwrap_or_else(|| fresh(self))
    }

    /// A new Call-ID of a node at `ip`.
    pub fn call_id(&mut self, style: &Style, ip: IpAddr) -> String {
        if let Some(text) = self.scripted(Token::CallId) {
            return text;
        }
        match style.call_id {
            CallIdStyle::Hex32 => self.token(TokenStyle::Hex32),
            CallIdStyle::Digits => self.token(TokenStyle::Decimal),
            CallIdStyle::DigitsAtIp => format!("{}@{ip}", self.token(TokenStyle::Decimal)),
        }
    }

    /// A new nonce of a digest client.
    pub fn cnonce(&mut self) -> String {
        let fresh = |tokens: &mut Self| format!("{:08x}", tokens.rng.random::<u32>());
        self.scripted(Token::Cnonce).unwrap_or_else(|| fresh(self))
    }

    /// A new nonce of a digest server.
    pub fn nonce(&mut self) -> String {
        self.scripted(Token::Nonce).unwrap_or_else(|| self.hex32())
    }

    /// A new session number for an `o=` line: a few digits, as Hikvision writes them.
    pub fn session(&mut self) -> String {
        let fresh = |tokens: &mut Self| tokens.rng.random_range(100..10_000).to_string();
        self.scripted(Token::Session).unwrap_or_else(|| fresh(self))
    }

    fn scripted(&mut self, token: Token) -> Option<String> {
        let at = self.script.iter().position(|(kind, _)| *kind == token)?;
        self.script.remove(at).map(|(_, text)| text)
    }

    fn token(&mut self, style: TokenStyle) -> String {
        match (style, self.mark) {
            (TokenStyle::Hex32, None) => self.hex32(),
            (TokenStyle::Hex32, Some(mark)) => mark.hex32(self.rng.random()),
            (TokenStyle::Decimal, None) => self.digits(),
            (TokenStyle::Decimal, Some(mark)) => mark.digits(self.rng.random()),
        }
    }

    fn hex32(&mut self) -> String {
        format!("{:032x}", self.rng.random::<u128>())
    }

    /// osip's random number: 31 bits, and never seen with fewer than nine digits.
    fn digits(&mut self) -> String {
        self.rng.random_range(DIGITS).to_string()
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("script", &self.script)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits(text: &str) -> bool {
        (9..=10).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
    }

    #[test]
    fn the_same_seed_gives_the_same_text() {
        let style = Style::default();
        let mut texts = [7, 7, 8].map(|seed| Tokens::seeded(seed).tag(&style));
        assert_eq!(texts[0], texts[1]);
        assert_ne!(texts[1], texts[2]);
        texts[0].retain(|c| c.is_ascii_hexdigit());
        assert_eq!(texts[0].len(), 32);
    }

    #[test]
    fn osip_makes_write_nine_or_ten_digits() {
        let style = Style {
            tag: TokenStyle::Decimal,
            branch: TokenStyle::Decimal,
            call_id: CallIdStyle::DigitsAtIp,
            ..Style::default()
        };
        let mut tokens = Tokens::seeded(1);
        for _ in 0..200 {
            assert!(digits(&tokens.tag(&style)));
            assert!(
                tokens
                    .branch(&style)
                    .strip_prefix("z9hG4bK")
                    .is_some_and(digits)
            );
            let call_id = tokens.call_id(&style, "192.168.6.71".parse().unwrap());
            assert!(call_id.strip_suffix("@192.168.6.71").is_some_and(digits));
        }
    }

    #[test]
    fn a_script_is_spoken_first_each_kind_in_its_order() {
        let mut tokens = Tokens::seeded(1);
        tokens.script(Token::Branch, "z9hG4bK1251336551");
        tokens.script(Token::Tag, "668718229");
        tokens.script(Token::Tag, "2");
        let style = Style::default();
        assert_eq!(tokens.tag(&style), "668718229");
        assert_eq!(tokens.branch(&style), "z9hG4bK1251336551");
        assert_eq!(tokens.tag(&style), "2");
        assert_eq!(tokens.tag(&style).len(), 32);
        assert_eq!(tokens.cnonce().len(), 8);
    }
}

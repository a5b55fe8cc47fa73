//! Header text that loses no octet.
//!
//! Devices put GB2312 octets into display names, subjects and reason phrases. A header value is a
//! `String` here, so every octet that is not UTF-8 travels as one private-use character and becomes
//! the same octet again when the message is written.

use std::borrow::Cow;

/// First carrier: U+10FE80 stands for octet 0x80, U+10FEFF for 0xFF.
const CARRIER: u32 = 0x10_FE00;

/// The lead octet of every carrier in UTF-8. Text without it carries nothing.
const LEAD: u8 = 0xF4;

/// Text for `octets`, whatever they are. [`put`] gives the octets back.
pub(super) fn text(octets: &[u8]) -> String {
    match std::str::from_utf8(octets) {
        Ok(text) if memchr::memchr(LEAD, octets).is_none() => text.to_owned(),
        _ => carry(octets),
    }
}

fn carry(octets: &[u8]) -> String {
    let mut out = String::with_capacity(octets.len() * 2);
    for chunk in octets.utf8_chunks() {
        for c in chunk.valid().chars() {
            if carried(c).is_some() {
                let mut utf8 = [0; 4];
                out.extend(c.encode_utf8(&mut utf8).bytes().map(carrier));
            } else {
                out.push(c);
            }
        }
        out.extend(chunk.invalid().iter().copied().map(carrier));
    }
    out
}

/// Appends the octets that `text` stands for. Line ends become spaces: no value can end its line.
pub(super) fn put(out: &mut Vec<u8>, text: &str) {
    let plain = |b: &u8| *b != LEAD && *b != b'\r' && *b != b'\n';
    if text.as_bytes().iter().all(plain) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    for c in text.chars() {
        match (c, carried(c)) {
            ('\r' | '\n', _) => out.push(b' '),
            (_, Some(octet)) => out.push(octet),
            _ => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

/// What a person should see: carried octets read as GB 18030.
pub fn readable(text: &str) -> Cow<'_, str> {
    if memchr::memchr(LEAD, text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut octets = Vec::with_capacity(text.len());
    put(&mut octets, text);
    let (decoded, _) = encoding_rs::GB18030.decode_without_bom_handling(&octets);
    Cow::Owned(decoded.into_owned())
}

/// The octet that `c` carries, if it is a carrier.
pub(super) fn carried(c: char) -> Option<u8> {
    let octet = u32::from(c).checked_sub(CARRIER)?;
    u8::try_from(octet).ok().filter(|octet| *octet >= 0x80)
}

fn carrier(octet: u8) -> char {
    char::from_u32(CARRIER + u32::from(octet)).unwrap_or(char::REPLACEMENT_CHARACTER)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn back(text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        put(&mut out, text);
        out
    }

    #[test]
    fn gb2312_octets_come_back_and_can_be_read() {
        let octets = b"\"\xC9\xE3\xCF\xF1\xBB\xFA\" <sip:1@2>";
        assert_eq!(back(&text(octets)), octets);
        assert_eq!(readable(&text(octets)), "\"摄像机\" <sip:1@2>");
    }

    #[test]
    fn utf8_text_stays_as_it_is() {
        assert_eq!(text("摄像机".as_bytes()), "摄像机");
        assert_eq!(readable("摄像机"), "摄像机");
    }

    #[test]
    fn a_value_cannot_end_its_line() {
        assert_eq!(back("a\r\nb: c"), b"a  b: c");
    }

    proptest! {
        #[test]
        fn no_octet_is_lost(octets: Vec<u8>) {
            prop_assume!(!octets.contains(&b'\r') && !octets.contains(&b'\n'));
            prop_assert_eq!(back(&text(&octets)), octets);
        }

        #[test]
        fn a_carrier_sent_as_utf8_comes_back_as_the_same_utf8(c in proptest::char::range('\u{10FE70}', '\u{10FF10}')) {
            let octets = format!("x{c}y").into_bytes();
            prop_assert_eq!(back(&text(&octets)), octets);
        }
    }
}

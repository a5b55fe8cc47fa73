//! Octets to text and back, as tolerantly as platforms are careless (GB/T 28181: GB 2312 in
//! 2016, GB 18030 in 2022, and UTF-8 in practice).

use bytes::Bytes;
use encoding_rs::{EncoderResult, Encoding, GB18030, GBK};
use serde::Deserialize;

/// In which charset bodies are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Charset {
    /// GB 2312 as the 2016 edition asks, written as its superset GBK like every device does.
    #[default]
    Gb2312,
    /// GB 18030, asked for by the 2022 edition.
    Gb18030,
    /// UTF-8, for platforms that want it.
    Utf8,
}

/// The octets of `text`.
///
/// A character that the charset cannot hold becomes one `?`, as it does on a device: never a
/// reference such as `&#128512;`, which would turn up in names as garbage.
pub fn encode(text: &str, charset: Charset) -> Bytes {
    match charset {
        Charset::Utf8 => Bytes::copy_from_slice(text.as_bytes()),
        Charset::Gb2312 => encode_with(text, GBK),
        Charset::Gb18030 => encode_with(text, GB18030),
    }
}

fn encode_with(text: &str, encoding: &'static Encoding) -> Bytes {
    if text.is_ascii() {
        return Bytes::copy_from_slice(text.as_bytes());
    }
    let mut encoder = encoding.new_encoder();
    let mut octets = Vec::with_capacity(text.len() * 2 + 16);
    let mut rest = text;
    loop {
        let (result, read) =
            encoder.encode_from_utf8_to_vec_without_replacement(rest, &mut octets, true);
        rest = rest.get(read..).unwrap_or_default();
        match result {
            EncoderResult::InputEmpty => return octets.into(),
            EncoderResult::OutputFull => octets.reserve(rest.len() * 2 + 16),
            EncoderResult::Unmappable(_) => octets.push(b'?'),
        }
    }
}

/// The text in `octets`, without byte order mark and trailing NULs.
///
/// UTF-8 when the XML prolog says so or when it is plainly that; else GB 18030, which contains
/// GBK and GB 2312. Text whose only non-ASCII characters are two-octet UTF-8 is read as GB 18030:
/// Chinese takes three octets in UTF-8, while many two-character names in GBK are valid UTF-8 by
/// accident. Octets that fit nothing become U+FFFD.
pub fn decode(octets: &[u8]) -> String {
    let octets = octets.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(octets);
    let end = octets.iter().rposition(|octet| *octet != 0);
    let octets = octets
        .get(..end.map_or(0, |end| end + 1))
        .unwrap_or_default();
    if declares_utf8(octets) {
        return String::from_utf8_lossy(octets).into_owned();
    }
    match std::str::from_utf8(octets) {
        Ok(text) if text.is_ascii() || text.chars().any(|c| c >= '\u{800}') => text.to_owned(),
        _ => GB18030.decode_without_bom_handling(octets).0.into_owned(),
    }
}

/// Whether an XML declaration within the first octets names UTF-8, even a broken one.
fn declares_utf8(octets: &[u8]) -> bool {
    let head = octets.get(..octets.len().min(128)).unwrap_or_default();
    let head = head.to_ascii_lowercase();
    let Some(at) = memchr::memmem::find(&head, b"encoding") else {
        return false;
    };
    let value = head.get(at + b"encoding".len()..).unwrap_or_default();
    let quote = |octet: &u8| b" \t=\"'".contains(octet);
    let skipped = value.iter().take_while(|octet| quote(octet)).count();
    let value = value.get(skipped..).unwrap_or_default();
    value.starts_with(b"utf-8") || value.starts_with(b"utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_text_is_written_as_gbk_and_read_back() {
        let octets = encode("大门 1", Charset::Gb2312);
        assert_eq!(&octets[..], b"\xB4\xF3\xC3\xC5 1");
        assert_eq!(decode(&octets), "大门 1");
    }

    #[test]
    fn a_character_that_gbk_cannot_hold_becomes_one_question_mark() {
        assert_eq!(&encode("a😀b€", Charset::Gb2312)[..], b"a?b\x80");
        assert_eq!(decode(&encode("a😀b", Charset::Gb18030)), "a😀b");
        assert_eq!(decode(&encode("门😀b", Charset::Utf8)), "门😀b");
    }

    #[test]
    fn text_is_utf8_if_the_prolog_says_so_or_if_it_plainly_is() {
        assert_eq!(
            decode("<?xml encoding='utf-8'?>é".as_bytes()),
            "<?xml encoding='utf-8'?>é"
        );
        assert_eq!(
            decode("?> encoding=\"UTF-8\"?>ü".as_bytes()),
            "?> encoding=\"UTF-8\"?>ü"
        );
        assert_eq!(decode("<a>大门</a>".as_bytes()), "<a>大门</a>");
    }

    #[test]
    fn gbk_that_happens_to_be_valid_utf8_is_still_gbk() {
        let octets = encode("摹", Charset::Gb2312);
        let two_octet = b"\xC4\xA3\xCA\xBD";
        assert!(std::str::from_utf8(two_octet).is_ok());
        assert_eq!(decode(two_octet), "模式");
        assert_eq!(decode(&octets), "摹");
    }

    #[test]
    fn a_byte_order_mark_and_trailing_nuls_are_not_text() {
        assert_eq!(decode(b"\xEF\xBB\xBF<a/>\r\n\0\0"), "<a/>\r\n");
        assert_eq!(decode(b"\0\0"), "");
    }
}

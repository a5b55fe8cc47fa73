//! What real devices wrote, byte for byte, out of styles as a profile would have them.

mod dahua_d_a;
mod dahua_d_b;
mod hikvision;
mod sdp;

use super::ManscdpStyle;
use super::manscdp::CatalogItem;

fn style(toml: &str) -> ManscdpStyle {
    toml::from_str(toml).unwrap()
}

/// Compares as text, so that a failure can be read.
fn assert_text(octets: &[u8], expected: &str) {
    assert_eq!(String::from_utf8_lossy(octets), expected);
}

/// Compares also with the length that the device gave in its `Content-Length`.
fn assert_octets(octets: &[u8], expected: &str, length: usize) {
    assert_text(octets, expected);
    assert_eq!(octets.len(), length);
}

fn channel() -> CatalogItem {
    CatalogItem {
        id: "34020000001310000001".into(),
        name: "DH71".into(),
        manufacturer: "Dahua".into(),
        model: "DH-SD-6C3230UE-HN".into(),
        civil_code: "340200".into(),
        parent_id: "34020000001320000002".into(),
        ..CatalogItem::default()
    }
}

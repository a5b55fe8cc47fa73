//! What a channel writes into its pictures (OSDConfig, GB/T 28181-2022 A.2.1).

use crate::gb28181::manscdp::ConfigType;
use crate::gb28181::{DeviceId, Element};

use super::settings::Settings;

impl Settings {
    /// The lines of text that a platform has told a channel to show. Where they stand in the
    /// picture is not kept: a still has its lines below each other.
    pub fn shown_texts(&self, channel: DeviceId) -> Vec<String> {
        let osd = self.written(channel, ConfigType::OsdConfig);
        osd.map(texts).unwrap_or_default()
    }
}

fn texts(osd: &Element) -> Vec<String> {
    if osd.text_of("TextEnable") == Some("0") {
        return Vec::new();
    }
    let items = osd.children.iter().filter(|child| child.name == "Item");
    let texts = items.filter_map(|item| item.text_of("Text"));
    texts.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn osd(enabled: &[&str]) -> Element {
        let flags = enabled
            .iter()
            .map(|flag| Element::leaf("TextEnable", *flag));
        let item = |text| Element::new("Item").with(Element::leaf("Text", text));
        let osd = flags.fold(Element::new("OSDConfig"), Element::with);
        osd.with(item("North gate")).with(item("Lane 2"))
    }

    #[test]
    fn texts_are_shown_unless_they_are_switched_off() {
        assert_eq!(texts(&osd(&[])), ["North gate", "Lane 2"]);
        assert_eq!(texts(&osd(&["1"])), ["North gate", "Lane 2"]);
        assert!(texts(&osd(&["0"])).is_empty());
    }
}

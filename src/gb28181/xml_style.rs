//! How a make writes XML: prolog, layout, line ends and charset.

use bytes::Bytes;
use serde::Deserialize;

use super::charset::{self, Charset};
use super::element::Element;

/// A make's handwriting in XML.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct XmlStyle {
    /// The XML declaration, as written. Empty: none.
    pub prolog: String,
    /// Line breaks and indentation.
    pub layout: Layout,
    /// What ends a line.
    pub newline: Newline,
    /// In which charset, whatever the prolog says.
    pub charset: Charset,
}

impl Default for XmlStyle {
    fn default() -> Self {
        XmlStyle {
            prolog: r#"<?xml version="1.0" encoding="GB2312"?>"#.to_owned(),
            layout: Layout::Flat,
            newline: Newline::Lf,
            charset: Charset::Gb2312,
        }
    }
}

/// Where lines break.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// A line per tag, four spaces per level, a newline at the end: older Dahua stacks.
    Indented,
    /// A line per tag, no indentation, a newline at the end: Hikvision, most platforms.
    #[default]
    Flat,
    /// All on one line without a newline at the end: newer Dahua stacks.
    OneLine,
}

/// What ends a line of XML.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Newline {
    /// LF: all devices seen.
    #[default]
    Lf,
    /// CR LF: eXosip-based platforms.
    Crlf,
}

impl XmlStyle {
    /// The whole document with `root` as its root element.
    pub fn write(&self, root: &Element) -> Bytes {
        let mut text = self.prolog.clone();
        if !text.is_empty() {
            text.push_str(self.newline());
        }
        self.element(&mut text, root, 0);
        charset::encode(&text, self.charset)
    }

    /// How many octets `element` takes as part of a document, `depth` levels below the root.
    pub fn octets(&self, element: &Element, depth: usize) -> usize {
        let mut text = String::new();
        self.element(&mut text, element, depth);
        charset::encode(&text, self.charset).len()
    }

    fn element(&self, text: &mut String, element: &Element, depth: usize) {
        self.indent(text, depth);
        text.extend(["<", &element.name]);
        for (name, value) in &element.attributes {
            text.extend([" ", name, "=\""]);
            escape(text, value, true);
            text.push('"');
        }
        text.push('>');
        escape(text, &element.text, false);
        if !element.children.is_empty() {
            text.push_str(self.newline());
            for child in &element.children {
                self.element(text, child, depth + 1);
            }
            self.indent(text, depth);
        }
        text.extend(["</", &element.name, ">", self.newline()]);
    }

    fn indent(&self, text: &mut String, depth: usize) {
        if self.layout == Layout::Indented {
            text.extend(std::iter::repeat_n("    ", depth));
        }
    }

    fn newline(&self) -> &'static str {
        match (self.layout, self.newline) {
            (Layout::OneLine, _) => "",
            (_, Newline::Lf) => "\n",
            (_, Newline::Crlf) => "\r\n",
        }
    }
}

/// Appends `raw` as character data. Control characters that XML 1.0 forbids are left out: no
/// escape could carry them.
fn escape(text: &mut String, raw: &str, in_attribute: bool) {
    for character in raw.chars() {
        match character {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' if in_attribute => text.push_str("&quot;"),
            '\t' | '\n' | '\r' => text.push(character),
            '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => {}
            _ => text.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn style(toml: &str) -> XmlStyle {
        toml::from_str(toml).unwrap()
    }

    #[test]
    fn a_newer_dahua_writes_one_line_without_a_newline() {
        let style = style(
            "prolog = '<?xml version=\"1.0\" encoding=\"GB2312\" standalone=\"yes\" ?>'\n\
             layout = 'one-line'",
        );
        let root = Element::new("Response")
            .with(Element::leaf("CmdType", "Broadcast"))
            .with(Element::leaf("SN", "17430"))
            .with(Element::leaf("DeviceID", "34020000001370000001"))
            .with(Element::leaf("Result", "OK"));
        let octets = style.write(&root);
        assert_eq!(
            &octets[..],
            b"<?xml version=\"1.0\" encoding=\"GB2312\" standalone=\"yes\" ?><Response>\
              <CmdType>Broadcast</CmdType><SN>17430</SN>\
              <DeviceID>34020000001370000001</DeviceID><Result>OK</Result></Response>"
                .as_slice()
        );
        assert_eq!(octets.len(), 180);
    }

    #[test]
    fn an_exosip_platform_writes_flat_lines_ending_in_cr_lf() {
        let style = style("prolog = '<?xml version=\"1.0\"?>'\nnewline = 'crlf'");
        let root = Element::new("Query")
            .with(Element::leaf("CmdType", "Catalog"))
            .with(Element::leaf("SN", "7"))
            .with(Element::leaf("DeviceID", "34020000001320000002"));
        let octets = style.write(&root);
        assert_eq!(octets.len(), 125);
        assert!(octets.starts_with(b"<?xml version=\"1.0\"?>\r\n<Query>\r\n<CmdType>"));
    }

    #[test]
    fn markup_in_names_is_escaped_and_forbidden_characters_are_left_out() {
        let style = style("prolog = ''\nlayout = 'one-line'");
        let mut root = Element::leaf("Name", "A&B <\"门\">\u{1}");
        root.attributes.push(("x".into(), "\"<'".into()));
        assert_eq!(
            charset::decode(&style.write(&root)),
            "<Name x=\"&quot;&lt;'\">A&amp;B &lt;\"门\"&gt;</Name>"
        );
    }

    #[test]
    fn a_missing_or_unknown_key_is_told_apart() {
        assert_eq!(style(""), XmlStyle::default());
        assert!(toml::from_str::<XmlStyle>("layuot = 'flat'").is_err());
        assert!(toml::from_str::<XmlStyle>("layout = 'round'").is_err());
    }

    fn tree() -> impl Strategy<Value = Element> {
        let text = "([a-zA-Z0-9&<>\"'大门预置点;#]( ?[a-z&<>\"'华东口;])?){0,6}";
        let leaf =
            ("[A-Z][a-zA-Z0-9]{0,8}", text).prop_map(|(name, text)| Element::leaf(name, text));
        leaf.prop_recursive(4, 24, 5, |inner| {
            let children = proptest::collection::vec(inner, 1..5);
            ("[A-Z][a-z]{0,8}", "[0-9&<>\"'门]{0,4}", children).prop_map(
                |(name, value, children)| Element {
                    name,
                    attributes: vec![("Num".into(), value)],
                    text: String::new(),
                    children,
                },
            )
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn what_is_written_is_read_back(
            root in tree(),
            layout in prop_oneof![Just(Layout::Indented), Just(Layout::Flat), Just(Layout::OneLine)],
            newline in prop_oneof![Just(Newline::Lf), Just(Newline::Crlf)],
            charset in prop_oneof![Just(Charset::Gb2312), Just(Charset::Gb18030), Just(Charset::Utf8)],
        ) {
            let style = XmlStyle { layout, newline, charset, ..XmlStyle::default() };
            prop_assert_eq!(Element::parse(&style.write(&root)).unwrap(), root);
        }
    }
}

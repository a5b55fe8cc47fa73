//! A small XML tree, read as leniently as MANSCDP needs.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::charset;

/// The largest body that is read, in octets.
pub const MAX_OCTETS: usize = 4 << 20;
/// How deep elements may be nested.
pub const MAX_DEPTH: usize = 32;
/// How many elements a body may have.
pub const MAX_ELEMENTS: usize = 200_000;
/// How many attributes one element may have.
pub const MAX_ATTRIBUTES: usize = 32;

/// An element with its attributes, its text and the elements in it, in their order.
///
/// The text is what stands directly in the element, without surrounding white space. Comments,
/// processing instructions and document types are not kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// The name, as written.
    pub name: String,
    /// Names and values, in order.
    pub attributes: Vec<(String, String)>,
    /// The text directly in the element.
    pub text: String,
    /// The elements directly in it.
    pub children: Vec<Element>,
}

/// Why a body is not XML that we read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// Not well-formed.
    #[error("not well-formed XML near octet {position} of the decoded text: {why}")]
    Syntax {
        /// Where, in octets of the text as UTF-8.
        position: u64,
        /// What the XML reader says.
        why: String,
    },
    /// No element at all.
    #[error("no XML element")]
    NoElement,
    /// The text ends inside this element.
    #[error("the text ends inside <{0}>")]
    Unclosed(String),
    /// More than this parser takes from the network.
    #[error("too large: more than {limit} {what}")]
    TooLarge {
        /// Of what.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
}

impl Element {
    /// An empty element.
    pub fn new(name: impl Into<String>) -> Self {
        Element {
            name: name.into(),
            ..Element::default()
        }
    }

    /// An element with text.
    pub fn leaf(name: impl Into<String>, text: impl Into<String>) -> Self {
        Element {
            name: name.into(),
            text: text.into(),
            ..Element::default()
        }
    }

    /// Reads the first element of a body in any charset (see [`charset::decode`]).
    ///
    /// Whatever stands before or after it is ignored, a broken prolog too. Entities that a
    /// document defines for itself are never expanded; an unknown `&name;` stays as it is.
    pub fn parse(body: &[u8]) -> Result<Element, XmlError> {
        if body.len() > MAX_OCTETS {
            return Err(too_large("octets", MAX_OCTETS));
        }
        let text = charset::decode(body);
        Parser::default().read(without_declaration(&text))
    }

    /// The first element of this name directly in this one.
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// All elements of this name directly in this one.
    pub fn children_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of the first child of this name. An empty element counts as absent.
    pub fn text_of(&self, name: &str) -> Option<&str> {
        let text = self.child(name)?.text.as_str();
        (!text.is_empty()).then_some(text)
    }

    /// The value of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let mut all = self.attributes.iter();
        all.find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// This element with one more child.
    pub fn with(mut self, child: Element) -> Self {
        self.children.push(child);
        self
    }
}

/// The tree while it is read: elements that are still open, outermost first.
#[derive(Default)]
struct Parser {
    open: Vec<Element>,
    elements: usize,
}

impl Parser {
    fn read(mut self, text: &str) -> Result<Element, XmlError> {
        let mut reader = Reader::from_str(text);
        reader.config_mut().allow_dangling_amp = true;
        loop {
            let event = reader.read_event().map_err(|error| XmlError::Syntax {
                position: reader.error_position(),
                why: shortened(&error.to_string()),
            })?;
            let closed = match event {
                Event::Start(tag) => {
                    self.start(&tag)?;
                    None
                }
                Event::Empty(tag) => {
                    self.start(&tag)?;
                    self.end()
                }
                Event::End(_) => self.end(),
                Event::Eof => return Err(self.unclosed()),
                other => {
                    self.text(other);
                    None
                }
            };
            if let Some(root) = closed {
                return Ok(root);
            }
        }
    }

    fn start(&mut self, tag: &BytesStart<'_>) -> Result<(), XmlError> {
        self.elements += 1;
        if self.elements > MAX_ELEMENTS {
            return Err(too_large("elements", MAX_ELEMENTS));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(too_large("levels", MAX_DEPTH));
        }
        let mut element = Element::new(tag.name().as_ref());
        for attribute in tag.attributes().with_checks(false).flatten() {
            if element.attributes.len() >= MAX_ATTRIBUTES {
                return Err(too_large("attributes", MAX_ATTRIBUTES));
            }
            let name = attribute.key.as_ref().to_owned();
            element.attributes.push((name, resolved(&attribute.value)));
        }
        self.open.push(element);
        Ok(())
    }

    /// Closes the innermost element; the root is handed out.
    fn end(&mut self) -> Option<Element> {
        let mut element = self.open.pop()?;
        let trimmed = element.text.trim();
        if trimmed.len() != element.text.len() {
            element.text = trimmed.to_owned();
        }
        match self.open.last_mut() {
            Some(parent) => {
                parent.children.push(element);
                None
            }
            None => Some(element),
        }
    }

    fn text(&mut self, event: Event<'_>) {
        let Some(element) = self.open.last_mut() else {
            return;
        };
        match event {
            Event::Text(text) => element.text.push_str(&text),
            Event::CData(text) => element.text.push_str(&text),
            Event::GeneralRef(reference) => push_reference(&mut element.text, &reference),
            _ => {}
        }
    }

    fn unclosed(mut self) -> XmlError {
        match self.open.pop() {
            Some(element) => XmlError::Unclosed(shortened(&element.name)),
            None => XmlError::NoElement,
        }
    }
}

/// What follows an XML declaration, even one that does not end as it should.
fn without_declaration(text: &str) -> &str {
    let declared = text.trim_start().strip_prefix("<?xml");
    let body = declared.and_then(|text| text.split_once('>'));
    body.map_or(text, |(_, body)| body)
}

fn too_large(what: &'static str, limit: usize) -> XmlError {
    XmlError::TooLarge { what, limit }
}

/// At most 80 characters: errors are logged, and what they quote came from the network.
fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}

/// An attribute's value with its references resolved.
fn resolved(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once('&') {
        text.push_str(before);
        rest = match after.split_once(';') {
            Some((name, tail)) if name.len() <= 8 => {
                push_reference(&mut text, name);
                tail
            }
            _ => {
                text.push('&');
                after
            }
        };
    }
    text.push_str(rest);
    text
}

/// Appends what `&name;` stands for: one of XML's five, a character, or itself.
fn push_reference(text: &mut String, name: &str) {
    match character(name) {
        Some(character) => text.push(character),
        None => text.extend(["&", name, ";"]),
    }
}

fn character(name: &str) -> Option<char> {
    let code = match name {
        "amp" => return Some('&'),
        "lt" => return Some('<'),
        "gt" => return Some('>'),
        "quot" => return Some('"'),
        "apos" => return Some('\''),
        _ => name.strip_prefix('#')?,
    };
    let number = match code.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => code.parse(),
    };
    char::from_u32(number.ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<Element, XmlError> {
        Element::parse(text.as_bytes())
    }

    #[test]
    fn elements_attributes_and_text_are_found() {
        let root = parse(
            "<?xml version=\"1.0\"?>\r\n<Response>\r\n<SumNum> 1 </SumNum>\
             <DeviceList Num=\"1\" x='a&amp;b'><Item><Name>A&lt;B &#x95E8;<![CDATA[<&>]]></Name>\
             <Port/></Item></DeviceList></Response>\0\0",
        )
        .unwrap();
        assert_eq!(root.text_of("SumNum"), Some("1"));
        let list = root.child("DeviceList").unwrap();
        assert_eq!(
            (list.attribute("Num"), list.attribute("x")),
            (Some("1"), Some("a&b"))
        );
        let item = list.children_named("Item").next().unwrap();
        assert_eq!(item.text_of("Name"), Some("A<B 门<&>"));
        assert!(item.child("Port").is_some());
        assert_eq!(
            item.text_of("Port"),
            None,
            "an empty element counts as absent"
        );
    }

    #[test]
    fn the_prolog_never_fails() {
        for prolog in [
            "",
            "\r\n\r\n",
            "\u{feff}",
            "<?xml version=\"1.0\" encoding=\"nonsense\"?>",
            "<?xml version=\"1.0\"?> encoding=\"UTF-8\"?>\n",
            "<?xml version=\"1.0\">",
            "\r\n<?xml version='1.0' ? >",
            "<!-- hello -->",
        ] {
            let root = parse(&format!("{prolog}<Query><SN>1</SN></Query>"));
            assert_eq!(root.unwrap().text_of("SN"), Some("1"), "{prolog}");
        }
    }

    #[test]
    fn a_bare_ampersand_and_unknown_entities_are_text() {
        let root = parse("<a><b>R&D</b><c>&company; &#0; &#xD800;</c></a>").unwrap();
        assert_eq!(root.text_of("b"), Some("R&D"));
        assert!(root.text_of("c").unwrap().starts_with("&company;"));
    }

    #[test]
    fn entities_of_a_document_type_are_never_expanded() {
        let bomb = "<!DOCTYPE a [<!ENTITY x \"0123456789\"><!ENTITY y \"&x;&x;&x;&x;\">\
                    <!ENTITY z SYSTEM \"file:///etc/passwd\">]><a><b>&y;&z;</b></a>";
        assert_eq!(parse(bomb).unwrap().text_of("b"), Some("&y;&z;"));
    }

    #[test]
    fn what_is_not_xml_is_an_error_that_says_where() {
        assert_eq!(parse(""), Err(XmlError::NoElement));
        assert_eq!(parse("hello"), Err(XmlError::NoElement));
        assert_eq!(parse("<a><b>1"), Err(XmlError::Unclosed("b".into())));
        let mismatch = parse("<a><b>1</a>").unwrap_err();
        assert!(mismatch.to_string().contains("octet"), "{mismatch}");
    }

    #[test]
    fn nesting_and_sizes_are_limited() {
        let deep = "<a>".repeat(200_000);
        assert_eq!(parse(&deep), Err(too_large("levels", MAX_DEPTH)));
        let attributes: String = (0..1000).map(|n| format!(" a{n}='1'")).collect();
        let many = parse(&format!("<a{attributes}/>"));
        assert_eq!(many, Err(too_large("attributes", MAX_ATTRIBUTES)));
        let wide = format!("<a x=\"{}\"/>", "y".repeat(1 << 20));
        assert_eq!(
            parse(&wide).unwrap().attribute("x").map(str::len),
            Some(1 << 20)
        );
        let huge = vec![b' '; MAX_OCTETS + 1];
        assert_eq!(Element::parse(&huge), Err(too_large("octets", MAX_OCTETS)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn any_octets_return(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Element::parse(&octets);
        }

        #[test]
        fn anything_that_looks_like_xml_returns(text in "(<|>|/|&|;|#x|a|=|\"|'|!|\\[|CDATA|-|\\?|门| ){0,80}") {
            let _ = Element::parse(text.as_bytes());
        }
    }
}

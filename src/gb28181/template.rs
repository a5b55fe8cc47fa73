//! How a make's own fields, in its own order and spelling, are data.
//!
//! A template is a list of lines. A line is literal text with placeholders:
//!
//! ```text
//! {name}        the value of the fact `name`; if it has none, the whole line is left out
//! {name|text}   the value, or `text` (which may be empty) if it has none
//! {{  }}        a brace
//! ```
//!
//! An empty value counts as none, so nothing is ever written empty by accident. Which names there
//! are is told by the facts a template is for ([`Facts::NAMES`]); a name that is not among them is
//! an error when the template is loaded. A list of facts, `alarm` say, has the placeholders
//! `{alarm.count}` (none if the list is empty) and, in lines repeated for its entries,
//! `{alarm.id}` and so on.
//!
//! [`LineTemplate`] is just that, for SDP. [`XmlTemplate`] gives each line a path:
//!
//! ```text
//! Name={name}                            <Name>…</Name>
//! Password=                              <Password></Password>
//! Info/PTZType=3                         <Info><PTZType>3</PTZType></Info>
//! Alarmstatus@Num={alarm.count}          <Alarmstatus Num="2">
//! Alarmstatus/Item[alarm]/ID={alarm.id}  one <Item> per entry of the list `alarm`
//! ```
//!
//! Neighbouring lines that start with the same path share its elements. An element is written if
//! anything in it is: an attribute, a text (even an empty literal), a child.

mod lines;
mod text;
mod xml;

use std::borrow::Cow;

pub use lines::LineTemplate;
pub use xml::XmlTemplate;

/// Plain data that fills templates.
pub trait Facts {
    /// The placeholders there are.
    const NAMES: &'static [&'static str];
    /// The lists there are, each with the placeholders of its entries.
    const LISTS: &'static [(&'static str, &'static [&'static str])] = &[];

    /// The value of one of [`Facts::NAMES`].
    fn value(&self, name: &str) -> Option<Cow<'_, str>>;

    /// How many entries a list has.
    fn count(&self, _list: &str) -> usize {
        0
    }

    /// The value of a placeholder of the entry at `index`.
    fn entry(&self, _list: &str, _index: usize, _name: &str) -> Option<Cow<'_, str>> {
        None
    }
}

/// What is wrong with a line of a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("in the line \"{line}\": {why}")]
pub struct TemplateError {
    /// The line.
    pub line: String,
    /// What is wrong with it.
    pub why: TemplateFault,
}

/// A mistake in a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateFault {
    /// A placeholder that these facts do not have.
    #[error("there is no placeholder {{{name}}}; there are: {known}")]
    UnknownPlaceholder {
        /// The name.
        name: String,
        /// The names there are.
        known: String,
    },
    /// A list that these facts do not have.
    #[error("there is no list [{name}]; there are: {known}")]
    UnknownList {
        /// The name.
        name: String,
        /// The lists there are.
        known: String,
    },
    /// An entry's placeholder in a line that is not repeated for this list.
    #[error("{{{0}}} stands outside of an element that is repeated for its list")]
    OutsideList(String),
    /// A brace without its partner.
    #[error("a brace without its partner (write {{{{ or }}}} for a literal one)")]
    Brace,
    /// A path that does not name an element.
    #[error("\"{0}\" is not an element's name")]
    Name(String),
    /// A list inside a list.
    #[error("a list inside a list")]
    NestedList,
    /// An element with text and children at once.
    #[error("<{0}> has text and elements at once")]
    MixedContent(String),
    /// A line without `=`.
    #[error("no \"=\" after the path")]
    NoEquals,
    /// A line break where none may be.
    #[error("a line break")]
    LineBreak,
    /// SDP lines look like `x=…`.
    #[error("an SDP line starts with one letter and \"=\"")]
    NotSdp,
}

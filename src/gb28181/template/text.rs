//! Text with placeholders.

use std::borrow::Cow;

use super::{Facts, TemplateFault};

/// Literal text and placeholders, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Text(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Value {
        name: Name,
        otherwise: Option<String>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Name {
    Fact(String),
    Count(String),
    Entry { list: String, name: String },
}

/// The list, and the entry of it, that a line is being repeated for.
pub(super) type Entry<'a> = Option<(&'a str, usize)>;

impl Text {
    /// Reads `text`, which is repeated for the entries of `list` if one is given.
    pub(super) fn parse<F: Facts>(text: &str, list: Option<&str>) -> Result<Text, TemplateFault> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, brace) = rest.split_at(at);
            literal.push_str(before);
            if let Some(after) = brace.strip_prefix("{{") {
                literal.push('{');
                rest = after;
            } else if let Some(after) = brace.strip_prefix("}}") {
                literal.push('}');
                rest = after;
            } else {
                let inside = brace.strip_prefix('{').ok_or(TemplateFault::Brace)?;
                let (inside, after) = inside.split_once('}').ok_or(TemplateFault::Brace)?;
                if !literal.is_empty() {
                    pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                }
                pieces.push(placeholder::<F>(inside, list)?);
                rest = after;
            }
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        Ok(Text(pieces))
    }

    /// The text with every placeholder's value, or nothing if one has none.
    pub(super) fn fill<F: Facts>(&self, facts: &F, entry: Entry<'_>) -> Option<String> {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Literal(literal) => text.push_str(literal),
                Piece::Value { name, otherwise } => {
                    let value = name.value(facts, entry).filter(|value| !value.is_empty());
                    text.push_str(value.as_deref().or(otherwise.as_deref())?);
                }
            }
        }
        Some(text)
    }
}

impl Name {
    fn value<'a, F: Facts>(&self, facts: &'a F, entry: Entry<'_>) -> Option<Cow<'a, str>> {
        match self {
            Name::Fact(name) => facts.value(name),
            Name::Count(list) => match facts.count(list) {
                0 => None,
                count => Some(count.to_string().into()),
            },
            Name::Entry { list, name } => {
                let (_, index) = entry.filter(|(of, _)| of == list)?;
                facts.entry(list, index, name)
            }
        }
    }
}

fn placeholder<F: Facts>(inside: &str, list: Option<&str>) -> Result<Piece, TemplateFault> {
    let (name, otherwise) = match inside.split_once('|') {
        Some((name, otherwise)) => (name, Some(otherwise.to_owned())),
        None => (inside, None),
    };
    let name = resolve::<F>(name, list)?;
    Ok(Piece::Value { name, otherwise })
}

fn resolve<F: Facts>(text: &str, inside: Option<&str>) -> Result<Name, TemplateFault> {
    if F::NAMES.contains(&text) {
        return Ok(Name::Fact(text.to_owned()));
    }
    let of_list = text.split_once('.').and_then(|(list, name)| {
        let (_, names) = F::LISTS.iter().find(|(known, _)| *known == list)?;
        let known = name == "count" || names.contains(&name);
        known.then(|| (list.to_owned(), name.to_owned()))
    });
    match of_list {
        Some((list, name)) if name == "count" => Ok(Name::Count(list)),
        Some((list, name)) if inside == Some(list.as_str()) => Ok(Name::Entry { list, name }),
        Some(_) => Err(TemplateFault::OutsideList(text.to_owned())),
        None => Err(TemplateFault::UnknownPlaceholder {
            name: text.to_owned(),
            known: known_names::<F>(),
        }),
    }
}

fn known_names<F: Facts>() -> String {
    let facts = F::NAMES.iter().map(|name| (*name).to_owned());
    let lists = F::LISTS.iter().flat_map(|(list, names)| {
        let names = std::iter::once(&"count").chain(names.iter());
        names.map(move |name| format!("{list}.{name}"))
    });
    facts.chain(lists).collect::<Vec<_>>().join(", ")
}

//! Templates of XML elements, one path per line.

use std::fmt;
use std::marker::PhantomData;

use serde::{Deserialize, Deserializer};

use super::text::{Entry, Text};
use super::{Facts, TemplateError, TemplateFault};
use crate::gb28181::element::Element;

/// Elements, each left out when nothing in it has a value.
pub struct XmlTemplate<F> {
    source: Vec<String>,
    elements: Vec<Branch>,
    facts: PhantomData<fn(&F)>,
}

/// An element of the template.
#[derive(Clone, Debug)]
struct Branch {
    step: Step,
    attributes: Vec<(String, Text)>,
    text: Option<Text>,
    children: Vec<Branch>,
}

/// One step of a path: a name, and the list that the element is repeated for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Step {
    name: String,
    list: Option<String>,
}

impl<F: Facts> XmlTemplate<F> {
    /// Reads lines, in order.
    pub fn parse<S: AsRef<str>>(lines: &[S]) -> Result<Self, TemplateError> {
        let source: Vec<String> = lines.iter().map(|line| line.as_ref().to_owned()).collect();
        let mut elements = Vec::new();
        for line in &source {
            add_line::<F>(&mut elements, line).map_err(|why| TemplateError {
                line: line.clone(),
                why,
            })?;
        }
        Ok(XmlTemplate {
            source,
            elements,
            facts: PhantomData,
        })
    }

    /// The elements that `facts` give.
    pub fn fill(&self, facts: &F) -> Vec<Element> {
        fill_all(&self.elements, facts, None)
    }

    /// The lines as they were given.
    pub fn source(&self) -> &[String] {
        &self.source
    }
}

fn add_line<F: Facts>(elements: &mut Vec<Branch>, line: &str) -> Result<(), TemplateFault> {
    let (path, text) = line.split_once('=').ok_or(TemplateFault::NoEquals)?;
    let (path, attribute) = match path.split_once('@') {
        Some((path, attribute)) => (path, Some(name(attribute)?)),
        None => (path, None),
    };
    let steps = path
        .split('/')
        .map(step::<F>)
        .collect::<Result<Vec<_>, _>>()?;
    let mut lists = steps.iter().filter_map(|step| step.list.as_deref());
    let list = lists.next();
    if lists.next().is_some() {
        return Err(TemplateFault::NestedList);
    }
    let text = Text::parse::<F>(text, list)?;
    add(elements, &steps, attribute, text)
}

fn step<F: Facts>(text: &str) -> Result<Step, TemplateFault> {
    let Some((element, list)) = text.split_once('[') else {
        return Ok(Step {
            name: name(text)?,
            list: None,
        });
    };
    let list = list.strip_suffix(']').unwrap_or(list);
    if !F::LISTS.iter().any(|(known, _)| *known == list) {
        let known: Vec<_> = F::LISTS.iter().map(|(known, _)| *known).collect();
        return Err(TemplateFault::UnknownList {
            name: list.to_owned(),
            known: known.join(", "),
        });
    }
    Ok(Step {
        name: name(element)?,
        list: Some(list.to_owned()),
    })
}

fn name(text: &str) -> Result<String, TemplateFault> {
    let first = text.starts_with(|c: char| c.is_alphabetic() || c == '_');
    let rest = text
        .chars()
        .all(|c| c.is_alphanumeric() || "_-.:".contains(c));
    match first && rest {
        true => Ok(text.to_owned()),
        false => Err(TemplateFault::Name(text.to_owned())),
    }
}

/// Adds a line below `branches`, sharing the last branch if its step is the same.
fn add(
    branches: &mut Vec<Branch>,
    steps: &[Step],
    attribute: Option<String>,
    text: Text,
) -> Result<(), TemplateFault> {
    let Some((step, rest)) = steps.split_first() else {
        return Ok(());
    };
    let is_leaf = rest.is_empty() && attribute.is_none();
    let shared = branches.last_mut().filter(|last| last.step == *step);
    let branch = match shared {
        Some(last) if !(is_leaf && (last.text.is_some() || !last.children.is_empty())) => last,
        _ => {
            branches.push(Branch {
                step: step.clone(),
                attributes: Vec::new(),
                text: None,
                children: Vec::new(),
            });
            let Some(new) = branches.last_mut() else {
                return Ok(());
            };
            new
        }
    };
    if !rest.is_empty() {
        if branch.text.is_some() {
            return Err(TemplateFault::MixedContent(branch.step.name.clone()));
        }
        return add(&mut branch.children, rest, attribute, text);
    }
    match attribute {
        Some(name) => branch.attributes.push((name, text)),
        None => branch.text = Some(text),
    }
    Ok(())
}

fn fill_all<F: Facts>(branches: &[Branch], facts: &F, entry: Entry<'_>) -> Vec<Element> {
    let mut elements = Vec::new();
    for branch in branches {
        match &branch.step.list {
            Some(list) => {
                let entries = 0..facts.count(list);
                let each = entries.filter_map(|index| branch.fill(facts, Some((list, index))));
                elements.extend(each);
            }
            None => elements.extend(branch.fill(facts, entry)),
        }
    }
    elements
}

impl Branch {
    fn fill<F: Facts>(&self, facts: &F, entry: Entry<'_>) -> Option<Element> {
        let attributes = self.attributes.iter().filter_map(|(name, value)| {
            let value = value.fill(facts, entry)?;
            Some((name.clone(), value))
        });
        let attributes: Vec<_> = attributes.collect();
        let text = self.text.as_ref().and_then(|text| text.fill(facts, entry));
        let children = fill_all(&self.children, facts, entry);
        if attributes.is_empty() && text.is_none() && children.is_empty() {
            return None;
        }
        Some(Element {
            name: self.step.name.clone(),
            attributes,
            text: text.unwrap_or_default(),
            children,
        })
    }
}

impl<F> Default for XmlTemplate<F> {
    /// No lines at all.
    fn default() -> Self {
        XmlTemplate {
            source: Vec::new(),
            elements: Vec::new(),
            facts: PhantomData,
        }
    }
}

impl<F> Clone for XmlTemplate<F> {
    fn clone(&self) -> Self {
        XmlTemplate {
            source: self.source.clone(),
            elements: self.elements.clone(),
            facts: PhantomData,
        }
    }
}

impl<F> PartialEq for XmlTemplate<F> {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl<F> Eq for XmlTemplate<F> {}

impl<F> fmt::Debug for XmlTemplate<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.source).finish()
    }
}

impl<'de, F: Facts> Deserialize<'de> for XmlTemplate<F> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let lines = Vec::<String>::deserialize(deserializer)?;
        XmlTemplate::parse(&lines).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gb28181::xml_style::{Layout, XmlStyle};
    use std::borrow::Cow;

    struct Alarms(&'static [&'static str]);

    impl Facts for Alarms {
        const NAMES: &'static [&'static str] = &["name"];
        const LISTS: &'static [(&'static str, &'static [&'static str])] = &[("alarm", &["id"])];

        fn value(&self, _name: &str) -> Option<Cow<'_, str>> {
            Some("".into())
        }

        fn count(&self, _list: &str) -> usize {
            self.0.len()
        }

        fn entry(&self, _list: &str, index: usize, _name: &str) -> Option<Cow<'_, str>> {
            self.0.get(index).map(|id| (*id).into())
        }
    }

    fn written(lines: &[&str], facts: &Alarms) -> String {
        let style = XmlStyle {
            prolog: String::new(),
            layout: Layout::OneLine,
            ..XmlStyle::default()
        };
        let mut root = Element::new("R");
        root.children = XmlTemplate::<Alarms>::parse(lines).unwrap().fill(facts);
        String::from_utf8(style.write(&root).to_vec()).unwrap()
    }

    #[test]
    fn neighbouring_lines_share_elements_and_lists_repeat_them() {
        let lines = [
            "A@Num={alarm.count}",
            "A/Item[alarm]/ID={alarm.id}",
            "A/Item[alarm]/Duty=ON",
            "Info/X=1",
            "Info/Y=2",
        ];
        assert_eq!(
            written(&lines, &Alarms(&["7", "8"])),
            "<R><A Num=\"2\"><Item><ID>7</ID><Duty>ON</Duty></Item><Item><ID>8</ID>\
             <Duty>ON</Duty></Item></A><Info><X>1</X><Y>2</Y></Info></R>"
        );
        assert_eq!(
            written(&lines, &Alarms(&[])),
            "<R><Info><X>1</X><Y>2</Y></Info></R>"
        );
    }

    #[test]
    fn an_empty_value_leaves_the_element_out_but_an_empty_literal_does_not() {
        let lines = [
            "Name={name}",
            "Model={name|}",
            "Password=",
            "L@Num={alarm.count|0}",
        ];
        assert_eq!(
            written(&lines, &Alarms(&[])),
            "<R><Model></Model><Password></Password><L Num=\"0\"></L></R>"
        );
    }

    #[test]
    fn a_list_may_repeat_a_leaf_and_equal_leaves_stay_apart() {
        assert_eq!(
            written(
                &["Info/ID[alarm]={alarm.id}", "T=1", "T=2"],
                &Alarms(&["7", "8"])
            ),
            "<R><Info><ID>7</ID><ID>8</ID></Info><T>1</T><T>2</T></R>"
        );
    }

    #[test]
    fn mistakes_are_found_on_loading_and_named() {
        for (lines, why) in [
            (
                vec!["Name={nmae}"],
                "no placeholder {nmae}; there are: name, alarm.count, alarm.id",
            ),
            (vec!["Item[alrm]/ID=1"], "no list [alrm]; there are: alarm"),
            (vec!["ID={alarm.id}"], "{alarm.id} stands outside"),
            (vec!["A[alarm]/B[alarm]=1"], "a list inside a list"),
            (vec!["Name"], "no \"=\""),
            (vec!["=1"], "\"\" is not an element's name"),
            (vec!["A b=1"], "\"A b\" is not"),
            (vec!["A=1", "A/B=2"], "<A> has text and elements"),
        ] {
            let error = XmlTemplate::<Alarms>::parse(&lines)
                .unwrap_err()
                .to_string();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn a_template_is_read_from_toml() {
        #[derive(Deserialize)]
        struct File {
            item: XmlTemplate<Alarms>,
        }
        let file: File = toml::from_str("item = ['Info=\\n']").unwrap();
        assert_eq!(file.item.source(), ["Info=\\n"]);
        let error = toml::from_str::<File>("item = ['X={y}']").err().unwrap();
        assert!(error.to_string().contains("{y}"), "{error}");
    }
}

//! Templates of plain lines, for SDP.

use std::fmt;
use std::marker::PhantomData;

use serde::{Deserialize, Deserializer};

use super::text::Text;
use super::{Facts, TemplateError, TemplateFault};

/// Lines `x=…`, each left out when a placeholder in it has no value.
pub struct LineTemplate<F> {
    source: Vec<String>,
    lines: Vec<Text>,
    facts: PhantomData<fn(&F)>,
}

impl<F: Facts> LineTemplate<F> {
    /// Reads lines, in order.
    pub fn parse<S: AsRef<str>>(lines: &[S]) -> Result<Self, TemplateError> {
        let source: Vec<String> = lines.iter().map(|line| line.as_ref().to_owned()).collect();
        let parsed = source.iter().map(|line| {
            check(line)
                .and_then(|()| Text::parse::<F>(line, None))
                .map_err(|why| TemplateError {
                    line: line.clone(),
                    why,
                })
        });
        Ok(LineTemplate {
            lines: parsed.collect::<Result<_, _>>()?,
            source,
            facts: PhantomData,
        })
    }

    /// The lines that `facts` give.
    pub fn fill(&self, facts: &F) -> Vec<String> {
        let filled = self.lines.iter().filter_map(|line| line.fill(facts, None));
        filled.map(|line| line.replace(['\r', '\n'], " ")).collect()
    }

    /// The lines as they were given.
    pub fn source(&self) -> &[String] {
        &self.source
    }
}

fn check(line: &str) -> Result<(), TemplateFault> {
    if line.contains(['\r', '\n']) {
        return Err(TemplateFault::LineBreak);
    }
    match line.as_bytes() {
        [key, b'=', ..] if key.is_ascii_alphabetic() => Ok(()),
        _ => Err(TemplateFault::NotSdp),
    }
}

impl<F> Default for LineTemplate<F> {
    /// No lines at all.
    fn default() -> Self {
        LineTemplate {
            source: Vec::new(),
            lines: Vec::new(),
            facts: PhantomData,
        }
    }
}

impl<F> Clone for LineTemplate<F> {
    fn clone(&self) -> Self {
        LineTemplate {
            source: self.source.clone(),
            lines: self.lines.clone(),
            facts: PhantomData,
        }
    }
}

impl<F> PartialEq for LineTemplate<F> {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl<F> Eq for LineTemplate<F> {}

impl<F> fmt::Debug for LineTemplate<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.source).finish()
    }
}

impl<'de, F: Facts> Deserialize<'de> for LineTemplate<F> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let lines = Vec::<String>::deserialize(deserializer)?;
        LineTemplate::parse(&lines).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::borrow::Cow;

    struct Port(Option<u16>);

    impl Facts for Port {
        const NAMES: &'static [&'static str] = &["port"];

        fn value(&self, _name: &str) -> Option<Cow<'_, str>> {
            self.0.map(|port| port.to_string().into())
        }
    }

    #[test]
    fn a_line_without_its_value_is_left_out_unless_it_says_what_to_write_instead() {
        let lines = [
            "m=video {port} RTP/AVP",
            "a=x:{port|}",
            "a=y:{port|9}",
            "a={{z}}",
        ];
        let template = LineTemplate::<Port>::parse(&lines).unwrap();
        assert_eq!(template.fill(&Port(None)), ["a=x:", "a=y:9", "a={z}"]);
        assert_eq!(
            template.fill(&Port(Some(9730))),
            ["m=video 9730 RTP/AVP", "a=x:9730", "a=y:9730", "a={z}"]
        );
    }

    #[test]
    fn mistakes_are_found_on_loading_and_named() {
        let error = LineTemplate::<Port>::parse(&["o={prot}"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "in the line \"o={prot}\": there is no placeholder {prot}; there are: port"
        );
        for (line, why) in [
            ("a={port:05}", None),
            ("a={port", Some(TemplateFault::Brace)),
            ("a=}", Some(TemplateFault::Brace)),
            ("a=1\nb=2", Some(TemplateFault::LineBreak)),
            ("hello", Some(TemplateFault::NotSdp)),
        ] {
            let error = LineTemplate::<Port>::parse(&[line]).unwrap_err();
            assert!(why.is_none_or(|why| error.why == why), "{error}");
        }
    }
}

//! Which keys a table has, and which was meant by one it has not.

use std::cell::Cell;

use serde::de::value::Error as Plain;
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use toml::de::{DeTable, DeValue};

use super::problem::Problems;
use super::schema::{
    AddressesTable, CamerasTable, LimitsTable, PlatformTable, RampTable, ReportTable,
    ThresholdsTable, Top,
};

/// From here on two words are taken for one with a slip: `profil`, `adress`.
const ALIKE: f64 = 0.8;

/// One kind of table.
struct Kind {
    /// As it is called: `[platform]`.
    title: &'static str,
    keys: &'static [&'static str],
    /// The tables in it.
    inner: fn(&str) -> Option<Kind>,
}

/// Finds every key that no table has.
pub(super) fn check(root: &DeTable<'_>, problems: &mut Problems<'_>) {
    check_table(root, &top(), problems);
}

/// Every key, with the title of its table; tables themselves are no keys.
#[cfg(test)]
pub(super) fn all() -> Vec<(&'static str, &'static str)> {
    fn collect(kind: Kind, found: &mut Vec<(&'static str, &'static str)>) {
        for key in kind.keys {
            match (kind.inner)(key) {
                Some(inner) => collect(inner, found),
                None => found.push((kind.title, key)),
            }
        }
    }
    let mut found = Vec::new();
    collect(top(), &mut found);
    found
}

fn top() -> Kind {
    Kind {
        title: "the fleet file",
        keys: keys_of::<Top>(),
        inner: table,
    }
}

fn table(name: &str) -> Option<Kind> {
    let plain = |title, keys| Kind {
        title,
        keys,
        inner: |_| None,
    };
    Some(match name {
        "platform" => plain("[platform]", keys_of::<PlatformTable>()),
        "addresses" => plain("[addresses]", keys_of::<AddressesTable>()),
        "cameras" => plain("[[cameras]]", keys_of::<CamerasTable>()),
        "ramp" => plain("[ramp]", keys_of::<RampTable>()),
        "report" => plain("[report]", keys_of::<ReportTable>()),
        "thresholds" => Kind {
            title: "[thresholds]",
            keys: keys_of::<ThresholdsTable>(),
            inner: limits,
        },
        _ => return None,
    })
}

fn limits(name: &str) -> Option<Kind> {
    let title = match name {
        "register" => "thresholds.register",
        "invite" => "thresholds.invite",
        "ack" => "thresholds.ack",
        "first-packet" => "thresholds.first-packet",
        "keepalive" => "thresholds.keepalive",
        "lateness" => "thresholds.lateness",
        _ => return None,
    };
    Some(Kind {
        title,
        keys: keys_of::<LimitsTable>(),
        inner: |_| None,
    })
}

fn check_table(table: &DeTable<'_>, kind: &Kind, problems: &mut Problems<'_>) {
    for (key, value) in table.iter() {
        let name = key.get_ref().as_ref();
        if !kind.keys.contains(&name) {
            problems.at(key.span(), unknown(name, kind));
            continue;
        }
        let Some(inner) = (kind.inner)(name) else {
            continue;
        };
        match value.get_ref() {
            DeValue::Table(table) => check_table(table, &inner, problems),
            DeValue::Array(tables) => {
                let tables = tables.iter().filter_map(|value| match value.get_ref() {
                    DeValue::Table(table) => Some(table),
                    _ => None,
                });
                tables.for_each(|table| check_table(table, &inner, problems));
            }
            _ => {}
        }
    }
}

fn unknown(name: &str, kind: &Kind) -> String {
    let title = kind.title;
    if let Some(meant) = meant(name, kind.keys.iter().copied()) {
        return format!("`{name}` is no key of {title}; did you mean `{meant}`?");
    }
    if let Some(home) = home(name) {
        return format!("`{name}` is no key of {title}; it belongs to {home}");
    }
    format!(
        "`{name}` is no key of {title}; it has {}",
        kind.keys.join(", ")
    )
}

/// Where a key belongs that stands in the wrong table.
fn home(name: &str) -> Option<&'static str> {
    let top = top();
    if top.keys.contains(&name) && (top.inner)(name).is_none() {
        return Some("the top of the file, above the first [table]");
    }
    let mut tables = top.keys.iter().filter_map(|key| (top.inner)(key));
    let found = tables.find(|kind| kind.keys.contains(&name));
    found.map(|kind| kind.title)
}

/// The one of `known` that `name` is a slip of.
pub(super) fn meant<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let name = name.to_lowercase().replace('_', "-");
    let likeness = |key: &str| strsim::jaro_winkler(&name, key);
    known
        .map(|key| (likeness(key), key))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, key)| key)
}

/// The keys that a table's type reads, from the type itself.
fn keys_of<'de, T: Deserialize<'de>>() -> &'static [&'static str] {
    let keys = Cell::new([].as_slice());
    // It ends in an error, as soon as it has asked for its keys.
    let _ = T::deserialize(Asked(&keys));
    keys.get()
}

/// A deserializer that only listens which fields are asked for.
struct Asked<'a>(&'a Cell<&'static [&'static str]>);

impl<'de> Deserializer<'de> for Asked<'_> {
    type Error = Plain;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Plain> {
        self.0.set(fields);
        Err(Plain::custom("only asked"))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Plain> {
        Err(Plain::custom("no struct"))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_from_the_types_that_read_them() {
        assert_eq!(keys_of::<LimitsTable>(), ["p50", "p90", "p99", "max"]);
        assert!(all().contains(&("[[cameras]]", "first-channel-id")));
        assert!(all().contains(&("thresholds.lateness", "p99")));
        assert!(!all().iter().any(|(_, key)| *key == "platform"));
    }

    #[test]
    fn a_slip_is_recognised_and_another_word_is_not() {
        let keys = || keys_of::<CamerasTable>().iter().copied();
        for (slip, key) in [
            ("profil", "profile"),
            ("chanels", "channels"),
            ("first_id", "first-id"),
            ("keep-alive", "keepalive"),
            ("Count", "count"),
        ] {
            assert_eq!(meant(slip, keys()), Some(key), "{slip}");
        }
        assert_eq!(meant("colour", keys()), None);
    }
}

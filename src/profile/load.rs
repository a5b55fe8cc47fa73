//! Reading a profile, alone or laid over another.

use std::path::Path;

use serde::Deserialize;
use toml::{Table, Value};

use super::builtin;
use super::{Profile, ProfileError};

/// Tables of a profile that hold settings; every other key describes the profile itself.
const POLICIES: [&str; 8] = [
    "device",
    "sip",
    "manscdp",
    "mansrtsp",
    "sdp",
    "ps",
    "rtp",
    "behaviour",
];

/// One setting of a profile, and where it was seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// `table.key`.
    pub key: String,
    /// Its value, as TOML.
    pub value: String,
    /// Where it was seen; `None` when the profile does not say.
    pub evidence: Option<String>,
}

pub(super) fn profile(file: &str, text: &str) -> Result<Profile, ProfileError> {
    // The text alone first: only so do errors know their line.
    let own: Profile = toml::from_str(text).map_err(|e| ProfileError::invalid(file, e))?;
    let Some(base) = &own.extends else {
        return Ok(named(file, own));
    };
    let mut table = base_table(file, base)?;
    for of_the_base_alone in ["name", "title", "source", "evidence"] {
        table.remove(of_the_base_alone);
    }
    lay_over(&mut table, self::table(file, text)?);
    let whole = Profile::deserialize(table).map_err(|e| ProfileError::invalid(file, e))?;
    Ok(named(file, whole))
}

/// The settings of a profile that is built in, laid over those of its own base.
fn base_table(file: &str, name: &str) -> Result<Table, ProfileError> {
    let text = builtin::text(name).ok_or_else(|| ProfileError::unknown_base(file, name))?;
    let mut own = table(file, text)?;
    let Some(Value::String(below)) = own.remove("extends") else {
        return Ok(own);
    };
    let mut whole = base_table(file, &below)?;
    lay_over(&mut whole, own);
    Ok(whole)
}

/// A file of somebody's own need not introduce itself.
fn named(file: &str, mut profile: Profile) -> Profile {
    let or = |own: String, otherwise: String| match own.is_empty() {
        true => otherwise,
        false => own,
    };
    let stem = Path::new(file).file_stem().unwrap_or_default();
    profile.name = or(profile.name, stem.to_string_lossy().into_owned());
    let title = match &profile.extends {
        Some(base) => format!("{base}, changed by {file}"),
        None => profile.name.clone(),
    };
    profile.title = or(profile.title, title);
    profile.source = or(profile.source, format!("the file {file}"));
    profile
}

pub(super) fn settings(file: &str, text: &str) -> Result<Vec<Setting>, ProfileError> {
    let own = profile(file, text)?;
    let table = table(file, text)?;
    let mut settings = Vec::new();
    for policy in POLICIES {
        let Some(Value::Table(keys)) = table.get(policy) else {
            continue;
        };
        for (key, value) in keys {
            let key = format!("{policy}.{key}");
            let evidence = own.evidence.get(&key).or_else(|| own.evidence.get(policy));
            settings.push(Setting {
                evidence: evidence.cloned(),
                value: value.to_string(),
                key,
            });
        }
    }
    Ok(settings)
}

fn table(file: &str, text: &str) -> Result<Table, ProfileError> {
    text.parse().map_err(|e| ProfileError::invalid(file, e))
}

/// Tables are laid over key by key; everything else replaces what was there.
fn lay_over(base: &mut Table, over: Table) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => lay_over(below, above),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_built_in_is_read_and_bears_its_own_name() {
        for (name, text) in builtin::ALL {
            let profile = profile(name, text).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(profile.name, *name);
        }
    }

    #[test]
    fn every_setting_names_its_evidence_and_no_evidence_is_left_over() {
        for (name, text) in builtin::ALL {
            let settings = settings(name, text).unwrap();
            for setting in &settings {
                assert!(setting.evidence.is_some(), "{name}: {}", setting.key);
            }
            let own: Profile = toml::from_str(text).unwrap();
            for key in own.evidence.keys() {
                let used = settings
                    .iter()
                    .any(|s| s.key == *key || s.key.split('.').next() == Some(key));
                assert!(used, "{name}: evidence for {key}, which is not set");
            }
        }
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line_and_the_known_ones() {
        let text =
            "name = 'x'\ntitle = 'x'\nsource = 'x'\n[behaviour]\nstart-midia = 'after-200'\n";
        let error = Profile::parse("mine.toml", text).unwrap_err().to_string();
        assert!(error.starts_with("mine.toml: "), "{error}");
        assert!(error.contains("line 5"), "{error}");
        assert!(error.contains("start-media"), "{error}");
    }

    #[test]
    fn an_impossible_value_is_refused_with_the_possible_ones() {
        let text = "name = 'x'\ntitle = 'x'\nsource = 'x'\n[behaviour]\nstart-media = 'now'\n";
        let error = Profile::parse("mine.toml", text).unwrap_err().to_string();
        assert!(
            error.contains("after-ack") && error.contains("line 5"),
            "{error}"
        );
    }

    #[test]
    fn a_profile_laid_over_another_keeps_what_it_does_not_set() {
        let text = "name = 'mine'\ntitle = 'x'\nsource = 'x'\nextends = 'dahua-ipc'\n\
                    [behaviour]\nstreams-per-channel = 1\n";
        let mine = Profile::parse("mine.toml", text).unwrap();
        let base = Profile::builtin("dahua-ipc").unwrap();
        assert_eq!(mine.behaviour.streams_per_channel, 1);
        assert_eq!(mine.sip, base.sip);
        assert_eq!(mine.name, "mine");
    }

    #[test]
    fn a_base_may_itself_be_laid_over_another() {
        let newest = Profile::builtin("dahua-ipc-2022").unwrap();
        let oldest = Profile::builtin("dahua-ipc").unwrap();
        assert_eq!(newest.manscdp.device_info, oldest.manscdp.device_info);
        assert_eq!(newest.sip.user_agent, "SIP UAS V3.0.0.1208500");
    }

    #[test]
    fn a_file_of_ones_own_need_say_no_more_than_what_it_changes() {
        let text = "extends = 'dahua-ipc'\n[sip]\nuser-agent = 'Mine'\n";
        let mine = Profile::parse("a/mine.toml", text).unwrap();
        assert_eq!(
            (mine.name.as_str(), mine.sip.user_agent.as_str()),
            ("mine", "Mine")
        );
        assert_eq!(mine.title, "dahua-ipc, changed by a/mine.toml");
        let settings = settings("a/mine.toml", text).unwrap();
        assert_eq!(settings.len(), 1);
        assert_eq!(
            settings[0].evidence, None,
            "the base's evidence is not for our value"
        );
    }

    #[test]
    fn only_a_profile_that_is_built_in_can_be_extended() {
        let error = Profile::parse("b.toml", "extends = 'a.toml'")
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("b.toml: extends"), "{error}");
        assert!(error.contains("dahua-ipc, dahua-sd6c"), "{error}");
    }

    #[test]
    fn a_profile_that_does_not_exist_is_answered_with_those_that_do() {
        let error = Profile::builtin("dahua").unwrap_err().to_string();
        assert!(error.contains("dahua-ipc, dahua-sd6c"), "{error}");
    }
}

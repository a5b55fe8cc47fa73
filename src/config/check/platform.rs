//! `[platform]`.

use crate::config::file::Run;
use crate::config::plan::PlatformPlan;
use crate::config::problem::Problems;
use crate::config::schema::PlatformTable;
use crate::gb28181::DeviceId;

/// Where `vcam platform` listens, and what it is called.
const HOST: &str = "127.0.0.1";
const PORT: u16 = 5060;
const ID: u128 = 34_020_000_002_000_000_001;

pub(super) fn plan(table: &PlatformTable, run: &Run, problems: &mut Problems<'_>) -> PlatformPlan {
    let id = id(table, problems);
    let (host, port) = address(table, problems);
    PlatformPlan {
        host,
        port,
        id,
        domain: domain(table, id, problems),
        password: password(table, run),
    }
}

fn id(table: &PlatformTable, problems: &mut Problems<'_>) -> DeviceId {
    let default = DeviceId::from_number(ID);
    let Some(key) = &table.id else { return default };
    key.get_ref().parse().unwrap_or_else(|error| {
        problems.at(key.span(), format!("{error}"));
        default
    })
}

fn address(table: &PlatformTable, problems: &mut Problems<'_>) -> (String, u16) {
    let default = (HOST.to_owned(), PORT);
    let Some(key) = &table.address else {
        return default;
    };
    split(key.get_ref()).unwrap_or_else(|why| {
        problems.at(key.span(), why);
        default
    })
}

fn domain(table: &PlatformTable, id: DeviceId, problems: &mut Problems<'_>) -> String {
    let Some(key) = &table.domain else {
        return id.domain10().to_owned();
    };
    let domain = key.get_ref();
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    if domain.is_empty() || !domain.chars().all(fits) {
        let why = format!(
            "{domain:?} is no SIP domain: write ten digits or a host name, or leave it out for {:?}",
            id.domain10()
        );
        problems.at(key.span(), why);
    }
    domain.clone()
}

fn password(table: &PlatformTable, run: &Run) -> crate::config::Password {
    let own = || table.password.as_ref().map(|key| key.get_ref().clone());
    run.password.clone().or_else(own).unwrap_or_default()
}

/// `host`, `host:port`, `[v6]`, `[v6]:port`.
fn split(text: &str) -> Result<(String, u16), String> {
    const FORM: &str = "write host:port, as in \"192.0.2.10:5060\"";
    if text.contains('@') || text.starts_with("sip:") {
        return Err(format!("{text:?} is a SIP URI; {FORM}, and the ID as id"));
    }
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, port)) => (host, Some(port.strip_prefix(':').unwrap_or(port))),
        None => match text.rsplit_once(':') {
            Some((host, _)) if host.contains(':') => (text, None),
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    if host.is_empty() || host.contains(char::is_whitespace) {
        return Err(format!("{text:?} has no host; {FORM}"));
    }
    let port = match port.map(str::parse::<u16>) {
        None => PORT,
        Some(Ok(port)) if port != 0 => port,
        Some(_) => return Err(format!("{text:?} has no port from 1 to 65535; {FORM}")),
    };
    Ok((host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_people_write_it() {
        for (text, host, port) in [
            ("192.0.2.10:5061", "192.0.2.10", 5061),
            ("platform.example", "platform.example", 5060),
            ("[2001:db8::1]:5062", "2001:db8::1", 5062),
            ("[2001:db8::1]", "2001:db8::1", 5060),
            ("2001:db8::1", "2001:db8::1", 5060),
        ] {
            assert_eq!(split(text), Ok((host.to_owned(), port)), "{text}");
        }
        for wrong in [
            "", ":5060", "host:0", "host:sip", "[::1]x", "a b", "sip:1@h",
        ] {
            assert!(split(wrong).is_err(), "{wrong}");
        }
    }
}

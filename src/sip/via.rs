//! Via: the one we write, the ones we read, and the echo of a received one in an answer.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use super::flow::Flow;
use super::params::{Param, Params, params};
use super::style::{Place, Received, Style, ViaParam, When};
use super::uri::split_host;
use super::value::ValueError;

/// The first hop of a Via header value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Via {
    /// The transport's name as written: `UDP`, `TCP`, ….
    pub transport: String,
    /// The sent-by host; an IPv6 address without its brackets.
    pub host: String,
    /// The sent-by port, if written.
    pub port: Option<u16>,
    /// branch, rport, received, … in their order.
    pub params: Params,
}

impl Via {
    /// What begins a branch that RFC 3261 made unique (§8.1.1.7).
    pub const COOKIE: &str = "z9hG4bK";

    /// The branch, if there is one that is not empty.
    pub fn branch(&self) -> Option<&str> {
        self.params
            .value("branch")
            .filter(|branch| !branch.is_empty())
    }

    /// Whether the branch alone names the transaction (RFC 3261 §17.2.3).
    pub fn has_cookie(&self) -> bool {
        let head = |branch: &str| branch.get(..Self::COOKIE.len()).map(str::to_owned);
        let head = self.branch().and_then(head);
        head.is_some_and(|head| head.eq_ignore_ascii_case(Self::COOKIE))
    }

    /// Whether the sender asks for answers to its source port (RFC 3581).
    pub fn has_rport(&self) -> bool {
        self.params.has("rport")
    }

    /// The port that answers go to when the source port is not asked for: sent-by's, or 5060.
    pub fn answer_port(&self) -> u16 {
        self.port.unwrap_or(5060)
    }

    pub(super) fn parse(text: &str) -> Result<Via, ValueError> {
        let error = |problem| ValueError::new("Via", problem, text);
        let (transport, sent_by) = protocol(text).ok_or_else(|| error("has no transport"))?;
        let end = sent_by.find([';', ',']).unwrap_or(sent_by.len());
        let (host, port) = split_host(&sent_by[..end]).ok_or_else(|| error("has no sent-by"))?;
        let port = match port {
            None | Some("") => None,
            Some(port) => Some(port.parse().map_err(|_| error("has an illegal port"))?),
        };
        Ok(Via {
            transport: transport.to_owned(),
            host: host.to_owned(),
            port,
            params: Params::parse(text, text.len() - sent_by.len() + end),
        })
    }

    /// The Via of a request of ours on `flow`.
    pub fn ours(flow: &Flow, branch: &str, style: &Style) -> String {
        let Flow {
            transport, local, ..
        } = flow;
        let mut via = format!("SIP/2.0/{transport} {local}");
        for param in &style.via {
            match param {
                ViaParam::Branch => via.extend([";branch=", branch]),
                ViaParam::Rport => via.push_str(";rport"),
            }
        }
        via
    }

    /// A received Via value as an answer repeats it: octet for octet as it came, except that the
    /// first hop's `rport` is filled in where it stands and `received` is added as `style` says
    /// (RFC 3261 §18.2.1, RFC 3581 §4).
    pub fn echo(text: &str, from: SocketAddr, style: &Style) -> String {
        let mut echo = text.to_owned();
        let asked = params(text, 0).any(|p| p.name.eq_ignore_ascii_case("rport"));
        if asked && style.fill_rport {
            let port = from.port().to_string();
            set_in_place(&mut echo, "rport", &port, Place::Last);
        }
        if wants_received(text, asked, from.ip(), &style.received) {
            let ip = from.ip().to_canonical().to_string();
            set_in_place(&mut echo, "received", &ip, style.received.place);
        }
        echo
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SIP/2.0/{} ", self.transport)?;
        match self.host.contains(':') {
            true => write!(f, "[{}]", self.host)?,
            false => f.write_str(&self.host)?,
        }
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        write!(f, "{}", self.params)
    }
}

/// The transport's name, and the text from sent-by on.
fn protocol(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = text.split_once('/')?;
    let (_version, rest) = rest.split_once('/')?;
    let rest = rest.trim_start();
    let (transport, sent_by) = rest.split_once(|c: char| c.is_ascii_whitespace())?;
    let legal = name.trim().eq_ignore_ascii_case("SIP") && !transport.is_empty();
    legal.then_some((transport, sent_by))
}

fn wants_received(text: &str, asked: bool, from: IpAddr, received: &Received) -> bool {
    let differs = || match Via::parse(text) {
        Ok(via) => via.host.parse() != Ok(from.to_canonical()),
        Err(_) => true,
    };
    match received.when {
        When::AskedOrDifferent => asked || differs(),
        When::WhenDifferent => differs(),
        When::Never => false,
    }
}

/// Gives parameter `name` of the first hop a value where it stands, or puts it at `place`.
fn set_in_place(text: &mut String, name: &str, value: &str, place: Place) {
    let is = |p: &Param<'_>, name: &str| p.name.eq_ignore_ascii_case(name);
    let span = |name: &str| params(text, 0).find(|p| is(p, name)).map(|p| p.span);
    if let Some(span) = span(name) {
        let written = &text[span.clone()];
        let end = written.find('=').unwrap_or(written.len());
        text.replace_range(span.start + end..span.end, &format!("={value}"));
        return;
    }
    let at = match place {
        Place::AfterBranch => span("branch").map(|span| span.end),
        Place::BeforeRport => span("rport").map(|span| span.start),
        Place::AfterRport => span("rport").map(|span| span.end),
        Place::Last => None,
    };
    let last = || params(text, 0).last().map(|p| p.span.end);
    let end = || text.find(',').unwrap_or(text.len());
    let at = at.or_else(last).unwrap_or_else(end);
    text.insert_str(at, &format!(";{name}={value}"));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::flow::Transport;
    use super::*;

    const SEED: &str =
        "SIP/2.0/UDP 10.110.18.12:15060;branch=z9hG4bKlJokE2WBziHPvUlfeWPlw6WCwjStRKkA;rport";

    fn echo(text: &str, from: &str, style: &Style) -> String {
        Via::echo(text, from.parse().unwrap(), style)
    }

    fn received(when: When, place: Place) -> Style {
        Style {
            received: Received { when, place },
            ..Style::default()
        }
    }

    #[test]
    fn rport_is_filled_in_where_it_stands() {
        let style = received(When::WhenDifferent, Place::AfterBranch);
        assert_eq!(
            echo(SEED, "10.110.18.12:15060", &style),
            format!("{SEED}=15060")
        );
        assert_eq!(
            echo(
                "SIP/2.0/UDP 192.168.6.106:5062;rport;branch=z9hG4bK3012865820",
                "192.168.6.106:5062",
                &style
            ),
            "SIP/2.0/UDP 192.168.6.106:5062;rport=5062;branch=z9hG4bK3012865820"
        );
    }

    #[test]
    fn an_rport_that_came_filled_is_overwritten() {
        let filled = format!("{SEED}=7");
        let style = received(When::Never, Place::Last);
        assert_eq!(
            echo(&filled, "10.110.18.12:15060", &style),
            format!("{SEED}=15060")
        );
    }

    #[test]
    fn received_stands_where_the_make_puts_it() {
        let via = "SIP/2.0/UDP 10.0.0.1:5060;rport;branch=z9;x";
        let at = |place| echo(via, "10.0.0.2:7", &received(When::WhenDifferent, place));
        let head = "SIP/2.0/UDP 10.0.0.1:5060";
        assert_eq!(
            at(Place::AfterBranch),
            format!("{head};rport=7;branch=z9;received=10.0.0.2;x")
        );
        assert_eq!(
            at(Place::BeforeRport),
            format!("{head};received=10.0.0.2;rport=7;branch=z9;x")
        );
        assert_eq!(
            at(Place::AfterRport),
            format!("{head};rport=7;received=10.0.0.2;branch=z9;x")
        );
        assert_eq!(
            at(Place::Last),
            format!("{head};rport=7;branch=z9;x;received=10.0.0.2")
        );
    }

    #[test]
    fn the_standard_adds_received_when_rport_is_asked_for_or_the_host_differs() {
        let style = Style::default();
        assert!(
            echo("SIP/2.0/UDP 10.0.0.1;rport", "10.0.0.1:5060", &style)
                .contains(";received=10.0.0.1")
        );
        assert!(!echo("SIP/2.0/UDP 10.0.0.1", "10.0.0.1:5060", &style).contains("received"));
        assert_eq!(
            echo("SIP/2.0/UDP host", "10.0.0.1:5060", &style),
            "SIP/2.0/UDP host;received=10.0.0.1"
        );
    }

    #[test]
    fn only_the_first_hop_of_a_list_is_touched() {
        let two = "SIP/2.0/UDP a;branch=1 , SIP/2.0/UDP b;branch=2;rport";
        let style = received(When::WhenDifferent, Place::Last);
        assert_eq!(
            echo(two, "10.0.0.1:1", &style),
            "SIP/2.0/UDP a;branch=1;received=10.0.0.1 , SIP/2.0/UDP b;branch=2;rport"
        );
    }

    #[test]
    fn space_in_a_via_loses_no_branch() {
        let via =
            Via::parse("SIP / 2.0 / UDP  10.0.0.1 : 5061 ; branch = z9hG4bK1 ;rport").unwrap();
        assert_eq!(
            (via.transport.as_str(), via.host.as_str(), via.port),
            ("UDP", "10.0.0.1", Some(5061))
        );
        assert_eq!(via.branch(), Some("z9hG4bK1"));
        assert!(via.has_cookie() && via.has_rport());
    }

    #[test]
    fn an_ipv6_sent_by_is_understood_and_written() {
        let via = Via::parse("SIP/2.0/TCP [::1]:5060;branch=x").unwrap();
        assert_eq!(via.to_string(), "SIP/2.0/TCP [::1]:5060;branch=x");
        assert!(!via.has_cookie());
    }

    #[test]
    fn a_via_without_transport_or_host_or_with_a_bad_port_is_an_error() {
        for text in [
            "",
            "SIP/2.0/UDP",
            "SIP/2.0 10.0.0.1",
            "SIP/2.0/UDP ;branch=1",
            "SIP/2.0/UDP a:99999",
        ] {
            assert!(Via::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn our_via_has_its_parameters_in_the_makes_order() {
        let flow = Flow {
            transport: Transport::Udp,
            local: "192.168.6.71:5060".parse().unwrap(),
            remote: None,
        };
        let style = Style {
            via: vec![ViaParam::Rport, ViaParam::Branch],
            ..Style::default()
        };
        assert_eq!(
            Via::ours(&flow, "z9hG4bK1251336551", &style),
            "SIP/2.0/UDP 192.168.6.71:5060;rport;branch=z9hG4bK1251336551"
        );
    }

    proptest! {
        #[test]
        fn any_text_can_be_read_and_echoed(text: String) {
            let _ = Via::parse(&text);
            let _ = echo(&text, "[::1]:5", &Style::default());
        }
    }
}

//! What would run, on one screen.

use std::fmt::Display;
use std::time::Duration;

use super::needs;
use crate::api::Clip;
use crate::cli::screen::Screen;
use crate::cli::{table, words};
use crate::config::{Addresses, CameraPlan, Group, Limits, MediaId, Plan, Thresholds};

/// The most groups and clips that are shown one by one.
const MOST: usize = 8;

/// The most columns of a line behind its subject.
const WIDTH: usize = 88;

/// A plan in words.
pub(super) struct Summary<'a> {
    screen: Screen,
    plan: &'a Plan,
    clips: &'a [Clip],
}

impl<'a> Summary<'a> {
    pub fn new(screen: Screen, plan: &'a Plan, clips: &'a [Clip]) -> Self {
        Summary {
            screen,
            plan,
            clips,
        }
    }

    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![
            self.said("platform", self.platform()),
            self.said("cameras", self.cameras()),
            self.said("seen from", self.addresses()),
            String::new(),
        ];
        lines.extend(self.groups());
        lines.push(String::new());
        lines.extend(self.media());
        lines.push(self.said("streams", self.streams()));
        lines.push(self.said("ramp", self.ramp()));
        lines.extend(self.needs());
        lines.extend(self.thresholds());
        lines.push(self.said("reports", self.reports()));
        lines
    }

    /// A line with its subject before it.
    fn said(&self, subject: &str, text: impl Display) -> String {
        let subject = self.screen.bold(&format!("{subject:<10}"));
        format!("{subject} {text}")
    }

    fn platform(&self) -> String {
        let platform = &self.plan.platform;
        let host = match platform.host.contains(':') {
            true => format!("[{}]", platform.host),
            false => platform.host.clone(),
        };
        let password = match platform.password.reveal().is_empty() {
            true => "no password",
            false => "a password",
        };
        format!(
            "sip:{}@{host}:{}, domain {}, {password}",
            platform.id, platform.port, platform.domain
        )
    }

    fn cameras(&self) -> String {
        let plan = self.plan;
        let here = format!(
            "{} with {}",
            words::many(plan.len(), "camera"),
            words::many(plan.channels(), "channel")
        );
        match plan.shard.of() {
            1 => here,
            _ => format!(
                "{here}: slice {} of a fleet of {}",
                plan.shard,
                words::thousands(plan.fleet() as u64)
            ),
        }
    }

    fn addresses(&self) -> String {
        let address = |ip: Option<std::net::IpAddr>| match ip {
            Some(ip) => ip.to_string(),
            None => "the address that faces the platform".to_owned(),
        };
        match self.plan.addresses {
            Addresses::SharedSocket { ip, port: 0 } => {
                format!("one UDP socket for all, on any port of {}", address(ip))
            }
            Addresses::SharedSocket { ip, port } => {
                format!("one UDP socket for all, on port {port} of {}", address(ip))
            }
            Addresses::OwnPort { ip, ports: None } => {
                format!("a free UDP port each, on {}", address(ip))
            }
            Addresses::OwnPort {
                ip,
                ports: Some(ports),
            } => format!("a UDP port each of {ports}, on {}", address(ip)),
            Addresses::OwnIp { ips, port } => {
                format!("an address each of {ips}, on UDP port {port}")
            }
        }
    }

    fn groups(&self) -> Vec<String> {
        let titles = [
            "line", "cameras", "profile", "SIP", "first ID", "last ID", "channels", "media",
        ];
        let mut table = table::titled(self.screen, &titles);
        for group in self.plan.groups.iter().take(MOST) {
            table.add_row([
                group.line.to_string(),
                words::thousands(self.plan.members(group) as u64),
                self.profiles(group),
                group.transport.to_string(),
                group.first_id().to_string(),
                group.last_id().to_string(),
                group.channels.to_string(),
                self.shown(group),
            ]);
        }
        let mut lines = table::lines(&table);
        lines.extend(more(self.plan.groups.len(), "group"));
        lines
    }

    /// The cameras of a group that has a list.
    fn listed(&self, group: &Group) -> impl Iterator<Item = CameraPlan<'a>> {
        let (plan, group) = (self.plan, std::ptr::from_ref(group));
        let cameras = plan.groups.iter().find(|own| std::ptr::eq(*own, group));
        let cameras = cameras.filter(|group| group.is_listed());
        let all = cameras.into_iter().flat_map(|_| plan.cameras());
        all.filter(move |camera| std::ptr::eq(camera.group(), group))
    }

    fn profiles(&self, group: &Group) -> String {
        let mut names: Vec<&str> = Vec::new();
        for camera in self.listed(group) {
            let name = camera.profile().name.as_str();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        match names.is_empty() {
            true => group.profile.name.clone(),
            false => names.join("\n"),
        }
    }

    fn shown(&self, group: &Group) -> String {
        let mut shown: Vec<MediaId> = [group.media(), group.sub_media()].concat();
        if group.is_listed() {
            shown = group.sub_media().to_vec();
            let channels = self.listed(group).flat_map(|camera| camera.channels());
            shown.extend(channels.map(|channel| channel.main));
        }
        shown.sort_unstable();
        shown.dedup();
        let names: Vec<_> = shown
            .iter()
            .map(|id| format!("m{}", id.index() + 1))
            .collect();
        names.join(" ")
    }

    fn media(&self) -> Vec<String> {
        let clips = self.plan.media.iter().zip(self.clips).take(MOST);
        let said = clips.enumerate().map(|(n, (planned, clip))| {
            let what = words::clip(clip);
            self.said("media", format!("m{}: {}, {what}", n + 1, planned.source))
        });
        said.chain(more(self.plan.media.len(), "clip")).collect()
    }

    fn streams(&self) -> String {
        format!(
            "when every channel is watched once: {}, {}",
            words::many(self.plan.channels(), "stream"),
            words::bit_rate(super::bit_rate(self.plan, self.clips))
        )
    }

    fn ramp(&self) -> String {
        let plan = self.plan;
        let jitter = match plan.ramp.jitter.is_zero() {
            true => String::new(),
            false => format!(" (each up to {} later)", words::length(plan.ramp.jitter)),
        };
        let end = match plan.end() {
            Some(end) => format!("ends after {}", words::length(end)),
            None => "runs until Ctrl-C".to_owned(),
        };
        format!(
            "{} cameras/s{jitter}, all on after {}; {end}, {} cameras/s off",
            plan.ramp.cameras_per_second,
            words::length(plan.ramp_up()),
            plan.ramp.down_per_second
        )
    }

    fn needs(&self) -> Vec<String> {
        let needs = needs(self.plan, self.clips);
        let parts = [
            (needs.sip_udp + needs.sip_tcp, "SIP"),
            (needs.media, "media"),
            (needs.rtcp, "RTCP"),
            (needs.others, "the rest"),
        ];
        let parts = parts.iter().filter(|(count, _)| *count > 0);
        let parts =
            parts.map(|(count, what)| format!("{} {what}", words::thousands(*count as u64)));
        let parts: Vec<_> = parts.collect();
        let memory = needs.memory;
        let mut lines = vec![
            self.said(
                "needs",
                format!(
                    "{} ({})",
                    words::many(needs.descriptors(), "file descriptor"),
                    parts.join(", ")
                ),
            ),
            self.said(
                "",
                format!(
                    "about {} of memory ({} cameras, {} streams, {} clips)",
                    words::octets(memory.total()),
                    words::octets(memory.cameras),
                    words::octets(memory.streams),
                    words::octets(memory.clips)
                ),
            ),
        ];
        if needs.addresses > 1 {
            let addresses = words::many(needs.addresses, "IP address");
            lines.push(self.said("", format!("{addresses} on this machine")));
        }
        lines.extend(needs.savings().iter().map(|saving| {
            let fewer = words::thousands(saving.descriptors as u64);
            let text = format!("{} needs {fewer} descriptors fewer", saving.setting);
            self.said("", self.screen.dim(&text))
        }));
        lines
    }

    fn thresholds(&self) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for said in thresholds(&self.plan.thresholds) {
            match lines.last_mut() {
                Some(line) if line.len() + said.len() < WIDTH => {
                    line.push_str("; ");
                    line.push_str(&said);
                }
                _ => lines.push(said),
            }
        }
        let subjects = ["judged by"].into_iter().chain(std::iter::repeat(""));
        let said = subjects
            .zip(&lines)
            .map(|(subject, line)| self.said(subject, line));
        said.collect()
    }

    fn reports(&self) -> String {
        let report = &self.plan.report;
        let files = [("JSON", &report.json), ("JUnit", &report.junit)];
        let files = files.iter().filter_map(|(kind, file)| {
            let file = file.as_ref()?;
            Some(format!("{file} ({kind})"))
        });
        let files: Vec<_> = files.collect();
        match files.is_empty() {
            true => "on the screen".to_owned(),
            false => format!("on the screen, {}", files.join(", ")),
        }
    }
}

fn more(all: usize, what: &str) -> Option<String> {
    let rest = all.checked_sub(MOST).filter(|rest| *rest > 0)?;
    Some(format!(
        "and {}",
        words::many(rest, &format!("more {what}"))
    ))
}

fn thresholds(thresholds: &Thresholds) -> Vec<String> {
    let least = [
        ("registered", Some(thresholds.registered)),
        ("registered at end", thresholds.registered_at_end),
        ("keepalives answered", thresholds.keepalives_answered),
        ("calls streamed", thresholds.calls_streamed),
    ];
    let mut said: Vec<String> = least
        .iter()
        .filter_map(|(what, share)| Some(format!("{what} >= {}", (*share)?)))
        .collect();
    let count = |n: u64| words::thousands(n);
    said.extend(
        thresholds
            .streams_at_once
            .map(|n| format!("streams at once >= {}", count(n))),
    );
    said.extend(
        thresholds
            .frames_dropped
            .map(|share| format!("frames dropped <= {share}")),
    );
    said.extend(thresholds.errors.map(|n| format!("errors <= {}", count(n))));
    for (what, limits) in thresholds.times() {
        said.extend(times(what, limits));
    }
    said
}

fn times(what: &str, limits: Limits) -> Option<String> {
    let set = limits.named().into_iter().filter_map(|(name, limit)| {
        let limit: Duration = limit?;
        Some(format!("{name} {}", words::length(limit)))
    });
    let set: Vec<_> = set.collect();
    (!set.is_empty()).then(|| format!("{what} <= {}", set.join(", ")))
}

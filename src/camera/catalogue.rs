//! The catalogue: what the device and what hangs in it is called, and how it hangs together
//! (GB/T 28181-2022 A.2.4.3, A.2.6.3 and annex J).

use std::collections::{HashMap, HashSet};
use std::iter;

use bytes::Bytes;

use crate::gb28181::DeviceId;
use crate::gb28181::manscdp::{
    CatalogChange, CatalogEvent, CatalogItem, CatalogTimes, Incoming as Document,
};
use crate::time::Wall;

use super::calls::Calls;
use super::config::{Channel, Config, Tree};
use super::line::Line;

/// The answer to a Catalog query. A device asked for itself lists what hangs in it, without
/// itself; a channel, a group or a region lists itself and what hangs in it. Who is unknown here
/// gets no answer. Of these only what was added between the times that the query names is told;
/// what the device has always had was added when it was `installed`.
pub(super) fn answer(
    line: &Line,
    calls: &Calls,
    document: &Document,
    installed: Wall,
) -> Vec<Bytes> {
    let asked = document.device_id.as_str();
    let whole = items(line, calls);
    let mut items = match asked == line.config.device.as_str() {
        true => whole,
        false => under(&line.config, asked, whole),
    };
    if items.is_empty() && asked != line.config.device.as_str() {
        return Vec::new();
    }
    let times = CatalogTimes::read(document);
    if times != CatalogTimes::default() {
        let channels = line.config.channels.iter();
        let added: HashMap<&str, Wall> = channels
            .filter_map(|channel| Some((channel.id.as_str(), channel.added?)))
            .collect();
        let added = |item: &CatalogItem| added.get(item.id.as_str()).copied();
        items.retain(|item| times.cover(added(item).unwrap_or(installed)));
    }
    let style = &line.config.profile.manscdp;
    style.catalog(&document.sn, &document.device_id, &items)
}

/// Of the device or of one channel: what is off-line.
pub(super) fn off_line(line: &Line, calls: &Calls, about: &DeviceId) -> Vec<CatalogChange> {
    let concerned = |id: &DeviceId| *about == line.config.device || id == about;
    let channels = line.config.channels.iter().map(|channel| channel.id);
    let off = channels.filter(|id| concerned(id) && calls.is_offline(id));
    off.map(|id| CatalogChange::brief(id, CatalogEvent::Off))
        .collect()
}

/// What has changed from one catalogue to another: what is gone, what is new, and what is called
/// or hangs otherwise.
pub(super) fn changes(before: &[CatalogItem], after: Vec<CatalogItem>) -> Vec<CatalogChange> {
    let here: HashSet<&str> = after.iter().map(|item| item.id.as_str()).collect();
    let gone = before
        .iter()
        .filter(|item| !here.contains(item.id.as_str()));
    let mut changes: Vec<_> = gone
        .map(|item| CatalogChange::brief(&item.id, CatalogEvent::Delete))
        .collect();
    let known: HashMap<&str, _> = before.iter().map(|item| (item.id.as_str(), item)).collect();
    changes.extend(after.into_iter().filter_map(|item| {
        let event = match known.get(item.id.as_str()) {
            None => CatalogEvent::Add,
            Some(old) if **old != item => CatalogEvent::Update,
            Some(_) => return None,
        };
        Some(CatalogChange { item, event })
    }));
    changes
}

/// What is told of one thing that changed: all of it, if it is in the catalogue.
pub(super) fn item(line: &Line, calls: &Calls, id: &DeviceId) -> CatalogItem {
    let mut all = items(line, calls).into_iter();
    all.find(|item| item.id == id.as_str())
        .unwrap_or_else(|| CatalogItem {
            id: id.to_string(),
            ..CatalogItem::default()
        })
}

/// Everything there is: the tree of groups first, then channels, then what else the make lists.
pub(super) fn items(line: &Line, calls: &Calls) -> Vec<CatalogItem> {
    let config = &*line.config;
    let style = &config.profile.manscdp;
    let facts = &config.profile.device;
    let parents: HashSet<_> = config.channels.iter().filter_map(|c| c.part_of).collect();
    let channels = config.channels.iter().enumerate().map(|(n, channel)| {
        let online = !calls.is_offline(&channel.id);
        CatalogItem {
            online,
            parental: parents.contains(&channel.id),
            ..video(line, channel, n)
        }
    });
    let others = |listed: bool, type_code, count: u32| {
        let count = if listed { count } else { 0 };
        (1..=count).map(move |n| other(line, config.device.with_type(type_code).with_serial(n)))
    };
    let alarms = style.alarm_input_item.is_some();
    let voices = style.voice_output_item.is_some();
    nodes(config)
        .chain(channels)
        .chain(others(alarms, DeviceId::ALARM_INPUT, facts.alarm_inputs))
        .chain(others(voices, DeviceId::VOICE_OUTPUT, facts.voice_outputs))
        .collect()
}

/// The `n`th channel.
fn video(line: &Line, channel: &Channel, n: usize) -> CatalogItem {
    let config = &line.config;
    let facts = &config.profile.device;
    let tree = config.tree.as_deref();
    let organisation = tree.and_then(|tree| tree.organisation(n, config.channels.len()));
    let parent = channel.part_of.unwrap_or(config.device);
    CatalogItem {
        name: channel.name.clone(),
        model: facts.model.clone(),
        parent_id: match organisation {
            Some((id, _)) => format!("{parent}/{id}"),
            None => parent.to_string(),
        },
        business_group_id: tree.map(|tree| tree.group.0.to_string()),
        ptz_type: Some(facts.ptz_type),
        ..other(line, channel.id)
    }
}

/// What every thing of the device has in common.
fn other(line: &Line, id: DeviceId) -> CatalogItem {
    let config = &line.config;
    let facts = &config.profile.device;
    CatalogItem {
        id: id.to_string(),
        manufacturer: facts.manufacturer.clone(),
        owner: Some(facts.owner.clone()),
        civil_code: id.civil_code().to_owned(),
        address: facts.address.clone(),
        parent_id: config.device.to_string(),
        ip_address: Some(line.local().ip().to_string()),
        platform_id: Some(line.platform.id.to_string()),
        domain: Some(line.platform.domain.clone()),
        ..CatalogItem::default()
    }
}

/// The tree of groups, root first.
fn nodes(config: &Config) -> impl Iterator<Item = CatalogItem> {
    let node = |id: &DeviceId, name: &str, parent: &DeviceId| CatalogItem {
        id: id.to_string(),
        name: name.to_owned(),
        parent_id: parent.to_string(),
        ..CatalogItem::default()
    };
    config.tree.iter().flat_map(move |tree| {
        let (group, name) = &tree.group;
        let root = CatalogItem {
            civil_code: group.civil_code().to_owned(),
            ..node(group, name, &config.device)
        };
        let branches = tree
            .organisations
            .iter()
            .map(move |(id, name)| CatalogItem {
                business_group_id: Some(group.to_string()),
                ..node(id, name, group)
            });
        iter::once(root).chain(branches)
    })
}

impl Tree {
    /// Where the `n`th of `all` channels hangs.
    fn organisation(&self, n: usize, all: usize) -> Option<&(DeviceId, String)> {
        self.organisations
            .get(n * self.organisations.len() / all.max(1))
    }
}

/// Of all items the one asked for and what hangs in it, at any depth.
fn under(config: &Config, asked: &str, whole: Vec<CatalogItem>) -> Vec<CatalogItem> {
    if is_region(asked) {
        return region(config, asked, whole);
    }
    let mut within = HashSet::from([asked.to_owned()]);
    let mut found = Vec::new();
    // Parents stand before their children.
    for item in whole {
        let inside = item.parent_id.split('/').any(|id| within.contains(id));
        if inside || item.id == asked {
            within.insert(item.id.clone());
            found.push(item);
        }
    }
    found
}

fn is_region(code: &str) -> bool {
    matches!(code.len(), 2 | 4 | 6 | 8) && code.bytes().all(|digit| digit.is_ascii_digit())
}

/// A region: an item for itself, then what lies in it. Its name is not known here: its code.
fn region(config: &Config, code: &str, whole: Vec<CatalogItem>) -> Vec<CatalogItem> {
    if !config.device.as_str().starts_with(code) {
        return Vec::new();
    }
    let itself = CatalogItem {
        id: code.to_owned(),
        name: code.to_owned(),
        ..CatalogItem::default()
    };
    let lies_in = |item: &CatalogItem| item.id.starts_with(code);
    iter::once(itself)
        .chain(whole.into_iter().filter(lies_in))
        .collect()
}

//! One entry of a catalogue.

use std::borrow::Cow;

use crate::gb28181::DeviceId;
use crate::gb28181::element::Element;
use crate::gb28181::template::Facts;

/// One entry of a catalogue. Empty texts and `None` are not known, and not written.
///
/// Placeholders: `{id}`, `{name}`, `{manufacturer}`, `{model}`, `{owner}`, `{civil-code}`,
/// `{block}`, `{address}`, `{parental}` (0 or 1), `{parent-id}`, `{register-way}`, `{secrecy}`
/// (0 or 1), `{ip-address}`, `{port}`, `{status}` (`ON` or `OFF`), `{longitude}`, `{latitude}`,
/// `{ptz-type}`, `{business-group-id}`, and of whom it is told: `{platform-id}`, `{domain}`.
#[derive(Clone, Debug, PartialEq)]
pub struct CatalogItem {
    /// `DeviceID`: 20 digits, or 2 to 8 for a region.
    pub id: String,
    /// `Name`.
    pub name: String,
    /// `Manufacturer`.
    pub manufacturer: String,
    /// `Model`.
    pub model: String,
    /// `Owner` (2016).
    pub owner: Option<String>,
    /// `CivilCode`: the administrative region, 2 to 8 digits.
    pub civil_code: String,
    /// `Block`: the police area.
    pub block: Option<String>,
    /// `Address`: where it is mounted.
    pub address: String,
    /// `Parental`: whether it has children.
    pub parental: bool,
    /// `ParentID`.
    pub parent_id: String,
    /// `RegisterWay`: 1 is IETF SIP digest.
    pub register_way: u8,
    /// `Secrecy`: whether it is secret.
    pub secrecy: bool,
    /// `IPAddress`.
    pub ip_address: Option<String>,
    /// `Port`.
    pub port: Option<u16>,
    /// `Status`: whether it works.
    pub online: bool,
    /// `Longitude`, in degrees.
    pub longitude: Option<f64>,
    /// `Latitude`, in degrees.
    pub latitude: Option<f64>,
    /// `PTZType`: 1 dome, 2 half dome, 3 fixed bullet, 4 bullet on a PTZ mount.
    pub ptz_type: Option<u8>,
    /// `BusinessGroupID`: the group (type 215) in whose tree it hangs.
    pub business_group_id: Option<String>,
    /// The platform that asks. Only for templates: some makes name it as a channel's parent.
    pub platform_id: Option<String>,
    /// The SIP domain. Only for templates: some makes give it as a channel's civil code.
    pub domain: Option<String>,
}

impl Default for CatalogItem {
    /// A channel that works, registered by digest, of which nothing else is known.
    fn default() -> Self {
        CatalogItem {
            id: String::new(),
            name: String::new(),
            manufacturer: String::new(),
            model: String::new(),
            owner: None,
            civil_code: String::new(),
            block: None,
            address: String::new(),
            parental: false,
            parent_id: String::new(),
            register_way: 1,
            secrecy: false,
            ip_address: None,
            port: None,
            online: true,
            longitude: None,
            latitude: None,
            ptz_type: None,
            business_group_id: None,
            platform_id: None,
            domain: None,
        }
    }
}

/// The order of GB/T 28181-2016, annex A.
pub(super) const STANDARD: &[&str] = &[
    "DeviceID={id}",
    "Name={name}",
    "Manufacturer={manufacturer}",
    "Model={model}",
    "Owner={owner}",
    "CivilCode={civil-code}",
    "Block={block}",
    "Address={address}",
    "Parental={parental}",
    "ParentID={parent-id}",
    "SafetyWay=0",
    "RegisterWay={register-way}",
    "Secrecy={secrecy}",
    "IPAddress={ip-address}",
    "Port={port}",
    "Status={status}",
    "Longitude={longitude}",
    "Latitude={latitude}",
    "Info/PTZType={ptz-type}",
    "Info/BusinessGroupID={business-group-id}",
];

/// What is no device: a region, a business group (215), an organisation (216)
/// (GB/T 28181-2022 annex J).
pub(super) const NODE: &[&str] = &[
    "DeviceID={id}",
    "Name={name}",
    "CivilCode={civil-code}",
    "ParentID={parent-id}",
    "BusinessGroupID={business-group-id}",
];

impl Facts for CatalogItem {
    const NAMES: &'static [&'static str] = &[
        "id",
        "name",
        "manufacturer",
        "model",
        "owner",
        "civil-code",
        "block",
        "address",
        "parental",
        "parent-id",
        "register-way",
        "secrecy",
        "ip-address",
        "port",
        "status",
        "longitude",
        "latitude",
        "ptz-type",
        "business-group-id",
        "platform-id",
        "domain",
    ];

    fn value(&self, name: &str) -> Option<Cow<'_, str>> {
        let bit = |set| Some(if set { "1".into() } else { "0".into() });
        match name {
            "id" => Some(self.id.as_str().into()),
            "name" => Some(self.name.as_str().into()),
            "manufacturer" => Some(self.manufacturer.as_str().into()),
            "model" => Some(self.model.as_str().into()),
            "owner" => self.owner.as_deref().map(Cow::from),
            "civil-code" => Some(self.civil_code.as_str().into()),
            "block" => self.block.as_deref().map(Cow::from),
            "address" => Some(self.address.as_str().into()),
            "parental" => bit(self.parental),
            "parent-id" => Some(self.parent_id.as_str().into()),
            "register-way" => Some(self.register_way.to_string().into()),
            "secrecy" => bit(self.secrecy),
            "ip-address" => self.ip_address.as_deref().map(Cow::from),
            "port" => self.port.map(|port| port.to_string().into()),
            "status" => Some(if self.online {
                "ON".into()
            } else {
                "OFF".into()
            }),
            "longitude" => self.longitude.map(|degrees| degrees.to_string().into()),
            "latitude" => self.latitude.map(|degrees| degrees.to_string().into()),
            "ptz-type" => self.ptz_type.map(|kind| kind.to_string().into()),
            "business-group-id" => self.business_group_id.as_deref().map(Cow::from),
            "platform-id" => self.platform_id.as_deref().map(Cow::from),
            "domain" => self.domain.as_deref().map(Cow::from),
            _ => None,
        }
    }
}

impl CatalogItem {
    /// Digits 11 to 13 of its code: what kind of thing it is; `None` for a region.
    pub fn type_code(&self) -> Option<u16> {
        let id: DeviceId = self.id.parse().ok()?;
        Some(id.type_code())
    }

    /// Whether it can be played: a camera or video channel (131, 132), not an alarm input, a
    /// loudspeaker, a group, a region.
    pub fn shows_video(&self) -> bool {
        matches!(self.type_code(), Some(DeviceId::CHANNEL | DeviceId::IPC))
    }

    /// Reads an `Item`, if it has an ID.
    pub(super) fn read(item: &Element) -> Option<CatalogItem> {
        let text = |name| item.text_of(name).unwrap_or_default().to_owned();
        let optional = |name| item.text_of(name).map(str::to_owned);
        let info = item.child("Info");
        let ptz_type = info.and_then(|info| info.text_of("PTZType"));
        let group = info.and_then(|info| info.text_of("BusinessGroupID"));
        Some(CatalogItem {
            id: item.text_of("DeviceID")?.to_owned(),
            name: text("Name"),
            manufacturer: text("Manufacturer"),
            model: text("Model"),
            owner: optional("Owner"),
            civil_code: text("CivilCode"),
            block: optional("Block"),
            address: text("Address"),
            parental: item.text_of("Parental") == Some("1"),
            parent_id: text("ParentID"),
            register_way: number(item, "RegisterWay").unwrap_or(1),
            secrecy: item.text_of("Secrecy") == Some("1"),
            ip_address: optional("IPAddress"),
            port: number(item, "Port"),
            online: item.text_of("Status").is_none_or(is_on),
            longitude: number(item, "Longitude"),
            latitude: number(item, "Latitude"),
            ptz_type: ptz_type.and_then(|kind| kind.parse().ok()),
            business_group_id: optional("BusinessGroupID").or_else(|| group.map(str::to_owned)),
            platform_id: None,
            domain: None,
        })
    }
}

fn number<T: std::str::FromStr>(item: &Element, name: &str) -> Option<T> {
    item.text_of(name)?.parse().ok()
}

/// `ON`, and what careless devices write for it.
fn is_on(status: &str) -> bool {
    let status = status.to_ascii_uppercase();
    matches!(status.as_str(), "ON" | "OK" | "ONLINE")
}

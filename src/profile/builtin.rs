//! The profiles built into the binary.

/// Name and text, in the order they are listed.
pub(super) const ALL: &[(&str, &str)] = &[
    ("dahua-ipc", include_str!("../../profiles/dahua-ipc.toml")),
    ("dahua-sd6c", include_str!("../../profiles/dahua-sd6c.toml")),
    ("dahua-nvr", include_str!("../../profiles/dahua-nvr.toml")),
    ("generic", include_str!("../../profiles/generic.toml")),
];

/// The text of one of them.
pub(super) fn text(name: &str) -> Option<&'static str> {
    let found = ALL.iter().find(|(known, _)| *known == name);
    found.map(|(_, text)| *text)
}

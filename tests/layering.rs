//! The order of the rooms: a lower one never sees a higher one, and only `net`, `api` and `cli`
//! touch the outside world.

use std::fs;
use std::path::{Path, PathBuf};

/// Each room with its floor. Rooms on one floor do not see each other.
const ROOMS: [(&str, u8); 15] = [
    ("time", 0),
    ("sip", 1),
    ("gb28181", 1),
    ("media", 1),
    ("profile", 2),
    ("node", 3),
    ("camera", 4),
    ("platform", 4),
    ("lab", 5),
    ("net", 5),
    ("config", 6),
    ("fleet", 7),
    ("api", 8),
    ("cli", 9),
    ("main", 10),
];

/// What reaches for a clock, a socket, a file or chance, and the rooms that may.
const OUTSIDE: [(&str, &[&str]); 11] = [
    ("tokio::", &["net", "api", "cli", "main"]),
    ("UdpSocket", &["net"]),
    ("TcpStream", &["net"]),
    ("TcpListener", &["net"]),
    ("std::fs", &["net", "api", "cli"]),
    ("Instant::now", &["net", "api", "cli"]),
    ("SystemTime", &["net", "api", "cli"]),
    ("SystemTime::now", &["net"]),
    ("rand::rng()", &["net", "api", "cli"]),
    ("rand::random", &["net", "api", "cli"]),
    ("rsip::", &["sip"]),
];

#[test]
fn no_room_sees_a_higher_one_or_a_neighbour() {
    let mut wrong = Vec::new();
    for source in sources() {
        let own = floor(&source.room);
        for seen in crate_paths(&source.code) {
            let Some(other) = ROOMS.iter().find(|(room, _)| *room == seen) else {
                wrong.push(format!(
                    "{} names crate::{seen}, which is no room",
                    source.path
                ));
                continue;
            };
            if seen != source.room && other.1 >= own {
                wrong.push(format!("{} sees crate::{seen}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_maps_of_the_readme_and_of_the_crate_name_every_room() {
    let readme = include_str!("../README.md");
    let crate_docs = include_str!("../src/lib.rs");
    for (room, _) in ROOMS.iter().filter(|(room, _)| *room != "main") {
        let row = format!("\n  {room} ");
        assert!(readme.contains(&row), "the README's map lacks {room}");
        assert!(
            crate_docs.contains(&format!("[`{room}`]")),
            "lib.rs lacks {room}"
        );
    }
}

#[test]
fn only_the_rooms_for_it_touch_the_outside_world() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (word, allowed) in OUTSIDE {
            if source.code.contains(word) && !allowed.contains(&source.room.as_str()) {
                wrong.push(format!("{} uses {word}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

struct Source {
    path: String,
    room: String,
    /// Without comments, and without its tests, which may look anywhere.
    code: String,
}

fn floor(room: &str) -> u8 {
    let found = ROOMS.iter().find(|(name, _)| *name == room);
    found
        .unwrap_or_else(|| panic!("{room} is no room; give it a floor here"))
        .1
}

/// Every source file but `lib.rs`, which only names the rooms.
fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    let sources: Vec<_> = files
        .iter()
        .filter_map(|file| source(&root, file))
        .collect();
    assert!(sources.len() > 50, "the sources were not found");
    sources
}

fn source(root: &Path, file: &Path) -> Option<Source> {
    let path = file.strip_prefix(root).ok()?;
    let room = path.components().next()?.as_os_str().to_str()?;
    let room = room.trim_end_matches(".rs").to_owned();
    let text = fs::read_to_string(file).ok()?;
    let code = &text[..tests_begin(&text)];
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    (room != "lib" && !is_for_tests(file)).then(|| Source {
        path: path.display().to_string(),
        room,
        code: lines.collect::<Vec<_>>().join("\n"),
    })
}

/// Where a file's own tests begin: they stand last.
fn tests_begin(text: &str) -> usize {
    const MARK: &str = "#[cfg(test)]\nmod ";
    let mut marks = text.match_indices(MARK).map(|(at, _)| at);
    let inline = |at: &usize| {
        text[at + MARK.len()..]
            .lines()
            .next()
            .is_some_and(|l| l.ends_with('{'))
    };
    marks.find(inline).unwrap_or(text.len())
}

/// Files that their parent declares under `#[cfg(test)]`.
fn is_for_tests(file: &Path) -> bool {
    let name = file
        .file_stem()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let parent = file.parent().unwrap_or(file);
    let declared_in = [parent.join("mod.rs"), parent.with_extension("rs")];
    let by_parent = declared_in.iter().any(|parent| {
        let text = fs::read_to_string(parent).unwrap_or_default();
        let declarations = [
            format!("#[cfg(test)]\nmod {name};"),
            format!("#[cfg(test)]\npub(crate) mod {name};"),
            format!("#[cfg(test)]\npub(super) mod {name};"),
        ];
        declarations
            .iter()
            .any(|declaration| text.contains(declaration))
    });
    let is_root = parent.ends_with("src");
    by_parent || !is_root && is_for_tests(parent)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match path.is_dir() {
            true => collect(&path, files),
            false if path.extension().is_some_and(|e| e == "rs") => files.push(path),
            false => {}
        }
    }
}

/// The first names behind `crate::`, groups included.
fn crate_paths(code: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => names.extend(group_heads(group)),
            None => names.push(word(rest)),
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

/// `sip::{A, B}, time` of `crate::{sip::{A, B}, time}`: the first name of each entry.
fn group_heads(group: &str) -> Vec<String> {
    let mut depth = 0;
    let mut heads = vec![word(group.trim_start())];
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => heads.push(word(group[at + 1..].trim_start())),
            _ => {}
        }
    }
    heads
}

fn word(text: &str) -> String {
    text.chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

#[test]
fn the_reader_of_paths_sees_groups_and_tests_as_they_are() {
    let code = "use crate::{sip::{A, B}, time::Now};\nlet x = crate::media::Order;";
    assert_eq!(crate_paths(code), ["sip", "time", "media"]);
}

//! The commands that need no network: profiles, media, completions.

use assert_cmd::Command;

const TINY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/media/tiny.h264");

fn printed(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vcam"));
    let done = command.args(arguments).assert().success();
    String::from_utf8(done.get_output().stdout.clone()).unwrap()
}

fn json(arguments: &[&str]) -> serde_json::Value {
    serde_json::from_str(&printed(arguments)).unwrap()
}

#[test]
fn profiles_are_listed_and_each_setting_is_shown_with_its_evidence() {
    let list = printed(&["profiles"]);
    for line in list.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    for name in vcam::Profile::names() {
        assert!(list.contains(name), "{list}");
        let shown = printed(&["profiles", "show", name]);
        assert!(!shown.contains("no evidence"), "{shown}");
        for line in list.lines().chain(shown.lines()) {
            assert!(line.chars().count() <= 100, "{line}");
        }
        let settings = json(&["profiles", "show", name, "--json"]);
        for setting in settings["settings"].as_array().unwrap() {
            assert!(setting["evidence"].is_string(), "{setting}");
        }
    }
    let shown = printed(&["profiles", "show", "dahua-ipc"]);
    assert!(
        shown.contains("provisional = \"trying-and-dialog\""),
        "{shown}"
    );
    assert!(shown.contains("101 Dialog Establishement"), "{shown}");
}

#[test]
fn a_profile_printed_as_toml_can_be_used_as_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let mine = folder.path().join("mine.toml");
    std::fs::write(
        &mine,
        printed(&["profiles", "show", "dahua-sd6c", "--toml"]),
    )
    .unwrap();
    let shown = printed(&["profiles", "show", mine.to_str().unwrap()]);
    assert_eq!(shown, printed(&["profiles", "show", "dahua-sd6c"]));
}

#[test]
fn a_clip_is_described_and_its_frame_rate_says_where_it_comes_from() {
    let told = printed(&["media", "inspect", TINY]);
    for words in [
        "176 x 144",
        "25 per second, said by the file",
        "50 frames, 2.0 s",
    ] {
        assert!(told.contains(words), "{told}");
    }
    let facts = json(&["media", "inspect", TINY, "--fps", "10", "--json"]);
    assert_eq!(facts["fps"], "25", "the file's own rate goes before --fps");
    assert_eq!(facts["fps_from"], "file");
    assert_eq!(
        (&facts["width"], &facts["frames"]),
        (&176.into(), &50.into())
    );
    assert_eq!(facts["gop"], serde_json::json!({"min": 25, "max": 25}));
    assert!(facts["stream"]["largest_packet"].as_u64().unwrap() <= 1412);
}

#[test]
fn the_program_stream_is_written_as_often_as_asked() {
    let folder = tempfile::tempdir().unwrap();
    let length = |loops: &str| {
        let path = folder.path().join(format!("{loops}.ps"));
        printed(&[
            "media",
            "export",
            TINY,
            "-o",
            path.to_str().unwrap(),
            "--loops",
            loops,
        ]);
        let octets = std::fs::read(path).unwrap();
        assert_eq!(octets[..4], [0, 0, 1, 0xBA]);
        octets.len()
    };
    assert_eq!(3 * length("1"), length("3"));
}

#[test]
fn an_export_has_the_sound_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("heard.ps");
    let output = path.to_str().unwrap();
    printed(&["media", "export", TINY, "--audio", "tone", "-o", output]);
    let octets = std::fs::read(&path).unwrap();
    let sounds = memchr::memmem::find_iter(&octets, &[0, 0, 1, 0xC0, 0x01, 0x48]);
    assert_eq!(sounds.count(), 50);
}

#[test]
fn an_export_never_overwrites_the_file_it_reads() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("street.h264");
    std::fs::copy(TINY, &source).unwrap();
    let link = folder.path().join("link.ps");
    std::fs::hard_link(&source, &link).unwrap();
    let detour = folder.path().join(".").join("street.h264");
    for output in [&source, &link, &detour] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vcam"));
        let command = command.args(["media", "export"]).arg(&source);
        let done = command.arg("-o").arg(output).assert().code(2);
        let error = String::from_utf8(done.get_output().stderr.clone()).unwrap();
        let name = output.display().to_string();
        assert!(
            error.contains("--output") && error.contains(&name) && error.contains("another name"),
            "{error}"
        );
    }
    let (before, after) = (std::fs::read(TINY), std::fs::read(&source));
    assert!(before.unwrap() == after.unwrap(), "the source was changed");
}

#[test]
fn an_export_to_a_dash_is_the_program_stream_on_standard_output() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_vcam"));
    let command = command.args(["media", "export", TINY, "-o", "-"]);
    let done = command.current_dir(folder.path()).assert().success();
    let written = folder.path().join("street.ps");
    printed(&["media", "export", TINY, "-o", written.to_str().unwrap()]);
    assert!(done.get_output().stdout == std::fs::read(written).unwrap());
    assert!(!folder.path().join("-").exists());
}

#[test]
fn completions_know_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let text = printed(&["completions", shell]);
        assert!(
            text.contains("profiles") && text.contains("demo"),
            "{shell}"
        );
    }
}

#[test]
fn every_help_has_examples() {
    for command in [
        "demo",
        "run",
        "platform",
        "profiles",
        "media",
        "completions",
    ] {
        let help = printed(&[command, "--help"]);
        assert!(
            help.contains("Examples:") && help.contains("vcam "),
            "{help}"
        );
    }
    assert!(printed(&["--help"]).contains("Examples:"));
}

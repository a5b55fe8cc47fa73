//! The report as JUnit XML, as CI servers read it.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::{Check, GroupReport, Report};
use crate::fleet::figures::number;

/// One test case.
struct Case {
    class: &'static str,
    name: String,
    failure: Option<String>,
    out: String,
}

pub(super) fn document(report: &Report) -> String {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    // Memory takes whatever is written.
    let _ = write(&mut writer, report);
    let mut text = String::from_utf8_lossy(&writer.into_inner()).into_owned();
    text.push('\n');
    text
}

fn write(writer: &mut Writer<Vec<u8>>, report: &Report) -> io::Result<()> {
    let thresholds = report.thresholds.iter().map(threshold);
    let cases: Vec<Case> = thresholds.chain(report.groups.iter().map(group)).collect();
    let tests = cases.len().to_string();
    let failures = cases.iter().filter(|case| case.failure.is_some()).count();
    let failures = failures.to_string();
    let seconds = format!("{:.3}", report.seconds);
    let counts = [
        ("tests", tests.as_str()),
        ("failures", failures.as_str()),
        ("errors", "0"),
        ("time", seconds.as_str()),
    ];
    let name = format!("vcam run {}", report.fleet);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    writer
        .create_element("testsuites")
        .with_attributes(counts)
        .write_inner_content(|writer| {
            writer
                .create_element("testsuite")
                .with_attribute(("name", name.as_str()))
                .with_attributes(counts)
                .with_attribute(("timestamp", report.began.as_str()))
                .write_inner_content(|writer| {
                    properties(writer, report)?;
                    cases.iter().try_for_each(|one| case(writer, one))
                })?;
            Ok(())
        })?;
    Ok(())
}

fn properties(writer: &mut Writer<Vec<u8>>, report: &Report) -> io::Result<()> {
    let seed = report.seed.to_string();
    let all = [
        ("seed", seed.as_str()),
        ("shard", report.shard.as_str()),
        ("platform", report.platform.as_str()),
        ("vcam", report.vcam),
    ];
    writer
        .create_element("properties")
        .write_inner_content(|writer| {
            all.iter().try_for_each(|(name, value)| {
                let property = writer.create_element("property");
                let property = property.with_attributes([("name", *name), ("value", *value)]);
                property.write_empty().map(drop)
            })
        })?;
    Ok(())
}

fn case(writer: &mut Writer<Vec<u8>>, case: &Case) -> io::Result<()> {
    let element = writer
        .create_element("testcase")
        .with_attributes([("classname", case.class), ("name", case.name.as_str())]);
    element.write_inner_content(|writer| {
        if let Some(failure) = &case.failure {
            let element = writer.create_element("failure");
            let element = element.with_attribute(("message", failure.as_str()));
            element.write_empty()?;
        }
        let out = BytesText::new(&case.out);
        writer
            .create_element("system-out")
            .write_text_content(out)?;
        Ok(())
    })?;
    Ok(())
}

fn threshold(check: &Check) -> Case {
    Case {
        class: "thresholds",
        name: check.name.clone(),
        failure: (!check.passed).then(|| format!("{}, {} asked for", check.reached, check.limit)),
        out: format!("{}, {} asked for", check.reached, check.limit),
    }
}

fn group(group: &GroupReport) -> Case {
    let registered = format!(
        "{} of {} cameras registered",
        number(group.registered),
        number(group.cameras)
    );
    Case {
        class: "cameras",
        name: format!(
            "{} {} to {} (line {})",
            group.profile, group.first_id, group.last_id, group.line
        ),
        failure: (!group.passed).then(|| registered.clone()),
        out: format!(
            "{registered}, {} of {} calls streamed, {} frames, {} dropped, {} errors",
            number(group.streamed),
            number(group.calls),
            number(group.frames),
            number(group.dropped),
            number(group.errors)
        ),
    }
}

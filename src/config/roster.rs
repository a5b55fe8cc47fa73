//! A list of cameras: a CSV file with one on each line.

use std::collections::HashMap;
use std::sync::Arc;

use csv::{ReaderBuilder, StringRecord, Trim};

use super::keys::meant;
use super::media::MediaId;
use super::problem::Problem;
use super::value::Password;
use crate::gb28181::{DeviceId, charset};
use crate::profile::Profile;

/// The columns, in the order they have without a heading.
const COLUMNS: [&str; 5] = ["id", "password", "name", "media", "profile"];

/// The most lines that are told about.
const MOST_PROBLEMS: usize = 5;

/// The cameras of a list.
#[derive(Clone, Debug)]
pub(super) struct Roster {
    file: Arc<str>,
    rows: Arc<[Row]>,
}

/// One camera. What its line leaves empty is the group's.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub id: DeviceId,
    pub line: u64,
    pub password: Option<Password>,
    pub name: Option<Box<str>>,
    pub media: Option<MediaId>,
    pub profile: Option<Arc<Profile>>,
}

/// Finds what a line names.
pub(super) trait Finder {
    fn media(&mut self, path: &str) -> Result<MediaId, String>;
    fn profile(&mut self, name: &str) -> Result<Arc<Profile>, String>;
}

impl Roster {
    /// Reads a list, in UTF-8 or GB 18030. Empty lines and lines that begin with `#` are skipped.
    pub fn read(
        file: &str,
        octets: &[u8],
        finder: &mut dyn Finder,
    ) -> Result<Roster, Vec<Problem>> {
        let text = charset::decode(octets);
        let mut reading = Reading {
            file,
            columns: COLUMNS.map(str::to_owned).to_vec(),
            finder,
            rows: Vec::new(),
            problems: Vec::new(),
        };
        reading.all(&text);
        if reading.rows.is_empty() && reading.problems.is_empty() {
            let none = "there is no camera in the list; write a line with an ID for each";
            reading.problems.push(Problem::in_list(file, 1, none));
        }
        match reading.problems.is_empty() {
            true => Ok(Roster {
                file: file.into(),
                rows: reading.rows.into(),
            }),
            false => Err(reading.problems),
        }
    }

    pub fn file(&self) -> &str {
        &self.file
    }

    pub fn count(&self) -> usize {
        self.rows.len()
    }

    pub fn row(&self, n: usize) -> Option<&Row> {
        self.rows.get(n)
    }

    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The code on row `n`; that of the last row beyond the end.
    pub fn id(&self, n: usize) -> DeviceId {
        let row = self.rows.get(n).or_else(|| self.rows.last());
        row.map_or_else(|| DeviceId::from_number(0), |row| row.id)
    }

    /// The first two lines with the same code.
    pub fn twice(&self) -> Option<(u64, u64, DeviceId)> {
        let mut lines = HashMap::with_capacity(self.rows.len());
        let twice = |row: &Row| {
            lines
                .insert(row.id, row.line)
                .map(|first| (first, row.line, row.id))
        };
        self.rows.iter().find_map(twice)
    }
}

struct Reading<'a> {
    file: &'a str,
    columns: Vec<String>,
    finder: &'a mut dyn Finder,
    rows: Vec<Row>,
    problems: Vec<Problem>,
}

impl Reading<'_> {
    fn all(&mut self, text: &str) {
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .comment(Some(b'#'))
            .trim(Trim::All)
            .from_reader(text.as_bytes());
        let mut record = StringRecord::new();
        let mut first = true;
        while self.problems.len() < MOST_PROBLEMS {
            match reader.read_record(&mut record) {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => return self.wrong(reader.position().line(), error.to_string()),
            }
            let line = record.position().map_or(0, csv::Position::line);
            if std::mem::take(&mut first) && is_heading(&record) {
                self.heading(&record, line);
            } else if record.iter().any(|field| !field.is_empty()) {
                self.row(&record, line);
            }
        }
    }

    fn heading(&mut self, record: &StringRecord, line: u64) {
        self.columns = record.iter().map(str::to_lowercase).collect();
        for column in self.columns.clone() {
            if COLUMNS.contains(&column.as_str()) {
                continue;
            }
            let way_out = match meant(&column, COLUMNS.into_iter()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("there are {}", COLUMNS.join(", ")),
            };
            self.wrong(
                line,
                format!("`{column}` is no column of a list; {way_out}"),
            );
        }
    }

    fn row(&mut self, record: &StringRecord, line: u64) {
        if record.len() > self.columns.len() {
            let (has, columns) = (record.len(), self.columns.join(", "));
            let why = format!(
                "{has} fields are more than the columns {columns}; put fields with commas in quotes"
            );
            return self.wrong(line, why);
        }
        let columns = &self.columns;
        let field = |name: &str| {
            let at = columns.iter().position(|column| column == name)?;
            record.get(at).filter(|field| !field.is_empty())
        };
        let id = match field("id") {
            Some(id) => id
                .parse::<DeviceId>()
                .map_err(|error| match id.contains([';', '\t']) {
                    true => format!("{error}; columns are divided by commas"),
                    false => error.to_string(),
                }),
            None => Err("the line has no ID".to_owned()),
        };
        let media = field("media")
            .map(|path| self.finder.media(path))
            .transpose();
        let profile = field("profile")
            .map(|name| self.finder.profile(name))
            .transpose();
        let (password, name) = (field("password"), field("name"));
        let row = Row {
            id: DeviceId::from_number(0),
            line,
            password: password.map(|text| Password::from(text.to_owned())),
            name: name.map(Into::into),
            media: None,
            profile: None,
        };
        match (id, media, profile) {
            (Ok(id), Ok(media), Ok(profile)) => self.rows.push(Row {
                id,
                media,
                profile,
                ..row
            }),
            (id, media, profile) => {
                let whys = [id.err(), media.err(), profile.err()];
                for why in whys.into_iter().flatten() {
                    self.wrong(line, why);
                }
            }
        }
    }

    fn wrong(&mut self, line: u64, why: String) {
        self.problems.push(Problem::in_list(self.file, line, why));
    }
}

/// A heading names columns: it has no code in its first field and `id` in one of them.
fn is_heading(record: &StringRecord) -> bool {
    record.iter().any(|field| field.eq_ignore_ascii_case("id"))
}

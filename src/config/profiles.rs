//! The makes that a fleet names, each read once.

use std::collections::HashMap;
use std::sync::Arc;

use super::keys::meant;
use super::source::Files;
use crate::gb28181::charset;
use crate::profile::Profile;

/// Profiles read so far, by name as written.
pub(super) struct Profiles<'f> {
    files: &'f dyn Files,
    read: HashMap<String, Result<Arc<Profile>, String>>,
}

impl<'f> Profiles<'f> {
    pub fn new(files: &'f dyn Files) -> Self {
        Profiles {
            files,
            read: HashMap::new(),
        }
    }

    /// The profile called `name`: built in, or a file ending in `.toml`.
    pub fn named(&mut self, name: &str) -> Result<Arc<Profile>, String> {
        if let Some(read) = self.read.get(name) {
            return read.clone();
        }
        let read = match name.ends_with(".toml") {
            true => self.file(name),
            false => builtin(name),
        };
        self.read.insert(name.to_owned(), read.clone());
        read
    }

    fn file(&self, path: &str) -> Result<Arc<Profile>, String> {
        let octets = self.files.read(path);
        let octets = octets.map_err(|error| format!("profile {path} cannot be read: {error}"))?;
        let profile = Profile::parse(path, &charset::decode(&octets));
        // The lines of what it quotes stand in from ours.
        profile
            .map(Arc::new)
            .map_err(|error| error.to_string().replace('\n', "\n      "))
    }
}

fn builtin(name: &str) -> Result<Arc<Profile>, String> {
    Profile::builtin(name).map_err(|error| match meant(name, Profile::names()) {
        Some(meant) => format!("no profile is called {name:?}; did you mean {meant:?}?"),
        None => error.to_string(),
    })
}

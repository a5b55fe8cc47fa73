//! What the cameras of a fleet hear, as files.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::PathBuf;
use std::sync::Arc;

use crate::api::error::Error;
use crate::api::folder::Folder;
use crate::api::voice_file::VoiceFile;
use crate::camera::Event;
use crate::config::{Group, Plan};

/// The files of the cameras that one worker has. Each is made when its camera first hears
/// something, and open while it does.
pub(super) struct Ears {
    plan: Arc<Plan>,
    folder: Folder,
    /// `None`: it could not be made.
    files: HashMap<usize, Option<VoiceFile>>,
}

/// Makes the folders that files will go into.
pub(super) fn make_folders(plan: &Plan, folder: &Folder) -> Result<(), Error> {
    for path in plan.groups.iter().filter_map(|group| within(group, folder)) {
        std::fs::create_dir_all(&path).map_err(|source| Error::File { path, source })?;
    }
    Ok(())
}

fn within(group: &Group, folder: &Folder) -> Option<PathBuf> {
    group.voice.as_deref().map(|voice| folder.path(voice))
}

impl Ears {
    pub fn new(plan: Arc<Plan>, folder: Folder) -> Ears {
        Ears {
            plan,
            folder,
            files: HashMap::new(),
        }
    }

    /// Takes what camera `n` tells. Whether that was for a file.
    pub fn hear(&mut self, n: usize, event: &Event) -> bool {
        match event {
            Event::VoiceSaid { samples } => {
                if let Some(file) = self.file(n) {
                    file.say(samples);
                }
                true
            }
            Event::VoiceEnded { .. } => {
                if let Some(Some(file)) = self.files.get_mut(&n) {
                    file.rest();
                }
                false
            }
            _ => false,
        }
    }

    fn file(&mut self, n: usize) -> Option<&mut VoiceFile> {
        let file = match self.files.entry(n) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(free) => {
                let camera = self.plan.camera(n)?;
                let path = within(camera.group(), &self.folder)?;
                let made = VoiceFile::create(&path.join(format!("{}.wav", camera.id())));
                let told = made.map_err(|error| tracing::warn!(%error, "a voice is not kept"));
                free.insert(told.ok())
            }
        };
        file.as_mut()
    }
}

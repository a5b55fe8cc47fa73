//! What a camera hears, as a file.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::error::Error;
use crate::media::wav;

/// A WAV file that what is heard goes into, one voice after the other. It is whole whenever
/// nothing is being written.
#[derive(Debug)]
pub(super) struct VoiceFile {
    path: PathBuf,
    /// `None` once writing has failed.
    file: Option<File>,
    samples: u32,
}

impl VoiceFile {
    /// A file without samples, in place of what was there.
    pub fn create(path: &Path) -> Result<VoiceFile, Error> {
        let created = File::create(path).and_then(|mut file| {
            file.write_all(&wav::header(0))?;
            Ok(file)
        });
        let path = path.to_owned();
        match created {
            Ok(file) => Ok(VoiceFile {
                path,
                file: Some(file),
                samples: 0,
            }),
            Err(source) => Err(Error::File { path, source }),
        }
    }

    /// Takes what was heard: some kilobytes in a second. What cannot be written is logged, once.
    pub fn say(&mut self, samples: &[u8]) {
        if let Err(error) = self.append(samples) {
            let path = self.path.display();
            tracing::warn!(%path, %error, "what is heard cannot be written any more");
            self.file = None;
        }
    }

    fn append(&mut self, samples: &[u8]) -> io::Result<()> {
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        let more = u32::try_from(samples.len()).ok();
        let length = more.and_then(|more| self.samples.checked_add(more));
        let length = length.filter(|length| length.checked_add(wav::HEADER as u32).is_some());
        let length = length.ok_or(io::ErrorKind::FileTooLarge)?;
        file.write_all(samples)?;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&wav::header(length))?;
        file.seek(SeekFrom::End(0))?;
        self.samples = length;
        Ok(())
    }
}

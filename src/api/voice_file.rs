//! What a camera hears, as a file.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::error::Error;
use crate::media::wav;

/// A WAV file that what is heard goes into, one voice after the other. It is whole whenever
/// nothing is being written.
#[derive(Debug)]
pub(super) struct VoiceFile {
    path: PathBuf,
    state: State,
    samples: u32,
}

#[derive(Debug)]
enum State {
    Open(File),
    /// Closed until there is more.
    Resting,
    /// Writing has failed.
    Failed,
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
                state: State::Open(file),
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
            self.state = State::Failed;
        }
    }

    /// Closes the file until there is more.
    pub fn rest(&mut self) {
        if let State::Open(_) = self.state {
            self.state = State::Resting;
        }
    }

    fn append(&mut self, samples: &[u8]) -> io::Result<()> {
        if let State::Resting = self.state {
            self.state = State::Open(OpenOptions::new().write(true).open(&self.path)?);
        }
        let State::Open(file) = &mut self.state else {
            return Ok(());
        };
        let more = u32::try_from(samples.len()).ok();
        let length = more.and_then(|more| self.samples.checked_add(more));
        let length = length.filter(|length| length.checked_add(wav::HEADER as u32).is_some());
        let length = length.ok_or(io::ErrorKind::FileTooLarge)?;
        file.seek(SeekFrom::End(0))?;
        file.write_all(samples)?;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&wav::header(length))?;
        self.samples = length;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_whole_after_every_word_and_goes_on_after_a_rest() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("heard.wav");
        std::fs::write(&path, [1; 100]).unwrap();
        let mut file = VoiceFile::create(&path).unwrap();
        let mut all = Vec::new();
        for n in 1..=4 {
            let samples = [n; 30];
            all.extend(samples);
            file.say(&samples);
            let header = wav::header(all.len() as u32);
            assert_eq!(std::fs::read(&path).unwrap(), [&header[..], &all].concat());
            file.rest();
        }
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let error = VoiceFile::create(Path::new("no/such.wav")).unwrap_err();
        assert!(error.to_string().starts_with("no/such.wav: "), "{error}");
    }
}

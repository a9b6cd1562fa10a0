//! What is left of segments that are gone: the last number that was given and the chain head at
//! its end. Without it a directory that retention emptied would start at 1 again, and whoever
//! follows the log by position would take the new batches for those that it knows.

use std::fs::{self, File};
use std::io::{Error, ErrorKind, Write};
use std::path::Path;

use base::Digest;

use crate::error::LogError;
use crate::segment::sync_directory;

const NAME: &str = "gone";
const NEW_NAME: &str = "gone.new";

/// The last segment that is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) number: u64,
    /// Chain head at its end.
    pub(crate) chain: Digest,
}

impl Mark {
    /// The mark of a directory; number 0 where no segment ever went.
    pub(crate) fn read(directory: &Path) -> Result<Self, LogError> {
        let path = directory.join(NAME);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(Self { number: 0, chain: Digest::ZERO });
            }
            Err(error) => return Err(LogError::io(&path)(error)),
        };
        let parsed = text.trim_end().split_once(' ').and_then(|(number, chain)| {
            Some(Self { number: number.parse().ok()?, chain: Digest::from_hex(chain)? })
        });
        // Guessing would give a number twice.
        let malformed = || Error::new(ErrorKind::InvalidData, "not a number and a chain head");
        parsed.ok_or_else(|| LogError::io(&path)(malformed()))
    }

    /// Keeps it before the segment's file goes. A mark never goes back.
    pub(crate) fn keep(self, directory: &Path) -> Result<(), LogError> {
        if Self::read(directory)?.number >= self.number {
            return Ok(());
        }
        let (path, new) = (directory.join(NAME), directory.join(NEW_NAME));
        let text = format!("{} {}\n", self.number, self.chain.to_hex());
        File::create(&new)
            .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&new, &path))
            .map_err(LogError::io(&path))?;
        sync_directory(directory)
    }
}

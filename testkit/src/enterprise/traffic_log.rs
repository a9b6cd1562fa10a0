//! The requests of a folder of NDJSON files, in time order.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use base::Timestamp;
use serde::Deserialize;

use super::Failure;

/// What tests look at of one request.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Request {
    /// When.
    pub(super) ts: Timestamp,
    /// Its id.
    pub(super) request_id: String,
    /// With what, as presented.
    pub(super) credential_id: Option<String>,
    /// Method as sent.
    pub(super) method: String,
    /// Path and query as sent.
    pub(super) path: String,
    /// Status that the caller saw.
    pub(super) status: u16,
}

/// Every request below a folder.
pub(super) fn requests(
    folder: &Path,
) -> Result<impl Iterator<Item = Result<Request, Failure>>, Failure> {
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        files.push(entry?.path());
    }
    files.sort();
    Ok(files.into_iter().flat_map(|file| match File::open(&file) {
        Ok(open) => Box::new(lines(open)) as Box<dyn Iterator<Item = _>>,
        Err(why) => Box::new(std::iter::once(Err(Failure::from(why)))),
    }))
}

fn lines(file: File) -> impl Iterator<Item = Result<Request, Failure>> {
    BufReader::new(file).lines().map(|line| Ok(serde_json::from_str(&line?)?))
}

//! What can go wrong with the log.

use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why the log did not do what it was asked to.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LogError {
    /// The disk, or the directory, does not do what it must.
    #[error("{}: {cause}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        cause: Arc<std::io::Error>,
    },
    /// Another process writes to this directory.
    #[error("{}: another process holds this decision log", .0.display())]
    Locked(PathBuf),
    /// The log has reached its size or its queue is full.
    #[error("the decision log is full: {0}")]
    Full(&'static str),
    /// The log is closing.
    #[error("the decision log is closed")]
    Closed,
    /// A segment is not what was written.
    #[error("segment {segment}: {what}")]
    Damaged {
        /// Its number.
        segment: u64,
        /// What is wrong.
        what: String,
    },
    /// A setting makes no sense.
    #[error("decision log: {0}")]
    BadOptions(&'static str),
}

impl LogError {
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |cause| Self::Io { path, cause: Arc::new(cause) }
    }
}

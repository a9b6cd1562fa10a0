//! An empty database of each kind, so that one suite runs on all of them.

use crate::{ScratchDir, postgres};

/// An empty database for one test.
#[derive(Debug)]
pub struct Database {
    /// `sqlite` or `postgres`, for messages of failing assertions.
    pub kind: &'static str,
    /// The address that `store::Store::open` takes.
    pub url: String,
    /// Keeps the files of an SQLite database until the test is over.
    _files: Option<ScratchDir>,
}

impl Database {
    /// A file in a scratch directory.
    pub fn sqlite() -> Self {
        let files = ScratchDir::new();
        let url = format!("sqlite:{}", files.path().join("portreeve.db").display());
        Self { kind: "sqlite", url, _files: Some(files) }
    }

    /// A database of the private cluster.
    pub fn postgres() -> Self {
        Self { kind: "postgres", url: postgres().create_database(), _files: None }
    }
}

/// One empty database of each kind.
pub fn databases() -> [Database; 2] {
    [Database::sqlite(), Database::postgres()]
}

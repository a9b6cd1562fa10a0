//! References to secrets. The file names where a secret is; the secret is read when it is used.

use std::path::{Path, PathBuf};

use base::{Problem, Secret};
use serde::Deserialize;

use crate::system::environment;

/// Where a secret is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SecretRef {
    /// In a file, alone; white space at its end does not count.
    File(PathBuf),
    /// In an environment variable.
    Env(String),
    /// In a credential that systemd passes (`LoadCredential=`).
    Credential(String),
}

impl SecretRef {
    /// The same reference, with a relative path taken from `folder`.
    pub(crate) fn beside(self, folder: &Path) -> Self {
        match self {
            Self::File(path) => Self::File(folder.join(path)),
            other => other,
        }
    }

    /// The file that holds it, when it is one.
    pub(crate) fn path(&self) -> Option<PathBuf> {
        match self {
            Self::File(path) => Some(path.clone()),
            Self::Env(_) => None,
            Self::Credential(name) => {
                environment("CREDENTIALS_DIRECTORY").map(|folder| Path::new(&folder).join(name))
            }
        }
    }

    /// Reads the secret.
    pub(crate) fn read(&self) -> Result<Secret<String>, Problem> {
        if let Self::Env(name) = self {
            return environment(name).map(Secret::new).ok_or_else(|| {
                Problem::invalid("secret_missing", format!("the variable {name} is not set"))
            });
        }
        let path = self.path().ok_or_else(|| {
            Problem::invalid("secret_missing", "CREDENTIALS_DIRECTORY is not set")
                .hint("credentials exist only in a systemd unit with LoadCredential=")
        })?;
        let text = std::fs::read_to_string(&path).map_err(|error| {
            Problem::invalid("secret_unreadable", format!("cannot read the secret: {error}"))
                .at(path.display().to_string())
        })?;
        Ok(Secret::new(text.trim_end().to_owned()))
    }
}

impl std::fmt::Display for SecretRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => write!(f, "{{ file = \"{}\" }}", path.display()),
            Self::Env(name) => write!(f, "{{ env = \"{name}\" }}"),
            Self::Credential(name) => write!(f, "{{ credential = \"{name}\" }}"),
        }
    }
}

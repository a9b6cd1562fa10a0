//! Which server the command line talks to: the environment, or the profile that `init` and
//! `demo` leave in the user's configuration directory.

use std::io::Write;
use std::path::{Path, PathBuf};

use base::Secret;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::system::environment;

/// A server and the right to talk to it.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    /// The console's URL.
    pub(crate) url: String,
    /// The admin token.
    pub(crate) token: Option<Secret<String>>,
}

/// The profile file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Profile {
    url: String,
    token: String,
    /// Written by `demo`, which may therefore replace and remove it.
    #[serde(default)]
    demo: bool,
}

/// Where the console is when nobody says otherwise.
pub(crate) const DEFAULT_URL: &str = "http://127.0.0.1:8444";

fn path() -> Option<PathBuf> {
    let folder = environment("XDG_CONFIG_HOME").map(PathBuf::from).filter(|p| p.is_absolute());
    let folder = folder.or_else(|| Some(Path::new(&environment("HOME")?).join(".config")))?;
    Some(folder.join("portreeve").join("profile.toml"))
}

fn load(path: &Path) -> Option<Profile> {
    toml::from_str(&std::fs::read_to_string(path).ok()?).ok()
}

/// The server to talk to. What is given wins over the profile; a token is never sent to another
/// server than the one that it was written for.
pub(crate) fn server(url: Option<&str>, token: Option<&str>) -> Server {
    let profile = path().and_then(|path| load(&path));
    let token = token.map(str::to_owned);
    let (url, token) = match (url, profile) {
        (Some(url), Some(profile)) if profile.url == url => {
            (url.to_owned(), token.or(Some(profile.token)))
        }
        (Some(url), _) => (url.to_owned(), token),
        (None, Some(profile)) => (profile.url, token.or(Some(profile.token))),
        (None, None) => (DEFAULT_URL.to_owned(), token),
    };
    Server { url: url.trim_end_matches('/').to_owned(), token: token.map(Secret::new) }
}

/// A profile that was written, and goes with its guard when it belongs to a demo.
#[derive(Debug)]
pub(crate) struct Written {
    path: PathBuf,
    demo: bool,
}

impl Drop for Written {
    fn drop(&mut self) {
        if self.demo && load(&self.path).is_some_and(|profile| profile.demo) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Writes the profile, readable by its owner alone. A profile of a real server is left alone:
/// then `None`.
pub(crate) fn write(
    url: &str,
    token: &Secret<String>,
    demo: bool,
) -> Result<Option<Written>, Failure> {
    let Some(path) = path() else { return Ok(None) };
    if path.exists() && !load(&path).is_some_and(|profile| profile.demo) {
        return Ok(None);
    }
    let profile = Profile { url: url.to_owned(), token: token.expose().clone(), demo };
    let text = toml::to_string(&profile)
        .map_err(|error| base::Problem::internal(format!("profile: {error}")))?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| Failure::file(folder, &error))?;
    }
    write_private(&path, text.as_bytes()).map_err(|error| Failure::file(&path, &error))?;
    Ok(Some(Written { path, demo }))
}

/// Writes a file that only its owner can read, whole or not at all.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let fresh = PathBuf::from(name);
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&fresh, path)
}

//! The secrets of an installation: made once by `init`, read at every start.

use std::path::Path;

use app::Keys;
use base::{Entropy, Problem, Secret, encoding};
use token::Pepper;

use crate::config::{SecretRef, Settings};
use crate::failure::Failure;
use crate::profile::write_private;

const KEY_BYTES: usize = 32;

/// Reads the keys that the settings name.
pub(crate) fn load(settings: &Settings) -> Result<Keys, Problem> {
    keys(&settings.pepper, &settings.signing)
}

fn keys(pepper: &SecretRef, signing: &SecretRef) -> Result<Keys, Problem> {
    Ok(Keys { pepper: Pepper::new(read(pepper)?.expose())?, signing_seed: read(signing)? })
}

fn read(reference: &SecretRef) -> Result<Secret<[u8; KEY_BYTES]>, Problem> {
    let text = reference.read().map_err(|problem| match problem.reason.as_str() {
        "secret_unreadable" => problem.hint("`portreeve init` makes the keys"),
        _ => problem,
    })?;
    let bytes = encoding::from_hex(text.expose()).and_then(|bytes| bytes.try_into().ok());
    bytes.map(Secret::new).ok_or_else(|| {
        Problem::invalid("bad_key", "a key is 64 hexadecimal digits").at(reference.to_string())
    })
}

/// Reads the keys of two files.
pub(crate) fn read_files(pepper: &Path, signing: &Path) -> Result<Keys, Problem> {
    let reference = |path: &Path| SecretRef::File(path.to_owned());
    keys(&reference(pepper), &reference(signing))
}

/// Makes a key file, readable by its owner alone. One that exists stays: changing it would void
/// every credential.
pub(crate) fn make(path: &Path, entropy: &mut dyn Entropy) -> Result<(), Failure> {
    if path.exists() {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| Failure::file(folder, &error))?;
    }
    let mut key = [0; KEY_BYTES];
    entropy.fill(&mut key);
    let text = format!("{}\n", encoding::to_hex(&key));
    write_private(path, text.as_bytes()).map_err(|error| Failure::file(path, &error))
}

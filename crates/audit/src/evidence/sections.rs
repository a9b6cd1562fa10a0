//! The parts of the file by name, and the digest of each element: what the manifest is made of.

use std::collections::BTreeMap;

use base::Digest;
use base::canonical::{self, NotCanonical};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Members that are one value.
pub(super) const SINGLES: [&str; 5] =
    ["format", "campaign", "population", "checkpoint", "verifier_key"];
/// Members that are lists, digested element by element.
pub(super) const LISTS: [&str; 4] = ["items", "decisions", "remediations", "entries"];
/// The list of digests.
pub(super) const MANIFEST: &str = "manifest";
/// The signature over the manifest.
pub(super) const SEAL: &str = "seal";

/// The digest of everything else in the file, element by element.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    pub(super) singles: BTreeMap<String, Digest>,
    pub(super) lists: BTreeMap<String, Vec<Digest>>,
}

impl Manifest {
    /// Of the members as they stand; absent ones are left out.
    pub(super) fn of(members: &Map<String, Value>) -> Result<Self, NotCanonical> {
        let mut manifest = Self { singles: BTreeMap::new(), lists: BTreeMap::new() };
        for name in SINGLES {
            if let Some(value) = members.get(name) {
                manifest.singles.insert(name.to_owned(), canonical::digest(value)?);
            }
        }
        for name in LISTS {
            if let Some(Value::Array(elements)) = members.get(name) {
                let digests = elements.iter().map(canonical::digest).collect::<Result<_, _>>()?;
                manifest.lists.insert(name.to_owned(), digests);
            }
        }
        Ok(manifest)
    }
}

/// The text that the seal signs.
pub(super) fn seal_text(campaign: &str, manifest: Digest) -> String {
    // A line break in an id would let one text be read as another.
    let campaign = campaign.replace(char::is_control, "?");
    format!("portreeve evidence of a review\n{campaign}\n{manifest}\n")
}

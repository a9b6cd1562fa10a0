//! Writes a bundle.

use base::canonical::{self, NotCanonical};
use serde::Serialize;
use serde_json::{Map, Value};

use super::model::{CampaignRecord, Decision, Item, Population, ProvenEntry, Remediation};
use super::sections::{MANIFEST, Manifest, SEAL, seal_text};
use crate::checkpoint::Checkpoint;
use crate::note::{NoteError, SigningKey};
use crate::{Entry, Tree};

/// What goes into a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    /// The campaign.
    pub campaign: CampaignRecord,
    /// Its population.
    pub population: Population,
    /// The items, in the order in which they were sealed.
    pub items: Vec<Item>,
    /// The signed decisions.
    pub decisions: Vec<Decision>,
    /// What was done about them.
    pub remediations: Vec<Remediation>,
    /// Every ledger entry about the campaign, by sequence.
    pub entries: Vec<Entry>,
}

/// Why there is no bundle.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A part has no canonical form.
    #[error(transparent)]
    NotCanonical(#[from] NotCanonical),
    /// The head cannot be signed.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The tree is not that of the ledger the entries are from.
    #[error("entry {0} is not in the tree at its position")]
    NotInTree(u64),
}

/// The bytes of the bundle, with every entry proved against the tree's present head.
pub fn build(parts: &Parts, tree: &Tree, key: &SigningKey) -> Result<Vec<u8>, BuildError> {
    let entries = parts.entries.iter().map(|entry| prove(entry, tree)).collect::<Result<_, _>>()?;
    let mut file = Map::new();
    insert(&mut file, "format", super::FORMAT)?;
    insert(&mut file, "campaign", &parts.campaign)?;
    insert(&mut file, "population", &parts.population)?;
    insert(&mut file, "items", &parts.items)?;
    insert(&mut file, "decisions", &parts.decisions)?;
    insert(&mut file, "remediations", &parts.remediations)?;
    insert::<Vec<ProvenEntry>>(&mut file, "entries", &entries)?;
    insert(&mut file, "checkpoint", &Checkpoint::sign(tree.size(), tree.root(), key)?)?;
    insert(&mut file, "verifier_key", &key.verifier().to_string())?;

    let manifest = Manifest::of(&file)?;
    let seal = key.sign(&seal_text(&parts.campaign.id, canonical::digest(&manifest)?))?;
    insert(&mut file, MANIFEST, &manifest)?;
    insert(&mut file, SEAL, &seal)?;
    Ok(canonical::to_bytes(&Value::Object(file))?)
}

fn insert<T: Serialize + ?Sized>(
    file: &mut Map<String, Value>,
    name: &str,
    value: &T,
) -> Result<(), NotCanonical> {
    file.insert(name.to_owned(), serde_json::to_value(value)?);
    Ok(())
}

fn prove(entry: &Entry, tree: &Tree) -> Result<ProvenEntry, BuildError> {
    let (at, size) = (entry.sequence, tree.size());
    let path = tree.inclusion(at, size).ok_or(BuildError::NotInTree(at))?;
    if !crate::proof::verify_inclusion(entry.digest()?, at, size, &path, &tree.root()) {
        return Err(BuildError::NotInTree(at));
    }
    Ok(ProvenEntry { entry: entry.clone(), path })
}

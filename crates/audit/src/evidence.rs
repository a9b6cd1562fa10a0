//! The evidence bundle: one JSON file with a campaign's definition, its sealed population, the
//! decisions, what was done about them and how that was proved, and every ledger entry of the
//! campaign with its proof of inclusion in a signed checkpoint.
//!
//! How a change is found: the file must be the canonical bytes of its own content; the manifest
//! lists the digest of every single element in order; the seal is a signed note over the
//! manifest. So what was changed, dropped, moved or cut off has a place, and a signature that no
//! longer fits. The ledger entries then tie population and decisions to the log, which the signer
//! of the file cannot rewrite unseen either.
//!
//! Reading and judging needs no running portreeve and no network.

mod build;
mod judge;
mod logged;
mod model;
mod place;
mod sections;
mod verify;

pub use build::{BuildError, Parts, build};
pub use model::{
    CampaignRecord, Decision, Excluded, Item, Population, Probe, ProvenEntry, Receipt, Remediation,
    population_digest,
};
pub use verify::{Check, Report, verify};

/// The format this version writes and reads.
pub const FORMAT: &str = "portreeve-evidence/1";

/// What the entry of a started campaign says about its population, so that a bundle can be held
/// against it: what stands under `after` in the detail of `review.started`, besides the
/// `definition` of the campaign.
pub fn started_detail(population: &Population, items: u64) -> serde_json::Value {
    serde_json::json!({
        "population_digest": population.digest,
        "items": items,
        "ruleset_version": population.ruleset_version,
    })
}

/// What the entry of a sign-off says about its decisions: what stands under `after` in the detail
/// of `review.signed`.
pub fn signed_detail(
    decisions: &[Decision],
) -> Result<serde_json::Value, base::canonical::NotCanonical> {
    let digests: Vec<_> =
        decisions.iter().map(base::canonical::digest).collect::<Result<_, _>>()?;
    Ok(serde_json::json!({ "decisions": digests }))
}

#[cfg(test)]
mod tests;

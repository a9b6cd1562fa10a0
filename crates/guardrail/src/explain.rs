//! What each guardrail says about one request, for people.

use policy::{Explained, Verdict};

use crate::rails::{Rail, at};

pub(crate) fn explained(rail: &Rail, verdict: Verdict) -> Explained {
    let annotations = rail.policy.annotations();
    Explained {
        id: rail.id.clone(),
        verdict,
        place: at(&rail.file, rail.line),
        text: rail.policy.to_string(),
        reason: rail.policy.annotation("reason").map(str::to_owned),
        annotations: annotations.map(|(k, v)| (k.to_owned(), v.to_owned())).collect(),
    }
}

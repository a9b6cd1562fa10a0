//! The decision on one question: the gate's, with what the question leaves open held against it.

use base::IdentityId;
use catalog::Operation;
use identity::CredentialClass;
use policy::{Answers, ApiEntry, Caller, Facts, Part, Refusal, Ruleset, Shows, Supposed};
use traffic::Reason;

use super::facts::Asked;
use super::question::Circumstances;
use crate::lookup::Wanted;
use crate::view::{Obligations, ShownPart, ShownTie};

/// It would pass.
pub(super) struct Allowed {
    pub(super) grants: Vec<String>,
    pub(super) obligations: Option<Obligations>,
}

/// Whether it would pass.
pub(super) type Judged = Result<Allowed, Refusal>;

/// The first requests that a stepwise withdrawal takes: who asks about a grant that is on its way
/// out is told that it is gone.
const DRAW: u16 = 0;

/// Asks the ruleset. Without a class of credential, every class that the API takes has to do, so
/// that no condition on the credential holds by what nobody said. `Err`: sources have to be asked
/// first.
pub(super) fn judge(
    ruleset: &Ruleset,
    who: &IdentityId,
    (entry, operation): (&ApiEntry, Option<&Operation>),
    asked: &Asked<'_>,
    circumstances: &Circumstances,
    answers: &Answers,
) -> Result<Judged, Wanted> {
    let proof = &circumstances.proof;
    let facts = Facts { source: circumstances.source, draw: DRAW, request: asked, answers };
    let classes = match &proof.class {
        Some(class) => std::slice::from_ref(class),
        None => CredentialClass::ALL,
    };
    let refuse =
        |reason| Refusal { reason, guardrails: Vec::new(), ruleset_version: ruleset.version() };
    let mut least: Option<Supposed> = None;
    for class in classes {
        let caller = Caller::supposed(who, *class).bound(proof.binding).claiming(&proof.claims);
        let caller = match &proof.scopes {
            Some(scopes) => caller.scoped(scopes),
            None => caller,
        };
        let supposed = match ruleset.suppose(caller, entry, operation, facts, circumstances.now) {
            Ok(supposed) => supposed,
            Err(refusal) if refusal.reason == Reason::CredentialNotAccepted => continue,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if !supposed.lookups().is_empty() {
            let (identity, api) = (who.clone(), entry.api().id.clone());
            return Err(Wanted { identity, api, lookups: supposed.lookups().to_vec() });
        }
        if let Some(reason) = supposed.observed() {
            return Ok(Err(refuse(reason)));
        }
        least = match least.take() {
            None => Some(supposed),
            Some(other) => match narrower(other, supposed) {
                Some(least) => Some(least),
                None => return Ok(Err(refuse(Reason::TermsNotMet))),
            },
        };
    }
    Ok(least.map_or(Err(refuse(Reason::CredentialNotAccepted)), |least| {
        allowed(&least).ok_or(refuse(Reason::PolicyError))
    }))
}

/// The one that shows less. `None`: each shows what the other does not, and nobody said which holds.
fn narrower(one: Supposed, other: Supposed) -> Option<Supposed> {
    match (one.shows()?, other.shows()?) {
        (mine, theirs) if mine == theirs => Some(one),
        (_, Shows::Everything) => Some(one),
        (Shows::Everything, _) => Some(other),
        (Shows::Parts(_), Shows::Parts(_)) => None,
    }
}

/// `None`: it depends on what can still be read, which nothing here does.
fn allowed(supposed: &Supposed) -> Option<Allowed> {
    let grants = supposed.grants()?.iter().map(ToString::to_string).collect();
    let obligations = match supposed.shows()? {
        Shows::Everything => None,
        Shows::Parts(parts) => Some(Obligations { shows: parts.iter().map(shown).collect() }),
    };
    Some(Allowed { grants, obligations })
}

fn shown(part: &Part) -> ShownPart {
    let tie = |(place, values): &(String, std::collections::BTreeSet<String>)| ShownTie {
        place: place.clone(),
        values: values.iter().cloned().collect(),
    };
    let names = |names: &std::collections::BTreeSet<String>| names.iter().cloned().collect();
    ShownPart {
        fields: part.fields.as_ref().map(|fields| names(fields.paths())),
        except: match &part.fields {
            Some(policy::Visible::Described { hidden, .. }) => Some(names(hidden)),
            Some(policy::Visible::Whole(_)) | None => None,
        },
        ties: part.ties.iter().map(tie).collect(),
    }
}

//! The grants that were looked at, in words.

use base::Problem;
use catalog::Api;
use grant::{Grant, OperationSet};
use policy::{Considered, Ruleset, Standing};
use traffic::CallRecord;

use crate::App;
use crate::render::title;
use crate::view::ConsideredGrant;

/// Who takes grants away for reviews.
const REMEDIATION: &str = "system:remediation";

impl App {
    /// The grants that were looked at, with whose they are and what they cover.
    pub(super) async fn considered_grants(
        &self,
        record: &CallRecord,
        considered: &[Considered],
        ruleset: &Ruleset,
    ) -> Result<Vec<ConsideredGrant>, Problem> {
        let api = record.api_id.as_ref().and_then(|id| ruleset.api(id)).map(AsRef::as_ref);
        let mut state = self.read().await?;
        let mut views = Vec::with_capacity(considered.len());
        for one in considered {
            let grant = state.grant(one.grant.as_str()).await?;
            let mut says = says(one);
            if one.standing == Standing::Revoked {
                let history = state.history("grant", one.grant.as_str()).await?;
                let by_review = history.last().filter(|row| row.actor.to_string() == REMEDIATION);
                if let Some(review) = by_review.and_then(|row| row.note.as_deref()) {
                    says.push_str(&format!(" by a review ({review})"));
                }
            }
            views.push(view(one, &says, grant.as_ref(), api));
        }
        Ok(views)
    }
}

fn view(one: &Considered, says: &str, grant: Option<&Grant>, api: Option<&Api>) -> ConsideredGrant {
    let why = match &one.via {
        Some(group) => format!("{says} (through group {group})"),
        None => says.to_owned(),
    };
    ConsideredGrant {
        grant_id: one.grant.to_string(),
        subject: grant.map(|grant| grant.subject.to_string()).unwrap_or_default(),
        operations: grant.map(|grant| titles(grant, api)).unwrap_or_default(),
        applies: one.standing == Standing::Allows,
        why,
    }
}

/// With every term that is not met: to mend the first alone may not help.
fn says(one: &Considered) -> String {
    let rest = match one.standing {
        Standing::Allows => "",
        Standing::NeedsRelation => " on related objects; nobody was asked",
        Standing::RelationUnknown => " on related objects; their source does not say",
        Standing::NeedsBody => "; whether its terms hold is not known here",
        Standing::OtherOperations => return "covers other operations only".to_owned(),
        Standing::Uncertified => ", but no review has kept it in time",
        Standing::Expired => ", but has expired",
        Standing::Suspended => ", but is suspended",
        Standing::Revoked => ", but was revoked",
        Standing::Withdrawn
        | Standing::OtherEnvironment
        | Standing::OtherHours
        | Standing::OtherNetwork
        | Standing::OtherCredential
        | Standing::TooWeak
        | Standing::OtherProperties
        | Standing::OtherObject => {
            let unmet = if one.unmet.is_empty() { &[one.standing][..] } else { &one.unmet };
            return of_terms(unmet);
        }
    };
    format!("covers this operation{rest}")
}

fn of_terms(unmet: &[Standing]) -> String {
    let under = |standing: &Standing| match standing {
        Standing::OtherEnvironment => Some("for callers of another environment"),
        Standing::OtherHours => Some("at other hours"),
        Standing::OtherNetwork => Some("from other networks"),
        Standing::OtherCredential => Some("with another kind of credential"),
        Standing::TooWeak => Some("with a stronger proof"),
        Standing::OtherObject => Some("on other objects"),
        _ => None,
    };
    let but = |standing: &Standing| match standing {
        Standing::OtherProperties => Some("not all properties of the body"),
        Standing::Withdrawn => Some("is being taken back"),
        _ => None,
    };
    let (under, but): (Vec<_>, Vec<_>) =
        (unmet.iter().filter_map(under).collect(), unmet.iter().filter_map(but).collect());
    let mut says = "covers this operation".to_owned();
    if !under.is_empty() {
        says.push_str(&format!(" {}", under.join(" and ")));
    }
    if !but.is_empty() {
        says.push_str(&format!(", but {}", but.join(" and ")));
    }
    says
}

fn titles(grant: &Grant, api: Option<&Api>) -> Vec<String> {
    match &grant.operations {
        OperationSet::All(_) => vec!["*".to_owned()],
        OperationSet::Only(ids) => ids.iter().map(|id| title(api, id.as_str())).collect(),
    }
}

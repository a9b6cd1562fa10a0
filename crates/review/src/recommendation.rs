//! What portreeve suggests to the reviewer, with up to three reasons. It is never pre-selected, and
//! where records do not show the whole need it says so instead of guessing.

use std::collections::BTreeSet;

use base::{OperationId, words};
use grant::Grant;
use serde::{Deserialize, Serialize};

use crate::inventory::Inventory;
use crate::item::VerdictKind;
use crate::rules::Rules;
use crate::suggestion::{Withheld, judge, suggestion_for};
use crate::wording::listed;

/// At most so many reasons are given: more are not read.
pub const REASONS_MAX: usize = 3;

words! {
    /// Why something is recommended, or nothing.
    ReasonCode {
        /// No call needed the grant in the window.
        Unused = "unused",
        /// Some operations were not called in the window.
        PartlyUnused = "partly_unused",
        /// Everything that it gives is used.
        FullyUsed = "fully_used",
        /// It reaches administration or changes of high impact.
        HighRisk = "high_risk",
        /// It covers operations that are added to the API later.
        Wildcard = "wildcard",
        /// Nobody answers for the subject.
        Ownerless = "ownerless",
        /// The grant is younger than the window.
        TooYoung = "too_young",
        /// The records do not cover the window.
        InsufficientData = "insufficient_data",
        /// The subject declares that it works quarterly or annually.
        LongSeason = "long_season",
        /// The excess is accepted until a date.
        Excepted = "excepted",
    }
}

/// One reason in code and words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The stable code.
    pub code: ReasonCode,
    /// One sentence.
    pub text: String,
}

/// What is suggested, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recommendation {
    /// The verdict; `None` when there is too little data for one.
    pub verdict: Option<VerdictKind>,
    /// At most [`REASONS_MAX`], the strongest first.
    pub reasons: Vec<Reason>,
    /// What to narrow to, when that is the verdict.
    pub narrower: Option<BTreeSet<OperationId>>,
}

impl Recommendation {
    /// The verdict as shown: `none` for too little data.
    pub const fn verdict_str(&self) -> &'static str {
        match self.verdict {
            Some(verdict) => verdict.as_str(),
            None => "none",
        }
    }
}

/// The recommendation for a live grant.
pub fn recommend(grant: &Grant, inventory: &Inventory, rules: &Rules) -> Recommendation {
    let mut recommendation = match judge(grant, inventory, rules) {
        Err(withheld) => no_verdict(withheld, inventory),
        Ok(()) => verdict_on_use(grant, inventory, rules),
    };
    let mut add = |code, text: &str| {
        recommendation.reasons.push(Reason { code, text: text.to_owned() });
    };
    if !is_owned(grant, inventory) {
        add(ReasonCode::Ownerless, "nobody who is active answers for the subject");
    }
    if let Some(danger) = danger(grant, inventory) {
        add(ReasonCode::HighRisk, &danger);
    }
    if matches!(grant.operations, ::grant::OperationSet::All(_)) {
        add(ReasonCode::Wildcard, "it also covers operations that are added later");
    }
    recommendation.reasons.truncate(REASONS_MAX);
    recommendation
}

/// Somebody active answers for the subject of the grant. People and groups answer for themselves.
pub fn is_owned(grant: &Grant, inventory: &Inventory) -> bool {
    match &grant.subject {
        ::grant::GrantSubject::Group(_) => true,
        ::grant::GrantSubject::Identity(id) => inventory.identity(id).is_none_or(|identity| {
            !identity.is_non_human()
                || identity.owner.as_ref().is_some_and(|owner| inventory.is_owner_active(owner))
        }),
    }
}

/// Which operations make the risk high, and how; `None` when none does.
fn danger(grant: &Grant, inventory: &Inventory) -> Option<String> {
    let dangers: Vec<_> = inventory.dangers_of(grant).collect();
    let names: Vec<_> = dangers.iter().map(|op| inventory.title_of(&grant.api, &op.id)).collect();
    let how = match dangers.iter().any(|op| op.admin) {
        true => "administration",
        false => "a change of high impact",
    };
    (!names.is_empty()).then(|| format!("it reaches {how}: {}", listed(&names)))
}

fn no_verdict(withheld: Withheld, inventory: &Inventory) -> Recommendation {
    let (code, text) = match withheld {
        Withheld::TooYoung => (
            ReasonCode::TooYoung,
            format!("granted less than {} days ago", inventory.window().days()),
        ),
        Withheld::LongSeason => (
            ReasonCode::LongSeason,
            format!("works seasonally: {} days do not show its needs", inventory.window().days()),
        ),
        Withheld::Excepted => {
            (ReasonCode::Excepted, "an exception accepts unused access for now".to_owned())
        }
        Withheld::NotLive | Withheld::ThinRecords => (
            ReasonCode::InsufficientData,
            format!(
                "records cover {} % of the last {} days",
                inventory.window().coverage_permille / 10,
                inventory.window().days()
            ),
        ),
    };
    Recommendation { verdict: None, reasons: vec![Reason { code, text }], narrower: None }
}

fn verdict_on_use(grant: &Grant, inventory: &Inventory, rules: &Rules) -> Recommendation {
    let days = inventory.window().days();
    let (verdict, code, text, narrower) = match suggestion_for(grant, inventory, rules) {
        None => {
            let text = format!("every operation that it gives was used in the last {days} days");
            (VerdictKind::Keep, ReasonCode::FullyUsed, text, None)
        }
        Some(suggestion) if suggestion.operations.is_empty() => {
            let text = format!("no call needed it in the last {days} days");
            (VerdictKind::Remove, ReasonCode::Unused, text, None)
        }
        Some(suggestion) => {
            let granted = inventory.operations_of(grant).into_iter();
            let unused = granted.filter(|id| !suggestion.operations.contains(*id));
            let names: Vec<_> = unused.map(|id| inventory.title_of(&grant.api, id)).collect();
            let text = format!("{} — never called in {days} days", listed(&names));
            (VerdictKind::Narrow, ReasonCode::PartlyUnused, text, Some(suggestion.operations))
        }
    };
    Recommendation { verdict: Some(verdict), reasons: vec![Reason { code, text }], narrower }
}

//! What a campaign is to cover and who reviews.

use base::{ApiId, Span, Timestamp};
use catalog::{Api, Impact};
use grant::{Grant, GrantSubject};
use identity::{Environment, IdentityKind, Owner};
use serde::{Deserialize, Serialize};

use crate::inventory::Inventory;
use crate::reviewer::ReviewerRule;

/// The longest time that reviewers get, in days.
pub const DAYS_MAX: u32 = 366;

/// Which live grants a campaign covers. All given conditions hold together; an empty list is no
/// condition.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// Kinds of identity. Groups are covered only when this and `environments` are empty.
    pub kinds: Vec<IdentityKind>,
    /// APIs.
    pub apis: Vec<ApiId>,
    /// Impacts of APIs.
    pub impacts: Vec<Impact>,
    /// Environments of identities.
    pub environments: Vec<Environment>,
}

impl Scope {
    /// The grant, which is live, is to be reviewed.
    pub fn covers(&self, grant: &Grant, inventory: &Inventory) -> bool {
        self.covers_subject(&grant.subject, inventory)
            && (self.apis.is_empty() || self.apis.contains(&grant.api))
            && self.covers_impact(inventory.api(&grant.api))
    }

    fn covers_subject(&self, subject: &GrantSubject, inventory: &Inventory) -> bool {
        let unconditional = self.kinds.is_empty() && self.environments.is_empty();
        match subject {
            GrantSubject::Group(_) => unconditional,
            GrantSubject::Identity(id) => inventory.identity(id).is_some_and(|identity| {
                (self.kinds.is_empty() || self.kinds.contains(&identity.kind))
                    && (self.environments.is_empty()
                        || self.environments.contains(&identity.environment))
            }),
        }
    }

    fn covers_impact(&self, api: Option<&Api>) -> bool {
        self.impacts.is_empty() || api.is_some_and(|api| self.impacts.contains(&api.impact))
    }
}

/// A campaign as it was ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// Display name.
    pub name: String,
    /// Which grants.
    pub scope: Scope,
    /// Who reviews: the first rule that gives an independent, active person.
    pub reviewers: Vec<ReviewerRule>,
    /// Who reviews when no rule does.
    pub fallback: Owner,
    /// How long reviewers have, in days.
    pub days: u32,
    /// What the reviewers are told.
    pub instructions: Option<String>,
}

impl Definition {
    /// When decisions end for a campaign that starts at `start`: the last moment of that day in
    /// UTC, so that nobody loses part of the last day.
    pub fn deadline(&self, start: Timestamp) -> Timestamp {
        let day = (start + Span::from_days(i64::from(self.days))).day();
        Timestamp::from_day(day.saturating_add(1)) - Span::from_secs(1)
    }
}

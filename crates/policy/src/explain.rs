//! Why a decision came out as it did: each grant that was considered, and what became of it.

use base::{ApiId, GrantId, GroupId, IdentityId, OperationId, Timestamp, words};
use catalog::Operation;
use grant::GrantStatus;

use crate::decide::Asked;
use crate::holdings::{Held, Holdings, Subject};
use crate::terms::{Circumstances, Unmet};
use crate::{ApiEntry, Caller, Explained, Facts, Ruleset};

words! {
    /// What one grant says about one request, the nearer to allowing it the earlier.
    Standing {
        /// It allows it.
        Allows = "allows",
        /// It covers the operation; whether its terms hold depends on the body.
        NeedsBody = "needs_body",
        /// It covers the operation; whether its terms hold depends on a relation that was not looked
        /// up.
        NeedsRelation = "needs_relation",
        /// It covers the operation, and the source of a relation did not say whether its terms hold.
        RelationUnknown = "relation_unknown",
        /// It covers the operation, and is being taken back for this request.
        Withdrawn = "withdrawn",
        /// It covers the operation for callers of another environment.
        OtherEnvironment = "other_environment",
        /// It covers the operation at other hours.
        OtherHours = "other_hours",
        /// It covers the operation from other networks.
        OtherNetwork = "other_network",
        /// It covers the operation with another kind of credential.
        OtherCredential = "other_credential",
        /// It covers the operation with a stronger or bound proof.
        TooWeak = "too_weak",
        /// It covers the operation and lets other properties be written.
        OtherProperties = "other_properties",
        /// It covers the operation on other objects.
        OtherObject = "other_object",
        /// It is in force and does not cover the operation.
        OtherOperations = "other_operations",
        /// It covers the operation, and no review has kept it in time.
        Uncertified = "uncertified",
        /// It covers the operation, and has ended.
        Expired = "expired",
        /// It covers the operation, and is suspended.
        Suspended = "suspended",
        /// It covers the operation, and was revoked.
        Revoked = "revoked",
    }
}

impl Standing {
    /// It covers the operation and is in force, and its terms are not met.
    pub fn is_of_terms(self) -> bool {
        matches!(
            self,
            Self::Withdrawn
                | Self::OtherEnvironment
                | Self::OtherHours
                | Self::OtherNetwork
                | Self::OtherCredential
                | Self::TooWeak
                | Self::OtherProperties
                | Self::OtherObject
        )
    }
}

/// One grant of the identity on the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Considered {
    /// The grant.
    pub grant: GrantId,
    /// The group that holds it; `None` when the identity does.
    pub via: Option<GroupId>,
    /// What it says about the request.
    pub standing: Standing,
    /// All of its terms that are not met, in order: the standing is the first.
    pub unmet: Vec<Standing>,
}

/// What is told about one request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// The grants of the identity on the API, those that allow first.
    pub grants: Vec<Considered>,
    /// The guardrails that are for the API, sorted by id.
    pub guardrails: Vec<Explained>,
}

impl Ruleset {
    /// Every grant on `api` that the identity or one of its groups holds, those that allow first,
    /// whatever their terms. Without a known operation none of them can allow.
    pub fn explain(
        &self,
        identity: &IdentityId,
        api: &ApiId,
        operation: Option<&OperationId>,
        now: Timestamp,
    ) -> Vec<Considered> {
        let Some(subject) = self.subjects.get(identity) else { return Vec::new() };
        self.consider(subject, api, operation, None, now)
    }

    /// The same for one request: terms are held against its facts.
    pub fn explain_request(
        &self,
        who: Caller<'_>,
        api: &ApiId,
        operation: Option<&OperationId>,
        facts: Facts<'_>,
        now: Timestamp,
    ) -> Vec<Considered> {
        let Some(subject) = self.subjects.get(who.identity()) else { return Vec::new() };
        let (Some(entry), Some(about)) = (self.entry(api), subject.about.as_deref()) else {
            return self.consider(subject, api, operation, None, now);
        };
        let asked = Asked { who, entry, operation: None, facts, now, hour: now, without: None };
        let groups = self.groups_of(subject);
        let met = self.circumstances(asked, about, &groups);
        self.consider(subject, api, operation, Some(&met), now)
    }

    /// The same with what guardrails say, for a request that was made at another time than now:
    /// whether a grant is in force is asked of `now`, its hours of the time of the request.
    pub fn explain_call(
        &self,
        who: Caller<'_>,
        api: &ApiEntry,
        operation: Option<&Operation>,
        facts: Facts<'_>,
        (now, made_at): (Timestamp, Timestamp),
    ) -> Told {
        let subject = self.subjects.get(who.identity());
        let Some((subject, about)) = subject.and_then(|one| Some((one, one.about.as_deref()?)))
        else {
            // Refused before grants or guardrails are asked.
            return Told::default();
        };
        let (entry, groups) = (api, self.groups_of(subject));
        let asked = Asked { who, entry, operation, facts, now, hour: made_at, without: None };
        let met = self.circumstances(asked, about, &groups);
        let operation = operation.map(|operation| &operation.id);
        let grants = self.consider(subject, &entry.api().id, operation, Some(&met), now);
        let guard = self.guard.as_ref();
        let question = || self.question(asked, about, &groups);
        Told { grants, guardrails: guard.map(|g| g.explain(&question())).unwrap_or_default() }
    }

    fn consider(
        &self,
        subject: &Subject,
        api: &ApiId,
        operation: Option<&OperationId>,
        met: Option<&Circumstances<'_>>,
        now: Timestamp,
    ) -> Vec<Considered> {
        let Some(number) = self.numbers.api(api) else { return Vec::new() };
        let operation = operation.and_then(|id| self.numbers.operation(number, id));
        let considered = |via: Option<&GroupId>, holdings: &Holdings| {
            let each = |held: &Held| {
                let standing = match operation {
                    Some(operation) if held.names(operation, &self.roles) => {
                        standing(held, met, now)
                    }
                    _ => Standing::OtherOperations,
                };
                let unmet = match (met, held.terms()) {
                    (Some(met), Some(terms)) if standing.is_of_terms() => met.unmet(terms),
                    _ => Vec::new(),
                };
                Considered { grant: held.id.clone(), via: via.cloned(), standing, unmet }
            };
            holdings.on(number).map(each).collect::<Vec<_>>()
        };
        let mut out = considered(None, &subject.holdings);
        for group in self.groups_of(subject) {
            if let Some(circle) = self.circles.get(&group) {
                out.extend(considered(Some(&group), &circle.holdings));
            }
        }
        out.sort_by(|a, b| (a.standing, &a.grant).cmp(&(b.standing, &b.grant)));
        out
    }
}

fn standing(held: &Held, met: Option<&Circumstances<'_>>, now: Timestamp) -> Standing {
    match held.status {
        GrantStatus::Revoked => Standing::Revoked,
        GrantStatus::Suspended => Standing::Suspended,
        GrantStatus::Active if !held.is_live(now) => {
            let certified = held.terms().and_then(|terms| terms.certified_until);
            let uncertified = certified.is_some_and(|until| until <= now && until == held.ends);
            if uncertified { Standing::Uncertified } else { Standing::Expired }
        }
        GrantStatus::Active => match (held.terms(), met) {
            (Some(terms), Some(met)) => match met.meet(terms) {
                Ok(()) => Standing::Allows,
                Err(Unmet::Later) => Standing::NeedsBody,
                Err(Unmet::Ask(_)) => Standing::NeedsRelation,
                Err(Unmet::For(why)) => why,
            },
            _ => Standing::Allows,
        },
    }
}

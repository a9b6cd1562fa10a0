//! Why a decision came out as it did: each grant that was considered, and what became of it.

use base::{ApiId, GrantId, GroupId, IdentityId, OperationId, Timestamp, words};
use grant::GrantStatus;

use crate::Ruleset;
use crate::holdings::{Held, Holdings};

words! {
    /// What one grant says about one operation.
    Standing {
        /// It allows it.
        Allows = "allows",
        /// It is in force and does not cover the operation.
        OtherOperations = "other_operations",
        /// It covers the operation, and has ended.
        Expired = "expired",
        /// It covers the operation, and is suspended.
        Suspended = "suspended",
        /// It covers the operation, and was revoked.
        Revoked = "revoked",
    }
}

/// One grant of the identity on the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Considered {
    /// The grant.
    pub grant: GrantId,
    /// The group that holds it; `None` when the identity does.
    pub via: Option<GroupId>,
    /// What it says about the operation.
    pub standing: Standing,
}

impl Ruleset {
    /// Every grant on `api` that the identity or one of its groups holds, those that allow first.
    /// Without a known operation none of them can allow.
    pub fn explain(
        &self,
        identity: &IdentityId,
        api: &ApiId,
        operation: Option<&OperationId>,
        now: Timestamp,
    ) -> Vec<Considered> {
        let (Some(number), Some(subject)) = (self.numbers.api(api), self.subjects.get(identity))
        else {
            return Vec::new();
        };
        let operation = operation.and_then(|id| self.numbers.operation(number, id));
        let considered = |via: Option<&GroupId>, holdings: &Holdings| {
            let each = |held: &Held| Considered {
                grant: held.id.clone(),
                via: via.cloned(),
                standing: match operation {
                    Some(operation) if held.operations.contains(operation) => standing(held, now),
                    _ => Standing::OtherOperations,
                },
            };
            holdings.on(number).iter().map(each).collect::<Vec<_>>()
        };
        let mut out = considered(None, &subject.holdings);
        for group in &subject.groups {
            if let Some(circle) = self.circles.get(group) {
                out.extend(considered(Some(group), &circle.holdings));
            }
        }
        out.sort_by(|a, b| (a.standing, &a.grant).cmp(&(b.standing, &b.grant)));
        out
    }
}

fn standing(held: &Held, now: Timestamp) -> Standing {
    match held.status {
        GrantStatus::Revoked => Standing::Revoked,
        GrantStatus::Suspended => Standing::Suspended,
        GrantStatus::Active if !held.is_live(now) => Standing::Expired,
        GrantStatus::Active => Standing::Allows,
    }
}

//! Which grants cover an operation for a subject: its own, and those of its groups.

use base::{ApiId, GrantId, GroupId, IdentityId, OperationId, Timestamp};
use smallvec::SmallVec;
use traffic::Reason;

use crate::Ruleset;
use crate::holdings::{Held, Holdings, Narrowed, Subject};
use crate::numbers::{ApiNumber, OperationNumber};

impl Ruleset {
    /// The grants in force of the subject and of its groups that cover the operation, sorted,
    /// whatever their terms.
    pub(crate) fn covering<'r>(
        &'r self,
        subject: &'r Subject,
        api: &ApiId,
        operation: &OperationId,
        now: Timestamp,
    ) -> SmallVec<[&'r Held; 2]> {
        self.covering_numbers(subject, self.number(api, operation), now, Narrowed::Not)
    }

    pub(crate) fn covering_numbers<'r>(
        &'r self,
        subject: &'r Subject,
        numbers: Option<(ApiNumber, OperationNumber)>,
        now: Timestamp,
        narrowed: Narrowed<'_>,
    ) -> SmallVec<[&'r Held; 2]> {
        let Some((api, operation)) = numbers else { return SmallVec::new() };
        let mut covering: SmallVec<[&Held; 2]> = SmallVec::new();
        self.holdings_of(subject, |holdings| {
            holdings.each(api, narrowed, |held| {
                if held.covers(operation, &self.roles, now) {
                    covering.push(held);
                }
            });
            false
        });
        if covering.len() > 1 {
            covering.sort_unstable_by(|one, other| one.id.cmp(&other.id));
            // A group may be above several groups of one subject.
            covering.dedup_by(|one, other| one.id == other.id);
        }
        covering
    }

    /// Whether grants in force on single objects cover an operation, on whatever objects.
    pub(crate) fn cover_objects(
        &self,
        subject: &Subject,
        numbers: Option<(ApiNumber, OperationNumber)>,
        now: Timestamp,
    ) -> bool {
        numbers.is_some_and(|numbers| {
            self.holdings_of(subject, |holdings| holdings.cover_objects(numbers, &self.roles, now))
        })
    }

    /// Shows the holdings of a subject and of its groups, until one is what is looked for. Those of
    /// a group may come more than once.
    fn holdings_of<'r>(
        &'r self,
        subject: &'r Subject,
        mut is_it: impl FnMut(&'r Holdings) -> bool,
    ) -> bool {
        if is_it(&subject.holdings) {
            return true;
        }
        subject.groups.iter().filter_map(|group| self.circles.get(group)).any(|circle| {
            let above = circle.above.iter().filter_map(|group| self.circles.get(group));
            is_it(&circle.holdings) || above.map(|circle| &circle.holdings).any(&mut is_it)
        })
    }

    fn number(&self, api: &ApiId, operation: &OperationId) -> Option<(ApiNumber, OperationNumber)> {
        let api = self.numbers.api(api)?;
        Some((api, self.numbers.operation(api, operation)?))
    }

    /// The groups of a subject, also by other groups; sorted.
    pub(crate) fn groups_of(&self, subject: &Subject) -> Vec<GroupId> {
        let mut groups: Vec<GroupId> = subject.groups.to_vec();
        for group in &subject.groups {
            groups
                .extend(self.circles.get(group).into_iter().flat_map(|c| c.above.iter().cloned()));
        }
        groups.sort_unstable();
        groups.dedup();
        groups
    }

    /// The grants by which an identity may call an operation under some circumstances, as if it had
    /// proved itself with an accepted credential and no narrowing scope. Observe mode does not count
    /// as permission, and terms and guardrails do not count as refusal: what is left here is access.
    pub fn probe(
        &self,
        identity: &IdentityId,
        api: &ApiId,
        operation: &OperationId,
        now: Timestamp,
    ) -> Result<Vec<GrantId>, Reason> {
        if !self.subjects.get(identity).is_some_and(|subject| subject.is_active(now)) {
            self.entry(api).ok_or(Reason::UnknownApi)?;
            return Err(Reason::IdentityInactive);
        }
        self.probe_grants(identity, api, operation, now)
    }

    /// The same whether or not the identity may act at present: the product's own question after a
    /// revocation. That a suspended identity is refused would say nothing about its grants.
    pub fn probe_grants(
        &self,
        identity: &IdentityId,
        api: &ApiId,
        operation: &OperationId,
        now: Timestamp,
    ) -> Result<Vec<GrantId>, Reason> {
        let entry = self.entry(api).ok_or(Reason::UnknownApi)?;
        let known = entry.api().operations.iter().find(|known| known.id == *operation);
        let subject = self.subjects.get(identity).ok_or(Reason::IdentityInactive)?;
        let known = known.ok_or(Reason::UnknownOperation)?;
        let covering = self.covering(subject, api, &known.id, now);
        if covering.is_empty() {
            return Err(Reason::NoGrant);
        }
        Ok(covering.iter().map(|held| held.id.clone()).collect())
    }
}

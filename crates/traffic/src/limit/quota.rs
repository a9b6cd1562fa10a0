//! What one node has used of one quota, and what it may use of it.
//!
//! The store puts down to each node what it may use before it uses it, in advances of some seconds'
//! demand. So what the store says was used is never less than what was, but for the moments of a
//! key's first use in a period; a node that dies leaves the rest of its advance counted as used.

use base::{Span, Timestamp};

use super::demand::{FINE, SLOT_US};
use super::{Calendar, Fleet, Period, Terms};

/// One key's quota at one node, in the period that runs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quota {
    pub(super) period: Period,
    /// By this node, since it started.
    pub(super) used: u64,
    /// What is put down to this node; `None` before the first round with this key.
    pub(super) holds: Option<u64>,
    /// The first round with this key is under way.
    is_promised: bool,
    /// What is put down to others, former lives of this node included.
    pub(super) elsewhere: u64,
}

impl Quota {
    pub(super) fn new(calendar: Calendar, now: Timestamp) -> Self {
        let period = Period::at(calendar, now);
        Self { period, used: 0, holds: None, is_promised: false, elsewhere: 0 }
    }

    /// Begins anew when its period is over. A clock that was set back does not bring one back.
    pub(super) fn roll(&mut self, calendar: Calendar, now: Timestamp) {
        if now >= self.period.end {
            *self = Self::new(calendar, now);
        }
    }

    /// What this node may use of `count`. Alone it is all that nobody else has used. In a fleet it
    /// is the node's advance, and before there is one its part of the whole. Cut off from the
    /// store it adds its part of what was free when it last heard of it.
    fn bound(&self, count: u64, terms: Terms) -> u64 {
        let others = count.saturating_sub(self.elsewhere);
        match (terms.fleet, self.holds) {
            (Fleet::Alone, _) => others,
            (Fleet::Joined, Some(holds)) => holds,
            (Fleet::CutOff, Some(holds)) => {
                holds.saturating_add(terms.split.of(others.saturating_sub(holds)))
            }
            (Fleet::Joined | Fleet::CutOff, None) => terms.split.of(count),
        }
    }

    /// Whether so much more may be used; else how long to wait.
    pub(super) fn check(
        &self,
        count: u64,
        cost: u32,
        terms: Terms,
        now: Timestamp,
    ) -> Result<(), Span> {
        let cost = u64::from(cost);
        if self.used.saturating_add(cost) <= self.bound(count, terms) {
            return Ok(());
        }
        if self.left(count) >= cost {
            // There is some, and the next round may bring it here.
            return Err(Span::from_micros(SLOT_US));
        }
        Err(self.period.end.since(now))
    }

    /// What is left of `count` for all nodes together, as far as this one knows.
    pub(super) fn left(&self, count: u64) -> u64 {
        count.saturating_sub(self.elsewhere).saturating_sub(self.used)
    }

    /// Whether the next half second may need more than is put down to this node.
    pub(super) fn is_low(&self, count: u64, current: u64) -> bool {
        let holds = self.holds.unwrap_or_default();
        let soon = self.used.saturating_add(2 * current).saturating_add(1);
        soon > holds && holds < count.saturating_sub(self.elsewhere)
    }

    /// What is to be put down to this node in a round that starts now. With the first one the node
    /// gives up its part of the whole for an advance: the others may have the rest.
    pub(super) fn promise(&mut self, count: u64, demand: u64, terms: Terms) -> u64 {
        if terms.fleet == Fleet::Alone {
            return self.holds.unwrap_or_default().max(self.used);
        }
        let holds = self.holds.unwrap_or_else(|| {
            self.is_promised = true;
            let advance = (8 * demand / FINE).max(count / 100).max(1);
            terms.split.of(count).min(self.used.saturating_add(advance)).max(self.used)
        });
        self.holds = Some(holds);
        holds
    }

    /// The store was not reached, so what was promised first was never promised.
    pub(super) fn withdraw(&mut self) {
        if std::mem::take(&mut self.is_promised) {
            self.holds = None;
        }
    }

    /// What the store says. More use than is put down is possible alone, where nobody else can use
    /// the same; in a fleet it cannot be.
    pub(super) fn settle(&mut self, holds: Option<u64>, elsewhere: u64, terms: Terms) {
        self.elsewhere = elsewhere;
        let Some(holds) = holds else { return };
        self.is_promised = false;
        let least = if terms.fleet == Fleet::Alone { 0 } else { self.used };
        self.holds = Some(holds.max(least));
    }

    /// Gives back what is not used.
    pub(super) fn give_back(&mut self) {
        self.holds = Some(self.used);
    }
}

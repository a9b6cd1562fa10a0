//! What one key has used of one limit at one node, and the node's part of it.

use base::{Span, Timestamp};

use super::demand::{Demand, FINE};
use super::fleet::{Ask, Told};
use super::quota::Quota;
use super::{Fullness, Limit, Measure, Period, Standing};
use crate::rate::{Share, State};

/// Who else admits requests under the same limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fleet {
    /// Nobody.
    Alone,
    /// Other nodes, with which this one shares a store.
    Joined,
    /// The same, but the store does not answer.
    CutOff,
}

/// The terms on which a node admits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// The node's part of every key that nothing else was agreed on.
    pub split: Share,
    /// When that part last grew, in a fleet: others had it before, and used it.
    pub since: Timestamp,
    /// Who else admits.
    pub fleet: Fleet,
}

impl Terms {
    /// Those of a node that shares nothing.
    pub const ALONE: Self =
        Self { split: Share::WHOLE, since: Timestamp::MIN, fleet: Fleet::Alone };

    /// Takes over another part of everything. Who gets all of it shares with nobody, and need not
    /// wait for what others may have used.
    #[must_use]
    pub fn with_split(self, split: Share, now: Timestamp) -> Self {
        let since = match split {
            Share::WHOLE => Timestamp::MIN,
            _ if split > self.split => now,
            _ => self.since,
        };
        Self { split, since, ..self }
    }
}

/// How long to wait for one of the requests at the same time to end; nobody knows, so it is short.
const SLOT_WAIT: Span = Span::from_secs(1);
/// A key that nothing was asked of for so long needs no share of its own.
const IDLE_AFTER: Span = Span::from_secs(10);

/// A key under one limit.
#[derive(Debug, Clone, Copy)]
pub struct Meter {
    used: Used,
    demand: Demand,
    asked_at: Timestamp,
    /// It takes part in the next round.
    is_listed: bool,
}

#[derive(Debug, Clone, Copy)]
enum Used {
    Rate { state: State, part: Part },
    Slots { in_use: u32, part: Part },
    Quota(Quota),
}

/// The node's part of a rate or of the requests at the same time.
#[derive(Debug, Clone, Copy)]
struct Part {
    share: Share,
    /// It was agreed on for this key, and is not simply the node's part of everything.
    is_agreed: bool,
}

impl Meter {
    /// Of a key that nothing was used of yet.
    pub fn new(limit: Limit, terms: Terms, now: Timestamp) -> Self {
        let part = Part { share: terms.split, is_agreed: false };
        let used = match limit.measure() {
            Measure::Rate { .. } => {
                let rate = limit.rate().filter(|_| terms.since > Timestamp::MIN);
                let rate = rate.map(|rate| rate.part(part.share));
                // What the node can use at once of what was others' before is not fresh.
                let state = rate.map_or(State::FRESH, |rate| rate.all_but_one(terms.since));
                Used::Rate { state, part }
            }
            Measure::Concurrent { .. } => Used::Slots { in_use: 0, part },
            Measure::Quota { calendar, .. } => Used::Quota(Quota::new(calendar, now)),
        };
        Self { used, demand: Demand::default(), asked_at: now, is_listed: false }
    }

    /// Whether a request of this cost passes; else how long to wait. Nothing is used by it.
    pub fn check(
        &mut self,
        limit: Limit,
        cost: u32,
        terms: Terms,
        now: Timestamp,
    ) -> Result<(), Span> {
        match (&mut self.used, limit.measure()) {
            (Used::Rate { state, part }, _) => {
                let Some(rate) = limit.rate() else { return Ok(()) };
                let rate = rate.part(part.share);
                *state = rate.settled(*state, now);
                rate.step_by(cost, *state, now).map(|_| ())
            }
            (Used::Slots { in_use, part }, Measure::Concurrent { count }) => {
                if *in_use < room(*part, count) { Ok(()) } else { Err(SLOT_WAIT) }
            }
            (Used::Quota(quota), Measure::Quota { count, calendar }) => {
                quota.roll(calendar, now);
                quota.check(count, cost, terms, now)
            }
            // A key holds the name of its limit, and the name says what is measured.
            (Used::Slots { .. } | Used::Quota(_), _) => Ok(()),
        }
    }

    /// Uses what [`Meter::check`] found free.
    pub fn take(&mut self, limit: Limit, cost: u32, now: Timestamp) {
        match &mut self.used {
            Used::Rate { state, part } => {
                self.demand.add(cost, now);
                if let Some(rate) = limit.rate() {
                    *state = rate.part(part.share).step_by(cost, *state, now).unwrap_or(*state);
                }
            }
            Used::Slots { in_use, .. } => *in_use = in_use.saturating_add(1),
            Used::Quota(quota) => {
                self.demand.add(cost, now);
                quota.used = quota.used.saturating_add(u64::from(cost));
            }
        }
    }

    /// A request did not pass here: it counts as demand all the same.
    pub fn refuse(&mut self, cost: u32, now: Timestamp) {
        self.demand.add(cost.max(1), now);
    }

    /// One of the requests at the same time has ended.
    pub fn release(&mut self) {
        if let Used::Slots { in_use, .. } = &mut self.used {
            *in_use = in_use.saturating_sub(1);
        }
    }

    /// How much is left, for comparison with other limits.
    pub fn fullness(&self, limit: Limit, now: Timestamp) -> Fullness {
        let (left, whole) = match (&self.used, limit.measure()) {
            (Used::Rate { state, part }, _) => match limit.rate() {
                Some(rate) => rate.part(part.share).free(*state, now),
                None => (0, 1),
            },
            (Used::Quota(quota), Measure::Quota { count, .. }) => (quota.left(count), count),
            (Used::Slots { in_use, part }, Measure::Concurrent { count }) => {
                (u64::from(room(*part, count).saturating_sub(*in_use)), u64::from(count))
            }
            _ => (0, 1),
        };
        Fullness { left, whole }
    }

    /// How the limit stands.
    pub fn standing(&self, limit: Limit, now: Timestamp) -> Standing {
        let (name, none) = (limit.name(), Span::default());
        match (&self.used, limit.measure()) {
            (Used::Rate { state, part }, Measure::Rate { count, window, .. }) => {
                let rate = limit.rate().map(|rate| rate.part(part.share));
                Standing {
                    name,
                    allowed: u64::from(count),
                    window: Some(u64::from(window.seconds())),
                    left: rate.map_or(0, |rate| rate.left(*state, now)),
                    reset: rate.map_or(none, |rate| rate.whole_in(*state, now)),
                }
            }
            (Used::Quota(quota), Measure::Quota { count, .. }) => Standing {
                name,
                allowed: count,
                window: Some(quota.period.seconds()),
                left: quota.left(count),
                reset: quota.period.end.since(now),
            },
            (Used::Slots { in_use, part }, Measure::Concurrent { count }) => {
                let left = u64::from(room(*part, count).saturating_sub(*in_use));
                Standing { name, allowed: u64::from(count), window: None, left, reset: none }
            }
            _ => Standing { name, allowed: 0, window: None, left: 0, reset: none },
        }
    }

    /// Whether it could as well be forgotten.
    pub fn is_spent(&self, now: Timestamp) -> bool {
        if self.is_listed {
            return false;
        }
        match &self.used {
            Used::Rate { state, part } => !part.is_agreed && state.is_spent(now),
            Used::Slots { in_use, part } => !part.is_agreed && *in_use == 0,
            Used::Quota(quota) => now >= quota.period.end,
        }
    }

    /// Whether the key is to take part in the next round and was not yet to; it counts as listed
    /// from then on. `pressed` = a request was refused here.
    pub fn joins_round(&mut self, limit: Limit, terms: Terms, pressed: bool) -> bool {
        if self.is_listed {
            return false;
        }
        let is_alone = terms.fleet == Fleet::Alone;
        let current = self.demand.current();
        self.is_listed = match (&self.used, limit.measure()) {
            (Used::Quota(quota), Measure::Quota { count, .. }) => {
                quota.is_low(count, current) || (pressed && !is_alone && quota.left(count) > 0)
            }
            // Who has everything has nothing to agree on.
            (Used::Rate { part, .. } | Used::Slots { part, .. }, _)
                if is_alone || (terms.split == Share::WHOLE && !part.is_agreed) =>
            {
                false
            }
            (Used::Rate { part, .. }, Measure::Rate { count, window, .. }) => {
                // Half of what the share admits in a slot.
                let slots = u64::from(window.seconds()) * 8;
                pressed || part.is_agreed || current * slots > part.share.of(u64::from(count))
            }
            (Used::Slots { in_use, part }, Measure::Concurrent { count }) => {
                pressed || part.is_agreed || in_use.saturating_mul(2) > room(*part, count)
            }
            _ => false,
        };
        self.is_listed
    }

    /// Whether a quota is used of which the store does not know yet in this period: the next round
    /// should not be long in coming.
    pub const fn is_unsaid(&self) -> bool {
        matches!(&self.used, Used::Quota(quota) if quota.holds.is_none())
    }

    /// Whether the share of the key is agreed on and nothing was asked of it for long: the next
    /// round gives it up.
    pub fn is_idle(&mut self, now: Timestamp) -> bool {
        let is_free = match &self.used {
            Used::Rate { part, .. } => part.is_agreed,
            Used::Slots { in_use, part } => part.is_agreed && *in_use == 0,
            Used::Quota(_) => false,
        };
        is_free && self.demand.per_slot(now) == 0 && now.since(self.asked_at) >= IDLE_AFTER
    }

    /// Puts the key on the list of the next round; false when it is there already.
    pub fn list(&mut self) -> bool {
        !std::mem::replace(&mut self.is_listed, true)
    }

    /// What the node says of the key in a round.
    pub fn ask(&mut self, key: &str, limit: Limit, terms: Terms, now: Timestamp) -> Ask {
        self.is_listed = false;
        let is_idle = self.is_idle(now);
        let mut demand = self.demand.per_slot(now);
        if demand > 0 {
            self.asked_at = now;
        }
        let (mut period, mut used) = (None, 0);
        let holds = match (&mut self.used, limit.measure()) {
            (Used::Quota(quota), Measure::Quota { count, calendar }) => {
                quota.roll(calendar, now);
                (period, used) = (Some(quota.period), quota.used);
                quota.promise(count, demand, terms)
            }
            (Used::Slots { in_use, part }, Measure::Concurrent { count }) => {
                demand += u64::from(*in_use) * FINE;
                // A share that was given up is in use until the requests in it have ended.
                let in_use = u64::from(*in_use) * Share::WHOLE.millionths();
                part.share.millionths().max(in_use.div_ceil(u64::from(count.max(1))))
            }
            (Used::Rate { part, .. }, _) => part.share.millionths(),
            (Used::Slots { .. } | Used::Quota(_), _) => 0,
        };
        Ask { key: key.to_owned(), limit, period, holds, used, demand, is_idle }
    }

    /// The round did not reach the store.
    pub fn withdraw(&mut self) {
        if let Used::Quota(quota) = &mut self.used {
            quota.withdraw();
        }
    }

    /// Takes over what a round says of the key.
    pub fn settle(&mut self, limit: Limit, told: &Told, terms: Terms, now: Timestamp) {
        match &mut self.used {
            Used::Quota(quota) => {
                if told.period.map(|period: Period| period.start) == Some(quota.period.start) {
                    quota.settle(told.holds, told.elsewhere, terms);
                }
            }
            Used::Rate { .. } | Used::Slots { .. } => {
                let Some(holds) = told.holds else { return };
                self.change_share(limit, Share::from_millionths(holds), now);
                self.set_agreed(!told.is_released);
            }
        }
    }

    /// Whether a round after the one that was just asked for has to hear of the key too: a share
    /// goes by what is asked for, and must end when that ends.
    pub fn stays_in_rounds(&mut self, now: Timestamp) -> bool {
        let is_agreed = match &self.used {
            Used::Rate { part, .. } | Used::Slots { part, .. } => part.is_agreed,
            Used::Quota(_) => false,
        };
        is_agreed && self.demand.per_slot(now) > 0
    }

    /// Gives back what was put down in advance and not used; true when there was some. For a node
    /// that ends.
    pub fn give_back(&mut self) -> bool {
        let Used::Quota(quota) = &mut self.used else { return false };
        let had = quota.holds.is_some_and(|holds| holds > quota.used);
        quota.give_back();
        had
    }

    /// Takes over another part of everything, unless a share was agreed on for this key.
    pub fn follow(&mut self, limit: Limit, split: Share, now: Timestamp) {
        let is_agreed = match &self.used {
            Used::Rate { part, .. } | Used::Slots { part, .. } => part.is_agreed,
            Used::Quota(_) => true,
        };
        if !is_agreed {
            self.change_share(limit, split, now);
        }
    }

    fn change_share(&mut self, limit: Limit, share: Share, now: Timestamp) {
        match &mut self.used {
            Used::Rate { state, part } => {
                if let Some(rate) = limit.rate() {
                    *state = rate.part(part.share).converted(*state, rate.part(share), now);
                }
                part.share = share;
            }
            Used::Slots { part, .. } => part.share = share,
            Used::Quota(_) => {}
        }
    }

    fn set_agreed(&mut self, is_agreed: bool) {
        if let Used::Rate { part, .. } | Used::Slots { part, .. } = &mut self.used {
            part.is_agreed = is_agreed;
        }
    }
}

/// How many requests at the same time a part allows: at least one, or a small part could never be
/// used.
fn room(part: Part, count: u32) -> u32 {
    u32::try_from(part.share.of(u64::from(count))).unwrap_or(count).max(1)
}

#[cfg(test)]
mod tests;

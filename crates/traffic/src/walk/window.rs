//! What was fresh in the last hour, in tenths of it.

use base::{Span, Timestamp};

/// A tenth of an hour.
const TENTH: Span = Span::from_secs(360);
const TENTHS: usize = 10;

/// Counts of the last hour, to the tenth.
#[derive(Debug, Default)]
pub(super) struct Window([Tenth; TENTHS]);

#[derive(Debug, Default, Clone, Copy)]
struct Tenth {
    number: i64,
    first_at: Option<Timestamp>,
    fresh: u32,
    misses: u32,
    in_order: u32,
}

fn number(at: Timestamp) -> i64 {
    at.as_micros().div_euclid(TENTH.as_micros())
}

impl Window {
    pub(super) fn add(&mut self, at: Timestamp, missed: bool, in_order: bool) {
        let number = number(at);
        let place = usize::try_from(number.rem_euclid(TENTHS as i64)).unwrap_or(0);
        let Some(tenth) = self.0.get_mut(place) else { return };
        // Records come in the order of commits, so one may be a little late: it is let go.
        if tenth.number > number {
            return;
        }
        if tenth.number < number {
            *tenth = Tenth { number, ..Tenth::default() };
        }
        tenth.first_at.get_or_insert(at);
        tenth.fresh = tenth.fresh.saturating_add(1);
        tenth.misses = tenth.misses.saturating_add(missed.into());
        tenth.in_order = tenth.in_order.saturating_add(in_order.into());
    }

    fn of_hour(&self, at: Timestamp) -> impl Iterator<Item = &Tenth> {
        let now = number(at);
        self.0.iter().filter(move |tenth| now - tenth.number < TENTHS as i64)
    }

    /// Fresh objects.
    pub(super) fn fresh(&self, at: Timestamp) -> u32 {
        self.of_hour(at).map(|tenth| tenth.fresh).sum()
    }

    /// Of these, misses.
    pub(super) fn misses(&self, at: Timestamp) -> u32 {
        self.of_hour(at).map(|tenth| tenth.misses).sum()
    }

    /// Of these, those with the id that follows the one before.
    pub(super) fn in_order(&self, at: Timestamp) -> u32 {
        self.of_hour(at).map(|tenth| tenth.in_order).sum()
    }

    /// The first of them.
    pub(super) fn first_at(&self, at: Timestamp) -> Option<Timestamp> {
        self.of_hour(at).filter_map(|tenth| tenth.first_at).min()
    }
}

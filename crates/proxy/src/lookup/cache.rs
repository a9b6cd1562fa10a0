//! Answers of a source, for a time. Two generations bound them, as they bound verified tokens: when
//! the young one is full it becomes the old one, and the former old one is forgotten.

use std::collections::HashMap;
use std::hash::Hash;

use base::{Span, Timestamp};

/// An answer, and when it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) related: bool,
    pub(super) asked_at: Timestamp,
}

/// A bounded cache of answers. The hash is keyed: callers choose the objects, and could choose them so
/// that they collide.
pub(super) struct Cache<K> {
    keep_for: Span,
    generation_max: usize,
    young: HashMap<K, Kept>,
    old: HashMap<K, Kept>,
}

impl<K: Hash + Eq> Cache<K> {
    pub(super) fn new(entries: usize, keep_for: Span) -> Self {
        let generation_max = entries / 2;
        let (young, old) = (HashMap::default(), HashMap::default());
        Self { keep_for, generation_max, young, old }
    }

    /// The answer, while it holds. One from the future, after the clock went back, does not.
    pub(super) fn get(&mut self, key: &K, now: Timestamp) -> Option<Kept> {
        let kept = match self.young.get(key) {
            Some(kept) => *kept,
            None => {
                let (key, kept) = self.old.remove_entry(key)?;
                if self.holds(&kept, now) {
                    self.put(key, kept);
                }
                kept
            }
        };
        self.holds(&kept, now).then_some(kept)
    }

    fn holds(&self, kept: &Kept, now: Timestamp) -> bool {
        let age = now.since(kept.asked_at);
        kept.asked_at <= now && age < self.keep_for
    }

    pub(super) fn put(&mut self, key: K, kept: Kept) {
        if self.generation_max == 0 || self.keep_for.as_micros() == 0 {
            return;
        }
        if self.young.len() >= self.generation_max && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(seconds: i64) -> Kept {
        Kept { related: true, asked_at: Timestamp::from_secs(seconds) }
    }

    #[test]
    fn what_is_too_old_from_the_future_or_to_be_kept_for_no_time_does_not_hold() {
        let mut cache = Cache::new(4, Span::from_secs(30));
        cache.put(1, kept(100));
        assert_eq!(cache.get(&1, Timestamp::from_secs(130)), None);
        assert_eq!(cache.get(&1, Timestamp::from_secs(99)), None);
        assert_eq!(cache.get(&1, Timestamp::from_secs(129)), Some(kept(100)));
        let mut never = Cache::new(4, Span::from_secs(0));
        never.put(1, kept(100));
        assert_eq!(never.get(&1, Timestamp::from_secs(100)), None);
        let mut nothing = Cache::new(1, Span::from_secs(30));
        nothing.put(1, kept(100));
        assert_eq!(nothing.young.len(), 0, "less than one for each generation");
    }

    #[test]
    fn the_cache_is_bounded_and_keeps_what_is_used() {
        let mut cache = Cache::new(100, Span::from_secs(30));
        let now = Timestamp::from_secs(100);
        cache.put(0, kept(100));
        for number in 1..10_000 {
            cache.put(number, kept(100));
            assert_eq!(cache.get(&0, now), Some(kept(100)), "used all the time");
            assert!(cache.young.len() + cache.old.len() <= 100);
        }
        assert_eq!(cache.get(&1, now), None);
    }
}

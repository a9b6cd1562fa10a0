//! Schemas for the same value, in combination.

use serde_json::Value;

use super::seen::Seen;
use super::{At, Run};
use crate::schema::{Id, Part};
use crate::violation::Rule;

impl<'t> Run<'t> {
    pub(super) fn part<'v>(
        &mut self,
        at: At<'v, '_>,
        part: &'t Part,
        seen: Option<&mut Seen<'v>>,
    ) -> bool {
        match part {
            Part::All(ids) => self.all(at, ids, seen),
            Part::Any(ids) => self.any(at, ids, seen),
            Part::One(ids) => self.one(at, ids, seen),
            Part::Not(id) => {
                let not = at.with(*id);
                if self.plainly(|run| run.apply(not, None)) && !self.is_over() {
                    let what = || "is what the schema excludes".to_owned();
                    return self.fail(not, Rule::WrongCombination, what);
                }
                true
            }
            Part::If { test, then, otherwise } => self.branch(at, (*test, *then, *otherwise), seen),
            Part::Dependent(named) => {
                let has =
                    |name: &str| at.value.as_object().is_some_and(|all| all.contains_key(name));
                let ids = named.iter().filter(|(name, _)| has(name)).map(|(_, id)| *id);
                self.each(at, ids, seen)
            }
        }
    }

    fn all<'v>(&mut self, at: At<'v, '_>, ids: &[Id], seen: Option<&mut Seen<'v>>) -> bool {
        self.each(at, ids.iter().copied(), seen)
    }

    fn each<'v>(
        &mut self,
        at: At<'v, '_>,
        ids: impl Iterator<Item = Id>,
        mut seen: Option<&mut Seen<'v>>,
    ) -> bool {
        let mut ok = true;
        for id in ids {
            if self.goes_on(ok) {
                ok &= self.apply(at.with(id), seen.as_deref_mut());
            }
        }
        ok
    }

    fn any<'v>(&mut self, at: At<'v, '_>, ids: &[Id], seen: Option<&mut Seen<'v>>) -> bool {
        let Some(seen) = seen else {
            let met = ids.iter().any(|id| self.meets(at.with(*id)));
            return met || self.none_of(at, ids);
        };
        let mut met = false;
        for id in ids {
            // All of them: each that is met says what it looked at.
            met |= self.try_one(at.with(*id), seen);
        }
        seen.unsure |= !met;
        met || self.none_of(at, ids)
    }

    fn one<'v>(&mut self, at: At<'v, '_>, ids: &[Id], mut seen: Option<&mut Seen<'v>>) -> bool {
        let mut met = 0;
        for id in ids {
            let this = at.with(*id);
            met += usize::from(match seen.as_deref_mut() {
                Some(seen) => self.try_one(this, seen),
                None => self.meets(this),
            });
            if met > 1 && self.quiet > 0 {
                break;
            }
        }
        if let Some(seen) = seen {
            seen.unsure |= met != 1;
        }
        match met {
            _ if self.is_over() => false,
            0 => self.none_of(at, ids),
            1 => true,
            _ => self.fail(at, Rule::WrongCombination, || {
                format!("fits {met} of {} alternatives, and exactly one is asked for", ids.len())
            }),
        }
    }

    /// Asks one alternative. Those that plainly are not meant are not looked into: a list of many
    /// kinds of things would cost as many times the work.
    fn meets(&mut self, at: At<'_, '_>) -> bool {
        self.could_be(at.id, at.value) && self.quietly(|run| run.apply(at, None))
    }

    /// Asks one alternative, and takes what it looked at if it is met.
    fn try_one<'v>(&mut self, at: At<'v, '_>, seen: &mut Seen<'v>) -> bool {
        let mut mine = Seen::default();
        let met =
            self.could_be(at.id, at.value) && self.quietly(|run| run.apply(at, Some(&mut mine)));
        if met {
            seen.take(mine);
        }
        met
    }

    fn branch<'v>(
        &mut self,
        at: At<'v, '_>,
        (test, then, otherwise): (Id, Option<Id>, Option<Id>),
        mut seen: Option<&mut Seen<'v>>,
    ) -> bool {
        let mut mine = Seen::default();
        let wanted = seen.is_some();
        let met = self.plainly(|run| run.apply(at.with(test), wanted.then_some(&mut mine)));
        if let Some(seen) = seen.as_deref_mut().filter(|_| met) {
            seen.take(mine);
        }
        match if met { then } else { otherwise } {
            Some(id) => self.apply(at.with(id), seen),
            None => !self.is_over(),
        }
    }

    /// Tells why no alternative is met: by the only one that was meant, where that can be told.
    fn none_of(&mut self, at: At<'_, '_>, ids: &[Id]) -> bool {
        if self.quiet > 0 || self.is_over() {
            return false;
        }
        let before = self.found.len();
        if let Some(meant) = self.meant(ids, at.value) {
            self.apply(at.with(meant), None);
        }
        if self.found.len() == before {
            let count = ids.len();
            return self
                .fail(at, Rule::WrongCombination, || format!("fits none of {count} alternatives"));
        }
        false
    }

    /// The only alternative that the value could be, by its type and by properties that say which
    /// one it is.
    fn meant(&mut self, ids: &[Id], value: &Value) -> Option<Id> {
        let mut possible = ids.iter().copied().filter(|id| self.could_be(*id, value));
        let first = possible.next()?;
        possible.next().is_none().then_some(first)
    }
}

//! Texts as numbers, and the unknowns of a request.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use grant::Place;
use identity::{Binding, CredentialClass, Strength};

use super::term::Term;

/// Texts, places and claims that formulas name, numbered as they come.
#[derive(Debug, Default)]
pub(super) struct Names {
    texts: BTreeMap<String, i128>,
    pub(super) places: Vec<Place>,
    /// Policies outside of the fragment that two states have in common.
    strange: Vec<String>,
    pub(super) claims: Vec<String>,
}

/// Years 0 to 9999, which Cedar can write, in milliseconds.
const NOW: (i64, i64) = (-62_167_219_200_000, 253_402_300_799_999);

impl Names {
    pub(super) fn text(&mut self, text: &str) -> Term {
        let next = i128::try_from(self.texts.len()).unwrap_or(i128::MAX);
        Term::Int(*self.texts.entry(text.to_owned()).or_insert(next))
    }

    pub(super) fn set<'t>(&mut self, texts: impl IntoIterator<Item = &'t str>) -> Term {
        let numbers = texts.into_iter().filter_map(|text| match self.text(text) {
            Term::Int(number) => Some(number),
            _ => None,
        });
        Term::Set(numbers.collect())
    }

    pub(super) fn place(&mut self, place: &Place) -> Term {
        let at = self.places.iter().position(|known| known == place);
        let at = at.unwrap_or_else(|| {
            self.places.push(place.clone());
            self.places.len() - 1
        });
        Term::Var(format!("place_{at}"))
    }

    /// Whether a policy outside of the fragment holds: the same in both states, whatever it is.
    pub(super) fn strange(&mut self, mark: &str) -> Term {
        let at = self.strange.iter().position(|known| known == mark);
        let at = at.unwrap_or_else(|| {
            self.strange.push(mark.to_owned());
            self.strange.len() - 1
        });
        Term::Var(format!("strange_{at}"))
    }

    pub(super) fn claim(&mut self, name: &str) -> Term {
        let at = self.claims.iter().position(|known| known == name);
        let at = at.unwrap_or_else(|| {
            self.claims.push(name.to_owned());
            self.claims.len() - 1
        });
        Term::Var(format!("claim_{at}"))
    }

    /// The text behind a number. One that no formula names is some other text.
    pub(super) fn word(&self, number: i128) -> String {
        let known = self.texts.iter().find(|(_, known)| **known == number);
        known.map_or_else(|| format!("other~{number}"), |(text, _)| text.clone())
    }

    /// The unknowns, by name and sort.
    pub(super) fn unknowns(&self) -> Vec<(String, &'static str)> {
        let plain = [
            ("now", "Int"),
            ("now_us", "Int"),
            ("week_minute", "Int"),
            ("draw", "Int"),
            ("class", "Int"),
            ("strength", "Int"),
            ("bound", "Bool"),
            ("binding", "Int"),
            ("from", "Bool"),
            ("v4", "Bool"),
            ("address", "Int"),
            ("scoped", "Bool"),
            ("scopes", SET),
            ("writes", SET),
            ("readable", "Bool"),
            ("unreadable", SET),
            ("case", "Int"),
        ];
        let mut all: Vec<_> =
            plain.iter().map(|(name, sort)| ((*name).to_owned(), *sort)).collect();
        all.extend((0..self.places.len()).map(|at| (format!("place_{at}"), SET)));
        all.extend((0..self.claims.len()).map(|at| (format!("claim_{at}"), SET)));
        all.extend((0..self.strange.len()).map(|at| (format!("strange_{at}"), "Bool")));
        all.extend(self.parameters().map(|at| (format!("one_{at}"), "Int")));
        all
    }

    /// The places that are parameters of paths.
    fn parameters(&self) -> impl Iterator<Item = usize> {
        let places = self.places.iter().enumerate();
        places.filter(|(_, place)| matches!(place, Place::Path(_))).map(|(at, _)| at)
    }

    /// What holds of every request.
    pub(super) fn facts(&mut self) -> Vec<Term> {
        let between = |name: &str, low: i128, high: i128| {
            let value = || Term::var(name);
            let above = Term::at_most(Term::Int(low), value());
            Term::and([above, Term::at_most(value(), Term::Int(high))])
        };
        let mut facts = vec![
            between("now", NOW.0.into(), NOW.1.into()),
            between("now_us", 0, 999),
            between("week_minute", 0, 10_079),
            between("draw", 0, 9_999),
            Term::choose(
                Term::var("v4"),
                between("address", 0, u32::MAX.into()),
                // An IPv6 address that maps an IPv4 one is told as the latter.
                Term::and([
                    between("address", v6(0), v6(u128::MAX)),
                    Term::not(between("address", v6(0xffff_0000_0000), v6(0xffff_ffff_ffff))),
                ]),
            ),
        ];
        self.proofs(&mut facts);
        for place in self.places.clone() {
            let (value, name) = (self.place(&place), self.text(&place.to_string()));
            let unreadable = Term::member(name, Term::var("unreadable"));
            facts.push(Term::or([Term::not(unreadable), Term::equal(value, Term::empty())]));
        }
        facts
    }

    /// How kinds of credentials, bindings and strengths belong together.
    fn proofs(&mut self, facts: &mut Vec<Term>) {
        let classes = self.set(CredentialClass::ALL.iter().map(|class| class.as_str()));
        let bindings = self.set(Binding::ALL.iter().map(|binding| binding.as_str()));
        facts.push(Term::member(Term::var("class"), classes));
        facts.push(Term::member(Term::var("binding"), bindings));
        let of = |strength: Strength| strength.as_str();
        let bound = self.text(of(Strength::SenderConstrained));
        let is_bound = Term::equal(Term::var("strength"), bound);
        facts.push(Term::or([Term::not(Term::var("bound")), is_bound]));
        for class in CredentialClass::ALL {
            let is = Term::equal(Term::var("class"), self.text(class.as_str()));
            let strength = self.text(of(class.strength(None)));
            let has = Term::equal(Term::var("strength"), strength);
            facts.push(Term::or([Term::var("bound"), Term::not(is), has]));
        }
    }

    /// Declarations and facts, as a script.
    pub(super) fn preamble(&mut self) -> String {
        let facts = self.facts();
        let mut out = String::from("(set-logic ALL)\n(set-option :produce-models true)\n");
        for (name, sort) in self.unknowns() {
            let _ = writeln!(out, "(declare-const {name} {sort})");
        }
        // 1970 began on a Thursday; weeks begin on Monday.
        out.push_str("(assert (= week_minute (mod (+ (div now 60000) 4320) 10080)))\n");
        for fact in facts {
            let _ = writeln!(out, "(assert {fact})");
        }
        // A parameter of a path has one value, or none that can be read.
        for at in self.parameters() {
            let none = Term::empty();
            let _ = writeln!(
                out,
                "(assert (or (= place_{at} {none}) (= place_{at} (set.singleton one_{at}))))"
            );
        }
        out
    }
}

const SET: &str = "(Set Int)";

/// An IPv6 address as a number of the same order, from the least that fits.
pub(super) fn v6(address: u128) -> i128 {
    (address ^ (1 << 127)).cast_signed()
}

/// The address behind a number.
pub(super) fn v6_of(number: i128) -> u128 {
    number.cast_unsigned() ^ (1 << 127)
}

//! Whether the terms of a grant hold for one request.

use std::collections::BTreeSet;
use std::net::IpAddr;

use base::Timestamp;
use grant::{Place, Source, Terms, Tie};
use identity::CredentialClass;
use smallvec::SmallVec;

use crate::explain::Standing;
use crate::facts::{Reading, Writes};
use crate::holdings::About;
use crate::lookup::{LOOKUPS_MAX, Lookup};
use crate::reading::json::NOTHING;
use crate::relations::{Has, Related};
use crate::{Caller, Facts};

/// Why a grant that covers the operation does not allow the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unmet {
    /// For good.
    For(Standing),
    /// It depends on what was not read yet (the body), or what no record keeps.
    Later,
    /// It depends on relations that were not looked up yet.
    Ask(BTreeSet<Lookup>),
}

/// What terms leave open: none of them is broken for good.
#[derive(Default)]
struct Open {
    later: bool,
    asks: BTreeSet<Lookup>,
    /// A source did not say.
    unknown: bool,
}

impl Open {
    /// What cannot be mended goes first, then what is here.
    fn outcome(self) -> Result<(), Unmet> {
        match (self.unknown, self.later, self.asks.is_empty()) {
            (true, _, _) => Err(Unmet::For(Standing::RelationUnknown)),
            (false, true, _) => Err(Unmet::Later),
            (false, false, false) => Err(Unmet::Ask(self.asks)),
            (false, false, true) => Ok(()),
        }
    }
}

/// All that terms are held against.
#[derive(Clone, Copy)]
pub(crate) struct Circumstances<'a> {
    pub(crate) who: Caller<'a>,
    pub(crate) about: &'a About,
    pub(crate) related: Related<'a>,
    pub(crate) facts: Facts<'a>,
    pub(crate) now: Timestamp,
}

impl Circumstances<'_> {
    /// Holds the terms against the circumstances, the cheap ones first.
    pub(crate) fn meet(&self, terms: &Terms) -> Result<(), Unmet> {
        self.caller(terms).map_err(Unmet::For)?;
        let mut open = Open::default();
        for tie in &terms.ties {
            self.tie(tie, &mut open).map_err(Unmet::For)?;
        }
        if let Some(writable) = &terms.writable {
            match self.facts.request.writes(writable) {
                Writes::Within => {}
                Writes::Later => open.later = true,
                Writes::Outside(_) | Writes::Unreadable => {
                    return Err(Unmet::For(Standing::OtherProperties));
                }
            }
        }
        open.outcome()
    }

    /// All that is not met, in the order in which it is asked. What is open is not among it.
    pub(crate) fn unmet(&self, terms: &Terms) -> Vec<Standing> {
        let of_caller = self.checks(terms).into_iter().filter(|(holds, _)| !holds);
        let mut unmet: Vec<Standing> = of_caller.map(|(_, why)| why).collect();
        unmet.extend(terms.ties.iter().find_map(|tie| self.tie(tie, &mut Open::default()).err()));
        let writes = terms.writable.as_ref().map(|allowed| self.facts.request.writes(allowed));
        if matches!(writes, Some(Writes::Outside(_) | Writes::Unreadable)) {
            unmet.push(Standing::OtherProperties);
        }
        unmet
    }

    /// What can be told without the request's content.
    fn caller(&self, terms: &Terms) -> Result<(), Standing> {
        let unmet = self.checks(terms).into_iter().find(|(holds, _)| !holds);
        unmet.map_or(Ok(()), |(_, why)| Err(why))
    }

    fn checks(&self, terms: &Terms) -> [(bool, Standing); 6] {
        let class = self.who.class();
        let any = |list_is_empty: bool, holds: bool| list_is_empty || holds;
        [
            (
                terms.withdrawal.as_ref().is_none_or(|taken| !taken.takes(self.facts.draw)),
                Standing::Withdrawn,
            ),
            (
                any(
                    terms.environments.is_empty(),
                    terms.environments.contains(&self.about.environment),
                ),
                Standing::OtherEnvironment,
            ),
            (
                any(
                    terms.hours.is_empty(),
                    terms.hours.iter().any(|hours| hours.contains(self.now)),
                ),
                Standing::OtherHours,
            ),
            (
                any(terms.networks.is_empty(), within(terms, self.facts.source)),
                Standing::OtherNetwork,
            ),
            (
                any(terms.credentials.is_empty(), terms.credentials.contains(&class)),
                Standing::OtherCredential,
            ),
            (self.is_bound(terms, class), Standing::TooWeak),
        ]
    }

    fn is_bound(&self, terms: &Terms, class: CredentialClass) -> bool {
        let binding = self.who.binding();
        let strong = terms.strength.is_none_or(|least| class.strength(binding) >= least);
        let bound = terms.bindings.is_empty()
            || binding.is_some_and(|binding| terms.bindings.contains(&binding));
        strong && bound
    }

    /// Every value at the place is one of the caller's. A tie on the response is for whoever reads
    /// the response.
    fn tie(&self, tie: &Tie, open: &mut Open) -> Result<(), Standing> {
        if matches!(tie.place, Place::Response(_)) {
            return Ok(());
        }
        match self.facts.request.read(&tie.place) {
            Reading::Later => open.later = true,
            Reading::Unreadable => return Err(Standing::OtherObject),
            Reading::Values(values) if values.is_empty() => return Err(Standing::OtherObject),
            Reading::Values(values) => {
                for value in &values {
                    if !self.is_mine(tie, value, open) || open.asks.len() > LOOKUPS_MAX {
                        return Err(Standing::OtherObject);
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether a value is the caller's by one of the sources, or may be once those are asked that
    /// answer for it.
    fn is_mine(&self, tie: &Tie, value: &str, open: &mut Open) -> bool {
        let (mut asks, mut unknown, mut later) = (SmallVec::<[Lookup; 1]>::new(), false, false);
        for source in &tie.sources {
            match self.has(source, value) {
                Has::Yes => return true,
                Has::No => {}
                Has::Unknown => unknown = true,
                Has::Ask(lookup) => asks.push(lookup),
                Has::Later => later = true,
            }
        }
        // One that did not say is not in the way of one that may say yes.
        open.unknown |= unknown && asks.is_empty() && !later;
        open.later |= later;
        let is_open = unknown || later || !asks.is_empty();
        open.asks.extend(asks);
        is_open
    }

    fn has(&self, source: &Source, value: &str) -> Has {
        let is_so = match source {
            // Nobody is asked about an object that was not named.
            Source::Related(_) if value == NOTHING => false,
            Source::Related(relation) => return self.related.has(relation, value),
            Source::Text(text) => text == value,
            Source::Claim(_) if !self.who.knows_claims() => return Has::Later,
            Source::Identity(_) | Source::Claim(_) => {
                self.values(source).iter().any(|mine| mine == value)
            }
        };
        if is_so { Has::Yes } else { Has::No }
    }

    /// What the caller brings, for conditions that are judged elsewhere: on the response.
    pub(crate) fn values(&self, source: &Source) -> SmallVec<[String; 1]> {
        match source {
            Source::Identity(name) => self.about.values(self.who.identity(), name),
            Source::Claim(name) => self.who.claim(name).iter().cloned().collect(),
            Source::Related(relation) => {
                self.related.objects(relation).map(str::to_owned).collect()
            }
            Source::Text(text) => SmallVec::from_iter([text.clone()]),
        }
    }
}

fn within(terms: &Terms, source: Option<IpAddr>) -> bool {
    // A mapped address (`::ffff:10.0.0.1`) is the IPv4 address that it maps.
    let source = source.map(|source| source.to_canonical());
    source.is_some_and(|source| terms.networks.iter().any(|network| network.contains(&source)))
}

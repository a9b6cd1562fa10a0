//! Whether the terms of a grant hold for one request.

use std::borrow::Cow;
use std::net::IpAddr;

use base::Timestamp;
use grant::{Place, Source, Terms, Tie};
use identity::CredentialClass;
use smallvec::SmallVec;

use crate::explain::Standing;
use crate::facts::{Reading, Writes};
use crate::holdings::About;
use crate::relations::Related;
use crate::{Caller, Facts};

/// Why a grant that covers the operation does not allow the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unmet {
    /// For good.
    For(Standing),
    /// It depends on the body, which was not read yet.
    Later,
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
        let mut later = false;
        for tie in &terms.ties {
            match self.tie(tie) {
                Err(Unmet::Later) => later = true,
                other => other?,
            }
        }
        if let Some(writable) = &terms.writable {
            match self.facts.request.writes(writable) {
                Writes::Within => {}
                Writes::Later => later = true,
                Writes::Outside(_) | Writes::Unreadable => {
                    return Err(Unmet::For(Standing::OtherProperties));
                }
            }
        }
        if later { Err(Unmet::Later) } else { Ok(()) }
    }

    /// What can be told without the request's content.
    fn caller(&self, terms: &Terms) -> Result<(), Standing> {
        let class = self.who.class();
        let any = |list_is_empty: bool, holds: bool| list_is_empty || holds;
        let checks = [
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
        ];
        checks.into_iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, why)| Err(why))
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
    fn tie(&self, tie: &Tie) -> Result<(), Unmet> {
        if matches!(tie.place, Place::Response(_)) {
            return Ok(());
        }
        let other = Unmet::For(Standing::OtherObject);
        match self.facts.request.read(&tie.place) {
            Reading::Later => Err(Unmet::Later),
            Reading::Unreadable => Err(other),
            Reading::Values(values) => {
                let mine =
                    |value: &Cow<'_, str>| tie.sources.iter().any(|source| self.has(source, value));
                let holds = !values.is_empty() && values.iter().all(mine);
                if holds { Ok(()) } else { Err(other) }
            }
        }
    }

    fn has(&self, source: &Source, value: &str) -> bool {
        match source {
            Source::Related(relation) => self.related.contains(relation, value),
            Source::Text(text) => text == value,
            Source::Identity(_) | Source::Claim(_) => {
                self.values(source).iter().any(|mine| mine == value)
            }
        }
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

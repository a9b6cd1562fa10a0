//! The decision: may this caller call this operation now, and by which grants?

use std::collections::BTreeSet;
use std::sync::Arc;

use base::{GrantId, GroupId, Timestamp};
use catalog::{Accept, Api, ApiMode, Operation};
use grant::{Place, Terms, WithdrawalStage};
use identity::CredentialClass;
use smallvec::SmallVec;
use token::Verified;
use traffic::Reason;

use crate::caller::Caller;
use crate::explain::Standing;
use crate::facts::{Reading, Request};
use crate::guard::{Judgement, Question};
use crate::holdings::{About, Held, Narrowed, Subject};
use crate::lookup::{LOOKUPS_MAX, Lookup};
use crate::permit::{Decided, Part, Permit, Refusal, Shows, Supposed};
use crate::relations::Related;
use crate::routes::ApiEntry;
use crate::terms::{Circumstances, Unmet};
use crate::{Facts, Ruleset, scope, shown};

/// Who asks for what: the two halves that every question has.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) who: Caller<'a>,
    pub(crate) entry: &'a ApiEntry,
    pub(crate) operation: Option<&'a Operation>,
    pub(crate) facts: Facts<'a>,
    pub(crate) now: Timestamp,
    /// When the request was made: of a recorded call not the same as now.
    pub(crate) hour: Timestamp,
    /// A grant that is not counted: what would hold without it.
    pub(crate) without: Option<&'a GrantId>,
}

impl<'a> Asked<'a> {
    pub(crate) fn api(&self) -> &'a Api {
        self.entry.api()
    }
}

/// Why not, before it is known whether the API only observes.
enum No {
    /// A guardrail speaks, or one that could not.
    Guarded(Reason, Vec<String>),
    /// Nothing allows it.
    NotAllowed(Reason),
    /// It depends on the body.
    Later,
    /// It depends on relations that were not looked up yet.
    Ask(Vec<Lookup>),
}

impl Ruleset {
    /// Decides one request. `api` and `operation` come from [`Ruleset::locate`] of this ruleset.
    ///
    /// An API in observe mode lets pass what no grant allows, an unknown operation, or too narrow
    /// a scope, and says so in the permit. Who cannot prove an active identity with an accepted
    /// credential is refused in either mode, and so is what a guardrail forbids.
    pub fn decide(
        &self,
        who: &Verified,
        api: &ApiEntry,
        operation: Option<&Operation>,
        facts: Facts<'_>,
        now: Timestamp,
    ) -> Result<Decided, Refusal> {
        let who = Caller::proved(who);
        let (entry, hour) = (api, now);
        self.judge(Asked { who, entry, operation, facts, now, hour, without: None })
    }

    /// What [`Ruleset::decide`] would say to a caller who is only supposed.
    pub fn suppose(
        &self,
        who: Caller<'_>,
        api: &ApiEntry,
        operation: Option<&Operation>,
        facts: Facts<'_>,
        now: Timestamp,
    ) -> Result<Supposed, Refusal> {
        let (entry, hour) = (api, now);
        self.judge(Asked { who, entry, operation, facts, now, hour, without: None }).map(Supposed)
    }

    pub(crate) fn judge(&self, asked: Asked<'_>) -> Result<Decided, Refusal> {
        debug_assert!(self.knows(asked.entry), "an API of another ruleset has other numbers");
        let refuse =
            |reason, guardrails| Refusal { reason, guardrails, ruleset_version: self.version };
        let subject = self.admit(asked).map_err(|no| refuse(no, Vec::new()))?;
        match self.permit(subject, asked) {
            Ok(permit) => Ok(Decided::Permit(permit)),
            Err(No::Later) => Ok(Decided::NeedsBody),
            Err(No::Ask(lookups)) => Ok(Decided::NeedsRelations(lookups)),
            Err(No::Guarded(reason, ids)) => Err(refuse(reason, ids)),
            Err(No::NotAllowed(reason)) if asked.api().mode == ApiMode::Observe => {
                Ok(Decided::Permit(self.observed(reason, asked)))
            }
            Err(No::NotAllowed(reason)) => Err(refuse(reason, Vec::new())),
        }
    }

    /// The entry is of this ruleset, or of one that it came from by changes to other things.
    fn knows(&self, entry: &ApiEntry) -> bool {
        self.entry(&entry.api().id).is_some_and(|own| Arc::ptr_eq(own.api(), entry.api()))
    }

    fn observed(&self, reason: Reason, asked: Asked<'_>) -> Permit {
        let mut read = Vec::new();
        if let Some(guard) = &self.guard {
            keep(&mut read, guard.reads(&asked.api().id).iter(), asked.facts.request);
        }
        Permit {
            grants: SmallVec::new(),
            shows: Shows::Everything,
            ruleset_version: self.version,
            observed: Some(reason),
            withdrawn: false,
            read,
        }
    }

    /// What holds in either mode: the proof is in date and of an accepted kind, and the identity
    /// may act.
    fn admit(&self, asked: Asked<'_>) -> Result<&Subject, Reason> {
        let Asked { who, now, .. } = asked;
        let api = asked.api();
        if who.expires_at().is_some_and(|end| end <= now) {
            return Err(Reason::CredentialExpired);
        }
        let accepted = match who.class() {
            CredentialClass::ApiKey => api.accept.contains(&Accept::Key),
            CredentialClass::IssuerSubject => api.accept.contains(&Accept::Token),
            CredentialClass::Certificate => api.accept.contains(&Accept::Certificate),
            CredentialClass::ClientSecret
            | CredentialClass::PrivateKeyJwt
            | CredentialClass::SigningKey => false,
        };
        if !accepted {
            return Err(Reason::CredentialNotAccepted);
        }
        let subject = self.subjects.get(who.identity()).map(AsRef::as_ref);
        subject.filter(|subject| subject.is_active(now)).ok_or(Reason::IdentityInactive)
    }

    /// Guardrails speak also where no grant allows: what they forbid is refused in observe mode.
    fn permit(&self, subject: &Subject, asked: Asked<'_>) -> Result<Permit, No> {
        let granted = self.granted(subject, asked);
        if self.guard.is_none() {
            return granted;
        }
        if matches!(granted, Err(No::NotAllowed(_))) && asked.api().mode == ApiMode::Enforce {
            return granted;
        }
        self.guarded(subject, asked)?;
        granted.map(|mut permit| {
            let places = self.guard.iter().flat_map(|guard| guard.reads(&asked.api().id));
            keep(&mut permit.read, places, asked.facts.request);
            permit
        })
    }

    /// What guardrails say, whatever is granted.
    fn guarded(&self, subject: &Subject, asked: Asked<'_>) -> Result<(), No> {
        let Some(guard) = &self.guard else { return Ok(()) };
        let Some(about) = subject.about.as_deref() else {
            return Err(No::NotAllowed(Reason::IdentityInactive));
        };
        let groups = self.groups_of(subject);
        match guard.judge(&self.question(asked, about, &groups)) {
            Judgement::Pass => Ok(()),
            Judgement::Forbid(ids) => Err(No::Guarded(Reason::ForbiddenByPolicy, ids)),
            Judgement::Error(why) => Err(No::Guarded(Reason::PolicyError, vec![why])),
            Judgement::UnreadableBody(why) => Err(No::Guarded(Reason::AmbiguousBody, vec![why])),
            Judgement::Later => Err(No::Later),
        }
    }

    /// Whether a request passes of which [`Ruleset::judge`] says that it depends on more: guardrails
    /// are done with it, and a grant allows it already, or observe mode does. Then no more than what
    /// is shown of the answer depends on the rest.
    pub(crate) fn passes_anyhow(&self, asked: Asked<'_>, observing_is_enough: bool) -> bool {
        let Ok(subject) = self.admit(asked) else { return false };
        if self.guarded(subject, asked).is_err() {
            return false;
        }
        if observing_is_enough && asked.api().mode == ApiMode::Observe {
            return true;
        }
        let (Some(operation), Some(about)) = (asked.operation, subject.about.as_deref()) else {
            return false;
        };
        let groups = self.groups_of(subject);
        let met = self.circumstances(asked, about, &groups);
        let narrowed = Narrowed::By(asked.facts.request);
        let numbers = asked.entry.numbered(operation);
        let covering = self.covering_numbers(subject, numbers, asked.now, narrowed);
        let counted = covering.iter().filter(|held| Some(&held.id) != asked.without);
        counted.map(|held| held.terms()).any(|terms| terms.is_none_or(|t| met.meet(t).is_ok()))
    }

    /// What guardrails are asked about a request.
    pub(crate) fn question<'a>(
        &'a self,
        asked: Asked<'a>,
        about: &'a About,
        groups: &'a [GroupId],
    ) -> Question<'a> {
        Question {
            who: asked.who,
            about,
            groups,
            related: Related::new(self, asked.facts.answers, asked.who.identity(), groups),
            api: asked.api(),
            operation: asked.operation,
            facts: asked.facts,
            now: asked.hour,
        }
    }

    fn granted(&self, subject: &Subject, asked: Asked<'_>) -> Result<Permit, No> {
        let no = No::NotAllowed;
        let operation = asked.operation.ok_or(no(Reason::UnknownOperation))?;
        let numbers = asked.entry.numbered(operation);
        let narrowed = Narrowed::By(asked.facts.request);
        let mut covering = self.covering_numbers(subject, numbers, asked.now, narrowed);
        if let Some(without) = asked.without {
            covering.retain(|held| held.id != *without);
        }
        // Grants on other objects, which were passed over.
        let others = || self.cover_objects(subject, numbers, asked.now);
        if covering.is_empty() && !others() {
            return Err(no(Reason::NoGrant));
        }
        let scopes = asked.who.scopes();
        if scopes.is_some_and(|scopes| !scope::allow(scopes, &asked.api().id, operation)) {
            return Err(no(Reason::InsufficientScope));
        }
        if covering.is_empty() {
            return Err(no(Reason::ObjectNotAllowed));
        }
        // Nearly all grants have no limits, and then nothing else needs to be known.
        if covering.iter().all(|held| held.limits.is_none()) {
            return Ok(self.plain(&covering));
        }
        let about = subject.about.as_deref().ok_or(no(Reason::IdentityInactive))?;
        let groups = self.groups_of(subject);
        let met = self.circumstances(asked, about, &groups);
        keep_met(&mut covering, &met, others)?;
        let mut permit = self.plain(&covering);
        permit.shows = shows(&covering, operation, &met);
        permit.withdrawn = covering.iter().all(|held| is_logged(held.terms()));
        permit.read = read(&covering, &met);
        Ok(permit)
    }

    pub(crate) fn circumstances<'a>(
        &'a self,
        asked: Asked<'a>,
        about: &'a About,
        groups: &'a [GroupId],
    ) -> Circumstances<'a> {
        let Asked { who, facts, hour, .. } = asked;
        let related = Related::new(self, facts.answers, who.identity(), groups);
        Circumstances { who, about, related, facts, now: hour }
    }

    fn plain(&self, covering: &[&Held]) -> Permit {
        Permit {
            grants: covering.iter().map(|held| held.id.clone()).collect(),
            shows: Shows::Everything,
            ruleset_version: self.version,
            observed: None,
            withdrawn: false,
            read: Vec::new(),
        }
    }
}

/// What grants whose terms do not hold, or not yet, came to.
#[derive(Default)]
struct Rest {
    later: bool,
    asks: BTreeSet<Lookup>,
    /// A source did not say.
    unknown: bool,
    unmet: Option<Standing>,
}

impl Rest {
    fn add(&mut self, why: Unmet) {
        match why {
            Unmet::Later => self.later = true,
            Unmet::Ask(lookups) => self.asks.extend(lookups),
            Unmet::For(Standing::RelationUnknown) => self.unknown = true,
            Unmet::For(why) => self.unmet = self.unmet.max(Some(why)),
        }
    }
}

/// Leaves the grants whose terms hold. Where one of them would show more of the request or the
/// response once the body or a relation is known, it is asked for; the body first, because it is
/// here. A source that does not say makes its grant count as little as one that is not met.
///
/// `others`: whether grants on other objects cover the operation too.
fn keep_met(
    covering: &mut SmallVec<[&Held; 2]>,
    met: &Circumstances<'_>,
    others: impl Fn() -> bool,
) -> Result<(), No> {
    let mut rest = Rest::default();
    covering.retain(|held| {
        let unmet = held.terms().and_then(|terms| met.meet(terms).err());
        unmet.map(|why| rest.add(why)).is_none()
    });
    let unlimited =
        |held: &&Held| held.limits.as_ref().is_none_or(|limits| limits.shows_everything());
    if !covering.iter().any(unlimited) {
        if rest.later {
            return Err(No::Later);
        }
        if rest.asks.len() > LOOKUPS_MAX {
            rest.unmet = rest.unmet.max(Some(Standing::OtherObject));
        } else if !rest.asks.is_empty() {
            return Err(No::Ask(rest.asks.into_iter().collect()));
        }
    }
    match (covering.is_empty(), rest.unmet.unwrap_or(Standing::Allows)) {
        (false, _) => Ok(()),
        (true, _) if rest.unknown => Err(No::NotAllowed(Reason::RelationUnknown)),
        (true, Standing::OtherObject | Standing::OtherProperties) => {
            Err(No::NotAllowed(Reason::ObjectNotAllowed))
        }
        (true, _) if others() => Err(No::NotAllowed(Reason::ObjectNotAllowed)),
        (true, Standing::TooWeak) => Err(No::NotAllowed(Reason::ProofTooWeak)),
        (true, Standing::Withdrawn) => Err(No::NotAllowed(Reason::NoGrant)),
        (true, _) => Err(No::NotAllowed(Reason::TermsNotMet)),
    }
}

fn is_logged(terms: Option<&Terms>) -> bool {
    let stage = terms.and_then(|terms| terms.withdrawal.as_ref()).map(|taken| taken.stage);
    stage.is_some_and(|stage| matches!(stage, WithdrawalStage::LogOnly | WithdrawalStage::Share(_)))
}

/// What the grants show, each of them on its own: one that shows all shows all.
fn shows(covering: &[&Held], operation: &Operation, met: &Circumstances<'_>) -> Shows {
    let mut parts = BTreeSet::new();
    for held in covering {
        let Some(limits) = held.limits.as_ref().filter(|limits| !limits.shows_everything()) else {
            return Shows::Everything;
        };
        let fields =
            limits.fields.as_ref().map(|entries| shown::visible(entries, &operation.fields));
        let ties = limits.terms.ties.iter().filter_map(|tie| match &tie.place {
            Place::Response(path) => {
                let mine = tie.sources.iter().flat_map(|source| met.values(source));
                Some((path.clone(), mine.collect()))
            }
            _ => None,
        });
        parts.insert(Part { fields, ties: ties.collect() });
    }
    Shows::Parts(parts.into_iter().collect())
}

/// What the ties of these grants looked at.
fn read(covering: &[&Held], met: &Circumstances<'_>) -> Vec<(Place, Vec<String>)> {
    let ties = covering.iter().filter_map(|held| held.terms()).flat_map(|terms| &terms.ties);
    let mut read = Vec::new();
    keep(&mut read, ties.map(|tie| &tie.place), met.facts.request);
    read
}

/// Keeps what these places say. That there is nothing at a place is kept too: it was read, and what is
/// not kept counts as what cannot be.
fn keep<'p>(
    read: &mut Vec<(Place, Vec<String>)>,
    places: impl Iterator<Item = &'p Place>,
    request: &dyn Request,
) {
    for place in places {
        if read.iter().any(|(known, _)| known == place) {
            continue;
        }
        if let Reading::Values(values) = request.read(place) {
            let values = values.iter().map(|value| value.to_string()).collect();
            read.push((place.clone(), values));
        }
    }
}

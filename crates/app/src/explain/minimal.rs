//! The smallest grant that would let a request pass. It is given to the ruleset before it is told:
//! what would not help is not told.

use std::collections::BTreeSet;
use std::sync::Arc;

use base::{GrantId, IdentityId, Problem, Span, Timestamp};
use catalog::Operation;
use grant::window::week_minute;
use grant::{
    Grant, GrantReason, GrantStatus, GrantSubject, OperationSet, Place, Source, Terms, Tie, Window,
};
use identity::{Identity, Origin};
use policy::{Change, Considered, Reading, Ruleset, Standing, Told, Verdict, Writes};

use super::{Posed, command};
use crate::App;

/// Most grants that are compared for the nearest.
const NEAREST_MAX: usize = 32;
/// Kinds of terms that can be mended, each of which may be what is not met.
const TERMS: usize = 6;

/// Grants as commands.
pub(super) struct Minimal {
    /// For the operation.
    pub(super) command: String,
    /// For the object that the path names.
    pub(super) object: Option<String>,
}

/// The grant that comes nearest to allowing, and whom it is for.
pub(super) struct Near {
    grant: Option<Grant>,
    identity: Identity,
    now: Timestamp,
}

impl App {
    /// `None`: it would be allowed now, or no grant would help.
    pub(super) async fn nearest(
        &self,
        identity: Option<&IdentityId>,
        told: &Told,
    ) -> Result<Option<Near>, Problem> {
        let forbids = |verdict: &Verdict| matches!(verdict, Verdict::Forbids | Verdict::Error(_));
        let is_allowed = told.grants.iter().any(|one| one.standing == Standing::Allows);
        if is_allowed || told.guardrails.iter().any(|one| forbids(&one.verdict)) {
            return Ok(None);
        }
        let Some(identity) = identity else { return Ok(None) };
        let mut state = self.read().await?;
        let Some(identity) = state.identity(identity.as_str()).await? else { return Ok(None) };
        let mut grant: Option<Grant> = None;
        for near in nearest(&told.grants) {
            let other = state.grant(near.grant.as_str()).await?;
            let newer = |one: &Grant| grant.as_ref().is_none_or(|g| g.created_at < one.created_at);
            if other.as_ref().is_some_and(newer) {
                grant = other;
            }
        }
        // It covers the operation, and whether it allows it hangs on what is not known here.
        let is_open = told.grants.iter().any(|one| is_open(one.standing));
        let none_helps = grant.is_none() && is_open;
        Ok((!none_helps).then(|| Near { grant, identity, now: self.now() }))
    }
}

/// The grants that cover the operation and do not allow it, of those that come nearest. What ended
/// counts too: without its terms a new grant would be wider than what there was.
fn nearest(grants: &[Considered]) -> impl Iterator<Item = &Considered> {
    let is_near = |one: &&Considered| {
        let ended = matches!(
            one.standing,
            Standing::Uncertified | Standing::Expired | Standing::Suspended | Standing::Revoked
        );
        ended || one.standing.is_of_terms()
    };
    let nearest = grants.iter().filter(is_near).map(|one| one.standing).min();
    grants.iter().filter(move |one| Some(one.standing) == nearest).take(NEAREST_MAX)
}

fn is_open(standing: Standing) -> bool {
    matches!(standing, Standing::NeedsBody | Standing::NeedsRelation | Standing::RelationUnknown)
}

/// The smallest grant for a request, near to the one that comes nearest.
pub(super) fn smallest(
    posed: &Posed<'_>,
    ruleset: &Arc<Ruleset>,
    near: &Near,
    id: &GrantId,
) -> Option<Minimal> {
    let operation = posed.operation?;
    if let Some(own) = near.grant.as_ref().filter(|grant| is_only_withdrawn(grant, near, posed)) {
        let kept = Grant { terms: Terms { withdrawal: None, ..own.terms.clone() }, ..own.clone() };
        if asked(posed, ruleset, &kept) == Some(Standing::Allows) {
            return Some(Minimal { command: command::keep(own), object: None });
        }
    }
    let mut grant = draft(posed, operation, near, id);
    mended(&mut grant, near, posed, ruleset)?;
    let on_object = on_this_object(&grant.terms, posed, &operation.path);
    let on_object = on_object.map(|terms| Grant { terms, ..grant.clone() });
    let on_object = on_object.filter(|grant| helps(asked(posed, ruleset, grant)));
    let object = on_object.as_ref().and_then(command::give);
    Some(Minimal { command: command::give(&grant)?, object })
}

/// Its own, in force, and being taken back: that can be stopped.
fn is_only_withdrawn(grant: &Grant, near: &Near, posed: &Posed<'_>) -> bool {
    grant.terms.withdrawal.is_some()
        && grant.is_live(near.now.max(posed.at))
        && grant.subject == GrantSubject::Identity(near.identity.id.clone())
}

/// A new grant for the operation under the terms of the nearest, in force for as long as that was.
fn draft(posed: &Posed<'_>, operation: &Operation, near: &Near, id: &GrantId) -> Grant {
    let from = near.now.max(posed.at);
    let again = |start: Timestamp, end: Timestamp| match end > from {
        true => end,
        false => from + whole(end.since(start)),
    };
    let old = near.grant.as_ref();
    let mut terms = old.map(|grant| grant.terms.clone()).unwrap_or_default();
    terms.withdrawal = None;
    if let (Some(until), Some(old)) = (terms.certified_until, old) {
        let since = old.last_certified_at.unwrap_or(old.created_at);
        terms.certified_until = Some(again(since, until));
    }
    Grant {
        id: id.clone(),
        version: 1,
        subject: GrantSubject::Identity(near.identity.id.clone()),
        api: posed.entry.api().id.clone(),
        operations: OperationSet::Only(BTreeSet::from([operation.id.clone()])),
        roles: BTreeSet::new(),
        fields: old.and_then(|grant| grant.fields.clone()),
        terms,
        created_at: posed.at,
        expires_at: old.and_then(|old| Some(again(old.created_at, old.expires_at?))),
        status: GrantStatus::Active,
        reason: GrantReason::Direct,
        requested_by: None,
        approved_by: None,
        last_certified_at: None,
        last_certified_by: None,
        origin: Origin::Console,
    }
}

/// A duration without the moment that passed between asking and giving.
fn whole(span: Span) -> Span {
    let unit = if span > Span::from_secs(60) { 60 } else { 1 };
    let units = (span.as_micros() + unit * 500_000) / (unit * 1_000_000);
    Span::from_secs(units.max(1) * unit)
}

/// Replaces one term after the other that is not met, until the request would pass by it.
fn mended(grant: &mut Grant, near: &Near, posed: &Posed<'_>, ruleset: &Arc<Ruleset>) -> Option<()> {
    let mut before = None;
    // Each term is mended once: one that is not met after that cannot be.
    for _ in 0..TERMS {
        let standing = asked(posed, ruleset, grant)?;
        if helps(Some(standing)) {
            return Some(());
        }
        if before.replace(standing) == Some(standing) {
            return None;
        }
        mend(&mut grant.terms, standing, near, posed)?;
    }
    helps(asked(posed, ruleset, grant)).then_some(())
}

/// Replaces what was not met by what the request brings, and no more.
fn mend(terms: &mut Terms, standing: Standing, near: &Near, posed: &Posed<'_>) -> Option<()> {
    match standing {
        Standing::OtherEnvironment => terms.environments = vec![near.identity.environment],
        Standing::OtherHours => terms.hours = vec![hour(posed.at)?],
        Standing::OtherNetwork => terms.networks = vec![posed.facts.source?.to_canonical().into()],
        Standing::OtherCredential => terms.credentials = vec![posed.who.class()],
        Standing::OtherProperties => {
            let allowed = terms.writable.get_or_insert_default();
            match posed.facts.request.writes(allowed) {
                Writes::Outside(names) => allowed.extend(names),
                Writes::Within | Writes::Later | Writes::Unreadable => return None,
            }
        }
        Standing::OtherObject => {
            for tie in &mut terms.ties {
                if let Some(values) = texts(posed, &tie.place) {
                    *tie = Tie { place: tie.place.clone(), sources: values };
                }
            }
        }
        _ => return None,
    }
    Some(())
}

/// The hour of the week, in UTC.
fn hour(at: Timestamp) -> Option<Window> {
    const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let hours = week_minute(at) / 60;
    let (day, hour) = (DAYS.get(usize::try_from(hours / 24).ok()?)?, hours % 24);
    format!("{day} {hour:02}:00-{:02}:00", hour + 1).parse().ok()
}

fn texts(posed: &Posed<'_>, place: &Place) -> Option<Vec<Source>> {
    let Reading::Values(values) = posed.facts.request.read(place) else { return None };
    let texts: Vec<Source> = values.iter().map(|value| Source::Text(value.to_string())).collect();
    (!texts.is_empty()).then_some(texts)
}

/// The same terms on what the path names; `None` where it names nothing.
fn on_this_object(terms: &Terms, posed: &Posed<'_>, template: &str) -> Option<Terms> {
    let names = template.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
    let places = names.map(|(name, _)| Place::Path(name.to_owned()));
    let new = places.filter(|place| !terms.ties.iter().any(|tie| tie.place == *place));
    let ties: Vec<Tie> =
        new.filter_map(|place| Some(Tie { sources: texts(posed, &place)?, place })).collect();
    (!ties.is_empty()).then(|| {
        let mut terms = terms.clone();
        terms.ties.extend(ties);
        terms
    })
}

/// What a grant would say about the request if it were given. `None` = the request would be refused
/// for another reason.
fn asked(posed: &Posed<'_>, ruleset: &Arc<Ruleset>, grant: &Grant) -> Option<Standing> {
    let change = Change::Grant(grant.clone());
    let after = ruleset.apply(ruleset.version() + 1, [change]).ok()?;
    let entry = after.entry(&grant.api)?;
    let (Posed { who, operation, facts, at, .. }, id) = (*posed, &grant.id);
    let told = after.explain_call(who, entry, operation, facts, (at, at));
    let standing = told.grants.iter().find(|one| one.grant == *id)?.standing;
    let supposed = after.suppose(who, entry, operation, facts, at);
    // Without grants it depends on what is not known here, and may pass.
    let passes = supposed.is_ok_and(|s| s.grants().is_none_or(|grants| grants.contains(id)));
    (passes || !helps(Some(standing))).then_some(standing)
}

/// Whether the request would pass, or may: it depends on what is not known here.
fn helps(standing: Option<Standing>) -> bool {
    standing.is_some_and(|standing| standing == Standing::Allows || is_open(standing))
}

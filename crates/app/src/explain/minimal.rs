//! The smallest grant that would let a request pass. It is given to the ruleset before it is told:
//! what would not help is not told.

use std::collections::BTreeSet;
use std::sync::Arc;

use base::{GrantId, IdentityId, Problem, Timestamp};
use grant::window::week_minute;
use grant::{
    Grant, GrantReason, GrantStatus, GrantSubject, OperationSet, Place, Source, Terms, Tie, Window,
};
use identity::{Identity, Origin};
use policy::{Change, Considered, Reading, Ruleset, Standing, Told, Verdict, Writes};

use super::Posed;
use crate::{App, terms};

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
    standing: Standing,
    identity: Identity,
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
        let near = told.grants.iter().find(|one| is_near(one));
        let grant = match near {
            Some(near) => state.grant(near.grant.as_str()).await?,
            None => None,
        };
        let standing = near.map_or(Standing::OtherOperations, |near| near.standing);
        Ok(Some(Near { grant, standing, identity }))
    }
}

/// It covers the operation, and its terms are not met in a way that other terms would mend.
fn is_near(one: &Considered) -> bool {
    matches!(
        one.standing,
        Standing::OtherEnvironment
            | Standing::OtherHours
            | Standing::OtherNetwork
            | Standing::OtherCredential
            | Standing::OtherProperties
            | Standing::OtherObject
    )
}

/// The smallest grant for a request, near to the one that comes nearest.
pub(super) fn smallest(
    posed: &Posed<'_>,
    ruleset: &Arc<Ruleset>,
    near: &Near,
    id: &GrantId,
) -> Option<Minimal> {
    let operation = posed.operation?;
    let mut terms = near.grant.as_ref().map(|grant| grant.terms.clone()).unwrap_or_default();
    terms.withdrawal = None;
    mend(&mut terms, near, posed)?;
    let grant = |terms: Terms| Grant {
        id: id.clone(),
        version: 1,
        subject: GrantSubject::Identity(near.identity.id.clone()),
        api: posed.entry.api().id.clone(),
        operations: OperationSet::Only(BTreeSet::from([operation.id.clone()])),
        roles: BTreeSet::new(),
        fields: near.grant.as_ref().and_then(|grant| grant.fields.clone()),
        terms,
        created_at: posed.at,
        expires_at: None,
        status: GrantStatus::Active,
        reason: GrantReason::Direct,
        requested_by: None,
        approved_by: None,
        last_certified_at: None,
        last_certified_by: None,
        origin: Origin::Console,
    };
    let told = |grant: Grant| helps(posed, ruleset, &grant).then(|| command(&grant));
    let object = on_this_object(&terms, posed, &operation.path);
    Some(Minimal {
        object: object.and_then(|terms| told(grant(terms))),
        command: told(grant(terms))?,
    })
}

/// Replaces what was not met by what the request brings, and no more.
fn mend(terms: &mut Terms, near: &Near, posed: &Posed<'_>) -> Option<()> {
    match near.standing {
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
        _ => {}
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

/// Whether the request would pass by it.
fn helps(posed: &Posed<'_>, ruleset: &Arc<Ruleset>, grant: &Grant) -> bool {
    let change = Change::Grant(grant.clone());
    let Ok(after) = ruleset.apply(ruleset.version() + 1, [change]) else { return false };
    let Some(entry) = after.entry(&grant.api) else { return false };
    let supposed = after.suppose(posed.who, entry, posed.operation, posed.facts, posed.at);
    // Without grants it depends on what is not known here, and may pass.
    supposed.is_ok_and(|supposed| supposed.grants().is_none_or(|grants| grants.contains(&grant.id)))
}

/// The command that gives a grant.
fn command(grant: &Grant) -> String {
    let operation = match &grant.operations {
        OperationSet::Only(ids) => ids.iter().next().map(ToString::to_string).unwrap_or_default(),
        OperationSet::All(_) => "all".to_owned(),
    };
    let mut out = format!(
        "portreeve grant give {} --api {} --can {}",
        quoted(&grant.subject.to_string()),
        quoted(grant.api.as_str()),
        quoted(&operation)
    );
    let mut option = |name: &str, value: &str| {
        out.push_str(&format!(" {name} {}", quoted(value)));
    };
    for field in grant.fields.iter().flatten() {
        option("--field", field);
    }
    if let Some(terms) = terms::view(&grant.terms) {
        terms.ties.iter().for_each(|tie| option("--when", tie));
        terms.hours.iter().for_each(|hours| option("--hours", hours));
        for (name, values) in [
            ("--from", &terms.networks),
            ("--for-environment", &terms.environments),
            ("--with", &terms.credentials),
        ] {
            if !values.is_empty() {
                option(name, &values.join(","));
            }
        }
        if let Some(strength) = &terms.strength {
            option("--strength", strength);
        }
        if let Some(names) = &terms.writable {
            option("--writes", &names.join(","));
        }
        if let Some(until) = &terms.certified_until {
            option("--certified-until", until);
        }
    }
    out
}

/// As a shell takes it for one word.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,*".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

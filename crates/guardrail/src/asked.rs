//! A request as Cedar sees it: the context, and the entities that it is about. Only what policies
//! look at is built.

use std::collections::{HashMap, HashSet};

use base::{GroupId, IdentityId, Timestamp};
use catalog::{Accept, Api, Operation};
use cedar_policy::{Context, Entity, EntityUid, RestrictedExpression};
use grant::Place;
use grant::window::week_minute;
use identity::CredentialClass;
use policy::{About, Caller, Facts, Reading};

use crate::moment;
use crate::names::{self, Types};
use crate::uses::{Uses, member};

type Member = (String, RestrictedExpression);

/// The halves of a question that make its context.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) who: Caller<'a>,
    pub(crate) api: &'a Api,
    pub(crate) operation: Option<&'a Operation>,
    pub(crate) facts: Facts<'a>,
    pub(crate) now: Timestamp,
}

/// What stands at each place.
pub(crate) type Readings<'a> = Vec<(&'a Place, Reading<'a>)>;

/// Reads what policies look at.
pub(crate) fn read<'a>(places: impl Iterator<Item = &'a Place>, facts: Facts<'a>) -> Readings<'a> {
    places.map(|place| (place, facts.request.read(place))).collect()
}

/// The context. What is missing, not read yet or unreadable is absent.
pub(crate) fn context(
    asked: &Asked<'_>,
    uses: &Uses,
    readings: &Readings<'_>,
    more: Vec<Member>,
) -> Result<Context, String> {
    let mut members = more;
    for name in &uses.context {
        if let Some(value) = fact(asked, name)? {
            members.push((name.clone(), value));
        }
    }
    for part in ["path", "query", "header", "body"] {
        let mut values = Vec::new();
        for (place, reading) in readings {
            match (member(place), reading) {
                (Some((of, name)), Reading::Values(found)) if of == part && !found.is_empty() => {
                    values.push((name.to_owned(), set(found.iter().map(AsRef::as_ref))));
                }
                _ => {}
            }
        }
        members.push((part.to_owned(), record(values)?));
    }
    let claims = uses.claims.iter().map(|name| (name, asked.who.claim(name)));
    let claims = claims.filter(|(_, values)| !values.is_empty());
    let claims = claims.map(|(name, values)| (name.clone(), set(values.iter())));
    members.push(("claims".to_owned(), record(claims.collect())?));
    Context::from_pairs(members).map_err(|e| e.to_string())
}

/// A plain fact of the context, by its name.
fn fact(asked: &Asked<'_>, name: &str) -> Result<Option<RestrictedExpression>, String> {
    let Asked { who, facts, now, .. } = asked;
    let text = |text: &str| Some(RestrictedExpression::new_string(text.to_owned()));
    let (millis, beyond) = moment::split(*now);
    Ok(match name {
        "now" => {
            let unwritable = || format!("{millis} ms is no time that can be written");
            let now = moment::text(millis).ok_or_else(unwritable)?;
            Some(RestrictedExpression::new_datetime(now))
        }
        "now_us" => Some(RestrictedExpression::new_long(beyond)),
        "week_minute" => Some(RestrictedExpression::new_long(week_minute(*now).into())),
        "draw" => Some(RestrictedExpression::new_long(facts.draw.into())),
        "credential_class" => text(who.class().as_str()),
        "strength" => text(who.class().strength(who.binding()).as_str()),
        "binding" => who.binding().and_then(|binding| text(binding.as_str())),
        // A mapped address is the IPv4 address that it maps, as it is for grants.
        "source" => facts
            .source
            .map(|source| RestrictedExpression::new_ip(source.to_canonical().to_string())),
        _ => None,
    })
}

/// The caller's entity.
pub(crate) fn principal(
    types: &Types,
    uses: &Uses,
    id: &IdentityId,
    groups: &[GroupId],
    about: &About,
    related: impl Fn(&str) -> Vec<String>,
) -> Result<Entity, String> {
    let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
    let mut members = HashMap::new();
    for name in &uses.principal {
        let value = match name.as_str() {
            "id" | "kind" | "environment" | "owner" | "vendor" | "email" => {
                about.values(id, name).into_iter().next()
            }
            _ => None,
        };
        if let Some(value) = value {
            members.insert(name.clone(), text(&value));
        }
    }
    let given = uses.attributes.iter().filter_map(|name| {
        let values = about.attributes.get(name).filter(|values| !values.is_empty())?;
        Some((name.clone(), set(values.iter())))
    });
    members.insert("attributes".to_owned(), record(given.collect())?);
    let relations = uses.related.iter().map(|name| (name, related(name)));
    let relations = relations.filter(|(_, objects)| !objects.is_empty());
    let relations = relations.map(|(name, objects)| (name.clone(), set(objects)));
    members.insert("related".to_owned(), record(relations.collect())?);
    let parents: HashSet<EntityUid> = groups.iter().map(|id| types.group(id.as_str())).collect();
    Entity::new(types.identity(id.as_str()), members, parents).map_err(|e| e.to_string())
}

/// The API's entity.
pub(crate) fn resource(types: &Types, uses: &Uses, api: &Api) -> Result<Entity, String> {
    let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
    let mut members = HashMap::new();
    for name in &uses.resource {
        let value = match name.as_str() {
            "name" => Some(text(&api.name)),
            "impact" => Some(text(api.impact.as_str())),
            "mode" => Some(text(api.mode.as_str())),
            "environment" => Some(text(&api.environment)),
            "owner" => api.owner.as_deref().map(text),
            "accept" => Some(set(accepted(api))),
            _ => None,
        };
        if let Some(value) = value {
            members.insert(name.clone(), value);
        }
    }
    Entity::new(types.api(api.id.as_str()), members, HashSet::new()).map_err(|e| e.to_string())
}

/// What is asked, with the groups that it is in.
pub(crate) fn action(types: &Types, api: &Api, operation: Option<&Operation>) -> Entity {
    let groups = names::groups_of(api, operation);
    let parents = groups.iter().map(|name| types.action(name)).collect();
    Entity::new_no_attrs(types.action(&names::action_of(api, operation)), parents)
}

/// The kinds of credentials that an API accepts.
pub(crate) fn accepted(api: &Api) -> impl Iterator<Item = &'static str> {
    api.accept.iter().map(class_of)
}

/// What guardrails call a kind of credential that an API accepts.
pub(crate) fn class_of(accept: &Accept) -> &'static str {
    match accept {
        Accept::Key => CredentialClass::ApiKey.as_str(),
        Accept::Token => CredentialClass::IssuerSubject.as_str(),
        Accept::Certificate => CredentialClass::Certificate.as_str(),
    }
}

/// A set of texts.
pub(crate) fn set(values: impl IntoIterator<Item = impl AsRef<str>>) -> RestrictedExpression {
    let text = |value: &str| RestrictedExpression::new_string(value.to_owned());
    RestrictedExpression::new_set(values.into_iter().map(|value| text(value.as_ref())))
}

/// A record.
pub(crate) fn record(members: Vec<Member>) -> Result<RestrictedExpression, String> {
    RestrictedExpression::new_record(members).map_err(|e| e.to_string())
}

//! Identities, groups and APIs as Cedar entities, in its JSON form.

use std::collections::{BTreeMap, BTreeSet};

use catalog::Api;
use grant::GrantSubject;
use identity::{Identity, IdentityStatus};
use serde_json::{Map, Value, json};

use super::State;
use super::hierarchy::Hierarchy;
use crate::asked::accepted;
use crate::moment;

/// All entities, sorted by type and id.
pub(super) fn entities(state: &State<'_>, groups: &Hierarchy<String>) -> Value {
    let mut all = BTreeMap::new();
    for api in state.apis {
        all.insert(("Api", api.id.to_string()), of_api(api));
    }
    for id in groups.all() {
        let parents = groups.above(id);
        all.insert(("Group", id.clone()), entity("Group", id, Map::new(), &parents));
    }
    let related = Related::of(state, groups);
    let direct = memberships(state, groups);
    let none = BTreeSet::new();
    for identity in state.identities {
        let parents = direct.get(identity.id.as_str()).unwrap_or(&none);
        let attrs = members(identity, &related.objects(identity, parents));
        let id = identity.id.to_string();
        all.insert(("Identity", id.clone()), entity("Identity", &id, attrs, parents));
    }
    Value::Array(all.into_values().collect())
}

/// The groups that each identity is in, with those in a circle with them.
pub(crate) fn memberships(
    state: &State<'_>,
    groups: &Hierarchy<String>,
) -> BTreeMap<String, BTreeSet<String>> {
    let mut direct: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for group in state.groups {
        let peers = groups.peers(&group.id.to_string());
        for member in &group.members {
            direct.entry(member.to_string()).or_default().extend(peers.iter().cloned());
        }
    }
    direct
}

/// Relations, and which groups count.
pub(crate) struct Related<'a> {
    by_subject: BTreeMap<&'a GrantSubject, Vec<&'a grant::Relation>>,
    groups: &'a Hierarchy<String>,
}

impl<'a> Related<'a> {
    pub(crate) fn of(state: &State<'a>, groups: &'a Hierarchy<String>) -> Self {
        let mut by_subject: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for relation in state.relations {
            by_subject.entry(&relation.subject).or_default().push(relation);
        }
        Self { by_subject, groups }
    }

    /// The objects that an identity has each relation to, itself and by its groups.
    pub(crate) fn objects(
        &self,
        identity: &Identity,
        direct: &BTreeSet<String>,
    ) -> BTreeMap<String, BTreeSet<String>> {
        let mut groups = direct.clone();
        direct.iter().for_each(|group| groups.extend(self.groups.reach(group)));
        let groups = groups.iter().filter_map(|id| id.parse().ok()).map(GrantSubject::Group);
        let subjects = std::iter::once(GrantSubject::Identity(identity.id.clone())).chain(groups);
        let mut objects: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for subject in subjects {
            for relation in self.by_subject.get(&subject).into_iter().flatten() {
                let known = objects.entry(relation.name.clone()).or_default();
                known.extend(relation.objects.iter().cloned());
            }
        }
        objects.retain(|_, objects| !objects.is_empty());
        objects
    }
}

fn members(
    identity: &Identity,
    related: &BTreeMap<String, BTreeSet<String>>,
) -> Map<String, Value> {
    let mut attrs = Map::new();
    let mut put = |name: &str, value: Value| attrs.insert(name.to_owned(), value);
    put("id", identity.id.as_str().into());
    put("kind", identity.kind.as_str().into());
    put("environment", identity.environment.as_str().into());
    put("status", identity.status.as_str().into());
    if let Some(owner) = &identity.owner {
        put("owner", owner.to_string().into());
    }
    if let Some(vendor) = &identity.vendor {
        put("vendor", vendor.as_str().into());
    }
    if let Some(email) = &identity.email {
        put("email", email.as_str().into());
    }
    if let Some(left) = identity.left_at {
        let (millis, beyond) = moment::split(left);
        match moment::text(millis) {
            Some(text) => {
                put("left", json!({ "__extn": { "fn": "datetime", "arg": text } }));
                put("left_us", beyond.into());
            }
            // Before the year 0; after 9999 nobody has left.
            None if millis < 0 => drop(put("status", IdentityStatus::Disabled.as_str().into())),
            None => {}
        }
    }
    let given = identity.attributes.iter().filter(|(_, values)| !values.is_empty());
    put("attributes", given.map(|(k, v)| (k.clone(), json!(v))).collect::<Map<_, _>>().into());
    let related = related.iter().map(|(name, objects)| (name.clone(), json!(objects)));
    put("related", related.collect::<Map<_, _>>().into());
    attrs
}

fn of_api(api: &Api) -> Value {
    let mut attrs = Map::new();
    let mut put = |name: &str, value: Value| attrs.insert(name.to_owned(), value);
    put("name", api.name.as_str().into());
    put("impact", api.impact.as_str().into());
    put("mode", api.mode.as_str().into());
    put("environment", api.environment.as_str().into());
    put("accept", accepted(api).map(Value::from).collect());
    if let Some(owner) = &api.owner {
        put("owner", owner.as_str().into());
    }
    entity("Api", api.id.as_str(), attrs, &BTreeSet::new())
}

/// Parents are always groups.
fn entity(kind: &str, id: &str, attrs: Map<String, Value>, parents: &BTreeSet<String>) -> Value {
    let parents: Vec<Value> =
        parents.iter().map(|id| json!({ "type": "Group", "id": id })).collect();
    json!({ "uid": { "type": kind, "id": id }, "attrs": attrs, "parents": parents })
}

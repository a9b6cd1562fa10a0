//! What things are called in Cedar. The names are plain (`Action::"orders/get"`) where nothing can
//! be mistaken, and stay injective where something could: an API called `a/b` with an operation
//! `c` is not the API `a` with an operation `b/c`, and an operation called `read` is not the group
//! of operations that change nothing.

use std::borrow::Cow;

use base::ApiId;
use catalog::{Api, Operation};
use cedar_policy::{EntityId, EntityTypeName, EntityUid};

/// Words that groups of actions are named by; an API or an operation of that name is marked.
const GROUPS: [&str; 4] = ["read", "write", "impact", "role"];

/// A part of an action's name. `/` and `~` are written as in JSON pointers (RFC 6901); `=` stands
/// in no id, so what it marks is nobody else's name.
fn part(id: &str) -> Cow<'_, str> {
    if GROUPS.contains(&id) {
        return Cow::Owned(format!("={id}"));
    }
    if id.contains(['/', '~']) {
        return Cow::Owned(id.replace('~', "~0").replace('/', "~1"));
    }
    Cow::Borrowed(id)
}

/// The group of everything that is asked of an API.
pub(crate) fn api_action(api: &str) -> String {
    part(api).into_owned()
}

/// The group of the operations of an API that the catalogue knows. `*` stands in no id.
pub(crate) fn known(api: &str) -> String {
    format!("{}/*", part(api))
}

/// What the catalogue does not know. `?` stands in no id.
pub(crate) fn unknown(api: &str) -> String {
    format!("{}/?", part(api))
}

/// The operations of an API that change nothing, or those that change something.
pub(crate) fn effect(api: &str, mutating: bool) -> String {
    format!("{}/{}", part(api), if mutating { "write" } else { "read" })
}

/// One operation.
pub(crate) fn operation(api: &str, operation: &str) -> String {
    format!("{}/{}", part(api), part(operation))
}

/// Operations of this impact, of all APIs.
pub(crate) fn impact(word: &str) -> String {
    format!("impact/{word}")
}

/// What a role covers.
pub(crate) fn role(id: &str) -> String {
    format!("role/{}", part(id))
}

/// The groups that what is asked belongs to. What the catalogue does not know may change
/// something, and counts with the impact of its API.
pub(crate) fn groups_of(api: &Api, operation: Option<&Operation>) -> Vec<String> {
    let id = api.id.as_str();
    let weight = operation.map_or(api.impact, |operation| operation.impact);
    let mutating = operation.is_none_or(|operation| operation.mutating);
    let mut groups = vec![api_action(id), effect(id, mutating), impact(weight.as_str())];
    if operation.is_some() {
        groups.push(known(id));
    }
    groups
}

/// What is asked, as an action.
pub(crate) fn action_of(api: &Api, asked: Option<&Operation>) -> String {
    match asked {
        Some(one) => operation(api.id.as_str(), one.id.as_str()),
        None => unknown(api.id.as_str()),
    }
}

/// Which API an action or a group of them belongs to; `None` = to all.
pub(crate) fn api_of(action: &str) -> Option<ApiId> {
    let head = action.split_once('/').map_or(action, |(head, _)| head);
    if action.contains('/') && (head == "impact" || head == "role") {
        return None;
    }
    let plain = head.strip_prefix('=').unwrap_or(head).replace("~1", "/").replace("~0", "~");
    ApiId::parse(&plain).ok()
}

/// A text as a Cedar literal, in quotes.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            ' '..='~' => out.push(c),
            c => out.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
        }
    }
    out.push('"');
    out
}

/// The four types of entities, parsed once.
#[derive(Debug, Clone)]
pub(crate) struct Types {
    identity: EntityTypeName,
    group: EntityTypeName,
    api: EntityTypeName,
    action: EntityTypeName,
}

impl Types {
    /// `None` is a fault of this crate: the four words are identifiers of Cedar.
    pub(crate) fn new() -> Option<Self> {
        let named = |word: &str| word.parse::<EntityTypeName>().ok();
        Some(Self {
            identity: named("Identity")?,
            group: named("Group")?,
            api: named("Api")?,
            action: named("Action")?,
        })
    }

    pub(crate) fn identity(&self, id: &str) -> EntityUid {
        EntityUid::from_type_name_and_id(self.identity.clone(), EntityId::new(id))
    }

    pub(crate) fn group(&self, id: &str) -> EntityUid {
        EntityUid::from_type_name_and_id(self.group.clone(), EntityId::new(id))
    }

    pub(crate) fn api(&self, id: &str) -> EntityUid {
        EntityUid::from_type_name_and_id(self.api.clone(), EntityId::new(id))
    }

    pub(crate) fn action(&self, name: &str) -> EntityUid {
        EntityUid::from_type_name_and_id(self.action.clone(), EntityId::new(name))
    }
}

#[cfg(test)]
mod tests;

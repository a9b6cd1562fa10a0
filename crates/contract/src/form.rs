//! Bodies of HTML forms (`application/x-www-form-urlencoded`) as the values they stand for.
//!
//! Names and values are read as in a query. Brackets are followed the way application servers do
//! (`user[role]=admin` is a property of a property, `tags[]=a` an item of a list): a property that
//! the document keeps from callers has no second spelling. What a text is, the schema says.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::place::{Place, shortened};
use crate::run::Task;
use crate::schema::Id;
use crate::schema::types::Types;
use crate::strict;
use crate::text::{self, decoded};
use crate::violation::{Rule, Violation};

/// How many properties within each other a name may go through.
const DEPTH_MAX: usize = 8;

/// What was given under one name.
#[derive(Default)]
struct Given {
    texts: Vec<String>,
    /// It was written as a list (`tags[]`).
    is_list: bool,
    members: BTreeMap<String, Given>,
}

/// The value that a form stands for under a schema.
///
/// # Errors
/// It cannot be decoded, or a property is there in two ways.
pub(crate) fn read(task: &Task<'_>, id: Id, form: &[u8]) -> Result<Value, Violation> {
    let bad = |name: &str, what: &str| violation(task, id, Rule::UnreadableBody, name, what);
    let form = std::str::from_utf8(form).map_err(|_| bad("", "cannot be decoded"))?;
    let mut root = Given::default();
    for pair in form.split('&').filter(|pair| !pair.is_empty()) {
        let (name, text) = pair.split_once('=').unwrap_or((pair, ""));
        let (Some(name), Some(text)) = (decoded(name, true), decoded(text, true)) else {
            return Err(bad(name, "cannot be decoded"));
        };
        if name.contains('\0') || name.starts_with(char::is_whitespace) {
            // Some readers drop these, and find another name.
            return Err(bad(&name, "begins with a blank or has a NUL"));
        }
        // A name that the document lists as it stands is that.
        let listed = property(task, id, &name).is_some();
        let parts = if listed { Some(vec![&*name]) } else { parts(&name) };
        let Some(parts) = parts else {
            return Err(bad(&name, "has brackets that cannot be followed"));
        };
        root.put(&parts, text.into_owned());
    }
    object(task, Some(id), root)
}

/// The names that one goes through, outermost first; the last may be empty, for an item of a list.
fn parts(name: &str) -> Option<Vec<&str>> {
    let Some((first, mut rest)) = name.split_once('[') else {
        return (!name.contains(']')).then(|| vec![name]);
    };
    let mut parts = vec![first];
    loop {
        let (inner, tail) = rest.split_once(']')?;
        parts.push(inner);
        match tail.strip_prefix('[') {
            Some(more) => rest = more,
            None if tail.is_empty() => break,
            None => return None,
        }
    }
    let (_, outer) = parts.split_last()?;
    let is_good = |part: &&str| !part.is_empty() && !part.contains(['[', ']']);
    (parts.len() <= DEPTH_MAX && outer.iter().all(is_good)).then_some(parts)
}

impl Given {
    /// Each name is the place of an item, written in one way.
    fn is_numbered(&self) -> bool {
        let is_place = |n: &String| n.parse::<u32>().is_ok_and(|place| place.to_string() == *n);
        self.members.keys().all(is_place)
    }

    fn put(&mut self, parts: &[&str], text: String) {
        match parts {
            [] => self.texts.push(text),
            [""] => {
                self.is_list = true;
                self.texts.push(text);
            }
            [first, rest @ ..] => {
                self.members.entry((*first).to_owned()).or_default().put(rest, text);
            }
        }
    }
}

/// A list whose items have their places as names (`tags[0]=a`), in the order of these.
fn numbered(task: &Task<'_>, id: Option<Id>, given: Given) -> Result<Value, Violation> {
    let item = id.and_then(|id| item(task, id));
    let mut members: Vec<(u32, Given)> =
        given.members.into_iter().filter_map(|(n, one)| Some((n.parse().ok()?, one))).collect();
    members.sort_by_key(|(place, _)| *place);
    let items = members.into_iter().map(|(place, one)| value(task, item, &place.to_string(), one));
    items.collect::<Result<Vec<_>, _>>().map(Value::Array)
}

fn item(task: &Task<'_>, id: Id) -> Option<Id> {
    task.schemas.family(id).iter().filter_map(|one| one.arrays.as_ref()?.others).next()
}

fn object(task: &Task<'_>, id: Option<Id>, given: Given) -> Result<Value, Violation> {
    let mut members = Map::new();
    for (name, given) in given.members {
        let property = id.and_then(|id| property(task, id, &name));
        let value = value(task, property, &name, given)?;
        members.insert(name, value);
    }
    Ok(Value::Object(members))
}

fn value(task: &Task<'_>, id: Option<Id>, name: &str, given: Given) -> Result<Value, Violation> {
    let twice = || {
        let at = id.unwrap_or_default();
        violation(task, at, Rule::RepeatedProperty, name, "is there more than once")
    };
    let types = id.map_or(Types::ALL, |id| task.schemas.get(id).whole.types);
    match (given.members.is_empty(), given.texts.as_slice()) {
        (false, []) if types.has(Types::ARRAY) && given.is_numbered() => {
            return numbered(task, id, given);
        }
        (false, []) => return object(task, id, given),
        (false, _) => return Err(twice()),
        (true, _) => {}
    }
    let scalar = |text: &str| scalar(task, id, types, text);
    match given.texts.as_slice() {
        [one] if !given.is_list => {
            let single = scalar(one);
            let fits = id.is_none_or(|id| task.fits(id, &single));
            Ok(if fits || !types.has(Types::ARRAY) { single } else { list(task, id, &given.texts) })
        }
        texts if types.has(Types::ARRAY) => Ok(list(task, id, texts)),
        // As a list it is wrong, and told so.
        texts if given.is_list => Ok(list(task, None, texts)),
        _ => Err(twice()),
    }
}

fn scalar(task: &Task<'_>, id: Option<Id>, types: Types, text: &str) -> Value {
    let plain = || Value::String(text.to_owned());
    let Some(known) = id else { return plain() };
    if let Some(value) = text::value(task, Some(known), types, text) {
        return value;
    }
    // The default of OpenAPI for a property that is an object or a list: JSON.
    let json = strict::parse(text.as_bytes(), strict::Limits::default());
    json.ok().filter(|value| value.is_object() || value.is_array()).unwrap_or_else(plain)
}

fn list(task: &Task<'_>, id: Option<Id>, texts: &[String]) -> Value {
    let item = id.and_then(|id| item(task, id));
    let types = item.map_or(Types::ALL, |id| task.schemas.get(id).whole.types);
    Value::Array(texts.iter().map(|text| scalar(task, item, types, text)).collect())
}

fn property(task: &Task<'_>, id: Id, name: &str) -> Option<Id> {
    let family = task.schemas.family(id);
    let described = family.iter().filter_map(|one| one.objects.as_ref()?.properties.as_ref());
    let mut all = described.flat_map(|all| all.iter());
    all.find(|(known, _)| **known == *name).map(|(_, id)| *id)
}

fn violation(task: &Task<'_>, id: Id, rule: Rule, name: &str, what: &str) -> Violation {
    let place = match name {
        "" => String::new(),
        name => format!("/{}", shortened(name).replace('~', "~0").replace('/', "~1")),
    };
    let schema = task.schemas.get(id).pointer.to_string();
    Violation { rule, place: Place::Body(place), what: what.to_owned(), schema }
}

#[cfg(test)]
mod tests;

//! Parameters of a request, in the path, the query and header fields.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::place::Place;
use crate::run::{Direction, Task};
use crate::schema::types::Types;
use crate::schema::{Id, Schemas};
use crate::strict;
use crate::text::{self, decoded};
use crate::violation::{Rule, Violation};

/// One parameter and how its text is read.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: Box<str>,
    pub(crate) place: Place,
    pub(crate) required: bool,
    /// `allowEmptyValue`: a name without a value is enough.
    pub(crate) empty: bool,
    pub(crate) reading: Reading,
    /// Where the document describes it.
    pub(crate) pointer: Box<str>,
}

/// How the text of a parameter becomes a value.
#[derive(Debug)]
pub(crate) enum Reading {
    /// It does not; only whether the parameter is there is checked.
    Unchecked,
    /// As JSON.
    Json(Id),
    /// By the types of its schema.
    Typed(Typed),
}

/// A parameter that is read by the types of its schema.
#[derive(Debug)]
pub(crate) struct Typed {
    schema: Id,
    types: Types,
    list: List,
    item: Option<(Id, Types)>,
    object: Object,
    /// Properties that are described, when it can be an object.
    properties: Box<[(Box<str>, Id, Types)]>,
}

/// How the items of a list are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum List {
    /// Each with the name of the parameter.
    Repeated,
    /// In one text, with this between them.
    Split(char),
}

/// How the properties of an object are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Object {
    /// In a way that is not read here.
    Unread,
    /// `name[property]=value`.
    Deep,
    /// Each as a parameter of its own.
    Spread,
}

/// The query's names and values, decoded.
pub(crate) type Pairs<'q> = [(Cow<'q, str>, Cow<'q, str>)];

impl Typed {
    pub(crate) fn new(schemas: &Schemas, schema: Id, list: List, object: Object) -> Self {
        let types = schemas.get(schema).whole.types;
        let whole = |id: Id| schemas.get(id).whole.types;
        let family = schemas.family(schema);
        let items = family.iter().filter_map(|one| one.arrays.as_ref()?.others).next();
        let mut properties = Vec::new();
        if types.has(Types::OBJECT) {
            let described =
                family.iter().filter_map(|one| one.objects.as_ref()?.properties.as_ref());
            for (name, id) in described.flat_map(|all| all.iter()) {
                properties.push((name.clone(), *id, whole(*id)));
            }
        }
        let item = items.map(|id| (id, whole(id)));
        Self { schema, types, list, item, object, properties: properties.into() }
    }

    /// Its values cannot be read at all: it is an object, written in a way that is not read.
    pub(crate) fn is_unread(&self) -> bool {
        self.types == Types::OBJECT && self.object == Object::Unread
    }

    /// Any name in the query may be one of its properties.
    pub(crate) fn takes_any_name(&self) -> bool {
        self.types == Types::OBJECT && self.object == Object::Spread && self.properties.is_empty()
    }

    /// Whether it is an object that is spread over several names or parts of them.
    fn is_object(&self) -> bool {
        self.types.has(Types::OBJECT) && self.types != Types::ALL && self.object != Object::Unread
    }
}

impl Parameter {
    /// Whether a name in the query is one of this parameter's.
    pub(crate) fn has_name(&self, name: &str) -> bool {
        name == &*self.name || self.property_of(name).is_some()
    }

    /// Which property of it a name in the query stands for.
    fn property_of<'n>(&self, name: &'n str) -> Option<&'n str> {
        let Reading::Typed(typed) = &self.reading else { return None };
        match typed.object {
            _ if !typed.is_object() => None,
            Object::Deep => {
                let inner = name.strip_prefix(&*self.name)?.strip_prefix('[')?;
                inner.strip_suffix(']').filter(|inner| !inner.contains(['[', ']']))
            }
            Object::Spread => {
                typed.properties.iter().any(|(known, ..)| **known == *name).then_some(name)
            }
            Object::Unread => None,
        }
    }

    /// Checks what the query has for it.
    pub(crate) fn in_query(&self, schemas: &Schemas, pairs: &Pairs<'_>) -> Vec<Violation> {
        let task = self.task(schemas);
        if let Some(object) = self.object(&task, pairs) {
            return match object {
                Ok(object) => self.judged(&task, &[object]),
                Err(violation) => vec![violation],
            };
        }
        let named = pairs.iter().filter(|(name, _)| **name == *self.name);
        let texts: Vec<&str> = named.map(|(_, value)| &**value).collect();
        self.texts(&task, &texts)
    }

    /// Checks the value that a path has for it, as the path spells it.
    pub(crate) fn in_path(&self, schemas: &Schemas, value: Option<&str>) -> Vec<Violation> {
        let Some(value) = value else { return self.texts(&self.task(schemas), &[]) };
        match decoded(value, false) {
            Some(text) => self.texts(&self.task(schemas), &[&text]),
            None => vec![self.unreadable()],
        }
    }

    /// Checks the lines that header fields have for it.
    pub(crate) fn in_header(&self, schemas: &Schemas, lines: &[&[u8]]) -> Vec<Violation> {
        let texts: Result<Vec<&str>, _> = lines.iter().map(|l| std::str::from_utf8(l)).collect();
        let Ok(texts) = texts else { return vec![self.unreadable()] };
        let texts: Vec<&str> = texts.into_iter().map(str::trim).collect();
        let task = self.task(schemas);
        if texts.len() > 1 && self.may_be_list() {
            // Lines of one list are one line with commas (RFC 9110 §5.3).
            return self.texts(&task, &[&texts.join(",")]);
        }
        self.texts(&task, &texts)
    }

    fn task<'t>(&'t self, schemas: &'t Schemas) -> Task<'t> {
        let parameter = Some(&self.place);
        Task { schemas, direction: Direction::Request, closed: false, parameter }
    }

    fn may_be_list(&self) -> bool {
        matches!(&self.reading, Reading::Typed(typed) if typed.types.has(Types::ARRAY))
    }

    fn texts(&self, task: &Task<'_>, texts: &[&str]) -> Vec<Violation> {
        let [first, more @ ..] = texts else {
            let missing = || self.violation(Rule::MissingParameter, "has to be there");
            return self.required.then(missing).into_iter().collect();
        };
        if self.empty && first.is_empty() && more.is_empty() {
            return Vec::new();
        }
        let typed = match &self.reading {
            Reading::Unchecked => return Vec::new(),
            Reading::Json(_) if !more.is_empty() => return vec![self.repeated()],
            Reading::Json(id) => return self.json(task, *id, first),
            Reading::Typed(typed) => typed,
        };
        let listed = typed.types.has(Types::ARRAY);
        let repeats = listed && typed.list == List::Repeated;
        if !more.is_empty() && !repeats {
            return vec![self.repeated()];
        }
        let mut readings: Vec<Value> = Vec::new();
        if listed {
            readings.extend(self.list(task, typed, texts));
        }
        if more.is_empty() {
            readings.extend(text::value(task, Some(typed.schema), typed.types, first));
        }
        if readings.is_empty() {
            let what = format!("must be {}", self.expected(typed));
            return vec![self.violation(Rule::WrongType, &what)];
        }
        self.judged(task, &readings)
    }

    /// What could not be read, for a sentence.
    fn expected(&self, typed: &Typed) -> String {
        match typed.item {
            Some((_, types)) if typed.types == Types::ARRAY => {
                format!("a list of which each item is {}", types.words())
            }
            _ => typed.types.words(),
        }
    }

    fn list(&self, task: &Task<'_>, typed: &Typed, texts: &[&str]) -> Option<Value> {
        let items: Vec<&str> = match typed.list {
            List::Repeated => texts.to_vec(),
            List::Split(mark) => texts.first()?.split(mark).map(str::trim).collect(),
        };
        let (id, types) = match typed.item {
            Some((id, types)) => (Some(id), types),
            None => (None, Types::STRING),
        };
        let values = items.into_iter().map(|item| text::value(task, id, types, item));
        values.collect::<Option<Vec<Value>>>().map(Value::Array)
    }

    /// The object that several names of the query make up; `None` when it has none of them.
    fn object(&self, task: &Task<'_>, pairs: &Pairs<'_>) -> Option<Result<Value, Violation>> {
        let Reading::Typed(typed) = &self.reading else { return None };
        let mut object = Map::new();
        for (name, text) in pairs {
            let Some(property) = self.property_of(name) else { continue };
            let known = typed.properties.iter().find(|(known, ..)| **known == *property);
            let value = known
                .and_then(|(_, id, types)| text::value(task, Some(*id), *types, text))
                .unwrap_or_else(|| Value::String(text.clone().into_owned()));
            if object.insert(property.to_owned(), value).is_some() {
                return Some(Err(self.repeated()));
            }
        }
        (!object.is_empty()).then_some(Ok(Value::Object(object)))
    }

    /// What is wrong with the first reading, unless another one is right.
    fn judged(&self, task: &Task<'_>, readings: &[Value]) -> Vec<Violation> {
        let (Reading::Typed(Typed { schema, .. }), Some(first)) = (&self.reading, readings.first())
        else {
            return Vec::new();
        };
        if readings.iter().skip(1).any(|reading| task.fits(*schema, reading)) {
            return Vec::new();
        }
        task.violations(*schema, first)
    }

    fn json(&self, task: &Task<'_>, id: Id, text: &str) -> Vec<Violation> {
        match strict::parse(text.as_bytes(), strict::Limits::default()) {
            Ok(value) => task.violations(id, &value),
            Err(_) => vec![self.violation(Rule::WrongType, "must be JSON")],
        }
    }

    fn repeated(&self) -> Violation {
        self.violation(Rule::RepeatedParameter, "is there more than once")
    }

    pub(crate) fn unreadable(&self) -> Violation {
        self.violation(Rule::UnreadableParameter, "cannot be decoded")
    }

    fn violation(&self, rule: Rule, what: &str) -> Violation {
        let schema = self.pointer.to_string();
        Violation { rule, place: self.place.clone(), what: what.to_owned(), schema }
    }
}

//! The keywords of a schema, each read strictly: a keyword with a value that it cannot have is a
//! problem, because leaving it out would let through what its author meant to refuse.

use base::Problem;
use catalog::openapi::{Dialect, Node};
use serde_json::{Number, Value};

use super::compile::Compiler;
use super::format::{NumberFormat, TextFormat};
use super::types::Types;
use super::{
    Arrays, Contains, Id, Limit, Named, Names, Numbers, Objects, Part, Schema, Texts, number,
};

/// The most values of an `enum`.
const ENUM_MAX: usize = 10_000;

fn bad(node: &Node<'_>, expected: &str) -> Problem {
    node.problem("bad_schema", format!("{expected} is expected here"))
        .hint("correct the keyword, or remove it")
}

/// `type`, `nullable`, `enum`, `const`, `readOnly`, `writeOnly`.
pub(super) fn of_any(
    compiler: &Compiler<'_>,
    node: &Node<'_>,
    schema: &mut Schema,
) -> Result<(), Problem> {
    if let Some(stated) = node.child("type") {
        schema.types = types(&stated)?;
    }
    schema.nullable = match compiler.dialect {
        Dialect::OpenApi31 => false,
        Dialect::OpenApi30 => flag(node, "nullable")?,
        Dialect::Swagger2 => flag(node, "x-nullable")?,
    };
    schema.read_only = flag(node, "readOnly")?;
    schema.write_only = flag(node, "writeOnly")?;
    if let Some(listed) = node.child("enum") {
        let values = listed.value().as_array().ok_or_else(|| bad(&listed, "a list of values"))?;
        if values.len() > ENUM_MAX {
            let detail = format!("the list has more than {ENUM_MAX} values");
            return Err(listed.problem("bad_schema", detail).hint("say it with a `pattern`"));
        }
        schema.one_of = Some(values.clone().into());
    }
    schema.constant = node.child("const").map(|constant| Box::new(constant.value().clone()));
    Ok(())
}

fn types(stated: &Node<'_>) -> Result<Types, Problem> {
    let words = if stated.text().is_some() { vec![stated.clone()] } else { stated.items() };
    if words.is_empty() {
        return Err(bad(stated, "the name of a type"));
    }
    words.iter().try_fold(Types::NONE, |types, word| {
        let one = match word.text() {
            // Swagger 2.0: an upload, or a response that is one. Its bytes are not looked at.
            Some("file") => Some(Types::ALL),
            Some(name) => Types::of_word(name),
            None => None,
        };
        Ok(types.or(one.ok_or_else(|| bad(word, "the name of a type of JSON"))?))
    })
}

/// Keywords for numbers.
pub(super) fn of_numbers(
    compiler: &Compiler<'_>,
    node: &Node<'_>,
) -> Result<Option<Box<Numbers>>, Problem> {
    let mut limits = Vec::new();
    let low = numeric(node, "minimum")?;
    let high = numeric(node, "maximum")?;
    if compiler.dialect == Dialect::OpenApi31 {
        limits.extend(low.map(Limit::AtLeast));
        limits.extend(high.map(Limit::AtMost));
        limits.extend(numeric(node, "exclusiveMinimum")?.map(Limit::MoreThan));
        limits.extend(numeric(node, "exclusiveMaximum")?.map(Limit::LessThan));
    } else {
        let without = flag(node, "exclusiveMinimum")?;
        limits.extend(
            low.map(|low| if without { Limit::MoreThan(low) } else { Limit::AtLeast(low) }),
        );
        let without = flag(node, "exclusiveMaximum")?;
        limits.extend(
            high.map(|high| if without { Limit::LessThan(high) } else { Limit::AtMost(high) }),
        );
    }
    let step = numeric(node, "multipleOf")?;
    if let (Some(step), Some(place)) = (&step, node.child("multipleOf"))
        && step.as_f64().is_none_or(|step| step <= 0.0)
    {
        return Err(bad(&place, "a number above 0"));
    }
    let format = word(node, "format")?.and_then(NumberFormat::of_word);
    let stated = !limits.is_empty() || step.is_some() || format.is_some();
    Ok(stated.then(|| Box::new(Numbers { limits, step, format })))
}

/// Keywords for strings.
pub(super) fn of_texts(
    compiler: &mut Compiler<'_>,
    node: &Node<'_>,
) -> Result<Option<Box<Texts>>, Problem> {
    let pattern = match (word(node, "pattern")?, node.child("pattern")) {
        (Some(text), Some(place)) => Some(compiler.patterns.compile(text, &place)?),
        _ => None,
    };
    let texts = Texts {
        length_min: count(node, "minLength")?,
        length_max: count(node, "maxLength")?,
        pattern,
        format: word(node, "format")?.and_then(TextFormat::of_word),
    };
    let Texts { length_min, length_max, pattern, format } = &texts;
    let lengths = length_min.is_some() || length_max.is_some();
    let stated = lengths || pattern.is_some() || format.is_some();
    Ok(stated.then(|| Box::new(texts)))
}

/// Keywords for arrays.
pub(super) fn of_arrays<'d>(
    compiler: &mut Compiler<'d>,
    node: &Node<'d>,
) -> Result<Option<Box<Arrays>>, Problem> {
    if let Some(items) = node.child("items")
        && items.value().is_array()
    {
        return Err(items
            .problem("bad_schema", "`items` is one schema for all items")
            .hint("list schemas of the first items under `prefixItems`"));
    }
    let contains = match compiler.at(node, "contains")? {
        Some(schema) => Some(Contains {
            schema,
            count_min: count(node, "minContains")?.unwrap_or(1),
            count_max: count(node, "maxContains")?,
        }),
        None => None,
    };
    let arrays = Arrays {
        length_min: count(node, "minItems")?,
        length_max: count(node, "maxItems")?,
        unique: flag(node, "uniqueItems")?,
        first: list(compiler, node, "prefixItems")?.unwrap_or_default(),
        others: compiler.at(node, "items")?,
        contains,
    };
    let lengths = arrays.length_min.is_some() || arrays.length_max.is_some() || arrays.unique;
    let items = !arrays.first.is_empty() || arrays.others.is_some() || arrays.contains.is_some();
    Ok((lengths || items).then(|| Box::new(arrays)))
}

/// Keywords for objects. `with_required` is false where `required` is a word of a parameter.
pub(super) fn of_objects<'d>(
    compiler: &mut Compiler<'d>,
    node: &Node<'d>,
    with_required: bool,
) -> Result<Option<Box<Objects>>, Problem> {
    let mut patterns = Vec::new();
    for (pattern, schema) in named(compiler, node, "patternProperties")?.unwrap_or_default() {
        let place = node.child("patternProperties").unwrap_or_else(|| node.clone());
        patterns.push((compiler.patterns.compile(&pattern, &place)?, schema));
    }
    let required = node.child("required").filter(|_| with_required);
    let mut dependent = Vec::new();
    if let Some(all) = node.child("dependentRequired") {
        for (name, names) in all.members()? {
            dependent.push((name.into(), texts(&names)?));
        }
    }
    let objects = Objects {
        count_min: count(node, "minProperties")?,
        count_max: count(node, "maxProperties")?,
        required: required.map_or(Ok(Box::default()), |names| texts(&names))?,
        properties: named(compiler, node, "properties")?,
        patterns: patterns.into(),
        additional: compiler.at(node, "additionalProperties")?,
        names: compiler.at(node, "propertyNames")?,
        dependent: dependent.into(),
    };
    let counted = objects.count_min.is_some() || objects.count_max.is_some();
    let names = !objects.required.is_empty() || !objects.dependent.is_empty();
    let described = objects.properties.is_some() || !objects.patterns.is_empty();
    let others = objects.additional.is_some() || objects.names.is_some();
    Ok((counted || names || described || others).then(|| Box::new(objects)))
}

/// Keywords that combine schemas.
pub(super) fn of_parts<'d>(
    compiler: &mut Compiler<'d>,
    node: &Node<'d>,
) -> Result<Vec<Part>, Problem> {
    let mut parts = Vec::new();
    parts.extend(list(compiler, node, "allOf")?.map(Part::All));
    parts.extend(list(compiler, node, "anyOf")?.map(Part::Any));
    parts.extend(list(compiler, node, "oneOf")?.map(Part::One));
    parts.extend(compiler.at(node, "not")?.map(Part::Not));
    if let Some(test) = compiler.at(node, "if")? {
        let then = compiler.at(node, "then")?;
        let otherwise = compiler.at(node, "else")?;
        parts.push(Part::If { test, then, otherwise });
    }
    parts.extend(named(compiler, node, "dependentSchemas")?.map(Part::Dependent));
    Ok(parts)
}

/// A list of schemas, which cannot be empty.
fn list<'d>(
    compiler: &mut Compiler<'d>,
    node: &Node<'d>,
    keyword: &str,
) -> Result<Option<Box<[Id]>>, Problem> {
    let Some(list) = node.child(keyword) else { return Ok(None) };
    let items = list.items();
    if items.is_empty() {
        return Err(bad(&list, "a list of schemas"));
    }
    items.iter().map(|item| compiler.schema(item)).collect::<Result<_, _>>().map(Some)
}

fn named<'d>(
    compiler: &mut Compiler<'d>,
    node: &Node<'d>,
    keyword: &str,
) -> Result<Option<Named>, Problem> {
    let Some(all) = node.child(keyword) else { return Ok(None) };
    let mut out: Vec<(Box<str>, Id)> = Vec::new();
    for (name, schema) in all.members()? {
        out.push((name.into(), compiler.schema(&schema)?));
    }
    out.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(Some(out.into()))
}

/// A list of names.
fn texts(node: &Node<'_>) -> Result<Names, Problem> {
    if !node.value().is_array() {
        return Err(bad(node, "a list of names"));
    }
    let text = |item: &Node<'_>| item.text().map(Box::from).ok_or_else(|| bad(item, "a name"));
    node.items().iter().map(text).collect()
}

fn word<'d>(node: &Node<'d>, keyword: &str) -> Result<Option<&'d str>, Problem> {
    let Some(stated) = node.child(keyword) else { return Ok(None) };
    stated.text().map(Some).ok_or_else(|| bad(&stated, "a text"))
}

fn flag(node: &Node<'_>, keyword: &str) -> Result<bool, Problem> {
    let Some(stated) = node.child(keyword) else { return Ok(false) };
    stated.value().as_bool().ok_or_else(|| bad(&stated, "`true` or `false`"))
}

fn numeric(node: &Node<'_>, keyword: &str) -> Result<Option<Number>, Problem> {
    match node.child(keyword) {
        None => Ok(None),
        Some(stated) => match stated.value() {
            Value::Number(number) => Ok(Some(number.clone())),
            _ => Err(bad(&stated, "a number")),
        },
    }
}

fn count(node: &Node<'_>, keyword: &str) -> Result<Option<u64>, Problem> {
    let Some(number) = numeric(node, keyword)? else { return Ok(None) };
    let count = number::integer(&number).and_then(|count| u64::try_from(count).ok());
    let place = node.child(keyword).unwrap_or_else(|| node.clone());
    count.map(Some).ok_or_else(|| bad(&place, "a number of things"))
}

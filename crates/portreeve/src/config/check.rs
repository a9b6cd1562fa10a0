//! The shape of the file: every key known, every value of its kind, nothing that is needed left
//! out, no secret in the clear. What values mean together is the business of `settings`.

use std::ops::Range;

use base::Span;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::diagnostic::Diagnostic;
use super::keys::{self, KEYS, Key, Kind};
use base::nearest;

/// Checks a parsed file against the table of keys.
pub(crate) fn check(table: &Spanned<DeTable<'_>>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    check_table(table.get_ref(), &table.span(), "", &mut found);
    found.sort_by_key(|item| item.span.as_ref().map_or(0, |span| span.start));
    found
}

fn check_table(
    table: &DeTable<'_>,
    span: &Range<usize>,
    prefix: &str,
    found: &mut Vec<Diagnostic>,
) {
    for (name, value) in table {
        let path = format!("{prefix}{}", name.get_ref());
        if let Some(key) = KEYS.iter().find(|key| key.path == path) {
            found.extend(check_value(key, value));
        } else if has_keys(&format!("{path}[].")) {
            check_tables(value, &path, found);
        } else if has_keys(&format!("{path}.")) {
            match value.get_ref() {
                DeValue::Table(inner) => {
                    check_table(inner, &value.span(), &format!("{path}."), found);
                }
                other => found.push(wrong_kind(&path, "a table", other, value.span())),
            }
        } else {
            found.push(unknown(name.get_ref(), name.span(), prefix));
        }
    }
    found.extend(missing(table, span, prefix));
}

fn check_tables(value: &Spanned<DeValue<'_>>, path: &str, found: &mut Vec<Diagnostic>) {
    let DeValue::Array(items) = value.get_ref() else {
        let wrong = wrong_kind(path, "an array of tables", value.get_ref(), value.span());
        found.push(wrong.hint(format!("write [[{path}]] above the keys")));
        return;
    };
    for item in items {
        match item.get_ref() {
            DeValue::Table(table) => {
                check_table(table, &item.span(), &format!("{path}[]."), found);
            }
            other => found.push(wrong_kind(path, "an array of tables", other, item.span())),
        }
    }
}

fn has_keys(prefix: &str) -> bool {
    KEYS.iter().any(|key| key.path.starts_with(prefix))
}

fn unknown(name: &str, span: Range<usize>, prefix: &str) -> Diagnostic {
    let names = keys::names_under(prefix);
    let place = match prefix.trim_end_matches('.') {
        "" => String::new(),
        table if table.ends_with("[]") => format!(" in [[{}]]", table.trim_end_matches("[]")),
        table => format!(" in [{table}]"),
    };
    let hint = match nearest(name, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the keys here are {}", names.join(", ")),
    };
    Diagnostic::new(format!("unknown key `{name}`{place}"), span)
        .why("a key that nothing reads would be a rule that silently does not hold")
        .hint(hint)
}

fn missing(table: &DeTable<'_>, span: &Range<usize>, prefix: &str) -> Vec<Diagnostic> {
    KEYS.iter()
        .filter(|key| key.needed)
        .filter_map(|key| Some((key, key.path.strip_prefix(prefix)?)))
        .filter(|(_, rest)| !rest.contains(['.', '[']))
        .filter(|(_, rest)| !table.keys().any(|name| name.get_ref() == rest))
        .map(|(key, rest)| {
            Diagnostic::new(format!("`{rest}` is missing"), span.clone())
                .hint(format!("{} See `portreeve config explain {}`", key.doc, key.path))
        })
        .collect()
}

fn check_value(key: &Key, value: &Spanned<DeValue<'_>>) -> Option<Diagnostic> {
    let span = value.span();
    let wrong =
        |expected: &str| Some(wrong_kind(key.path, expected, value.get_ref(), span.clone()));
    match (key.kind, value.get_ref()) {
        (Kind::Text | Kind::Path | Kind::TextOrSecret, DeValue::String(_)) => None,
        (Kind::Text | Kind::Path, _) => wrong("text"),
        (Kind::Bool, DeValue::Boolean(_)) => None,
        (Kind::Bool, _) => wrong("true or false"),
        (Kind::Integer, DeValue::Integer(number)) if !number.as_str().starts_with('-') => None,
        (Kind::Integer, _) => wrong("a whole number, not negative"),
        (Kind::Span, DeValue::String(text)) => {
            let problem = Span::parse(text).err()?;
            Some(Diagnostic::new(problem.to_string(), span))
        }
        (Kind::Span, _) => wrong("a duration as text, such as \"30s\""),
        (Kind::Word(words), DeValue::String(text)) => check_word(key, words, text, span),
        (Kind::Word(_), _) => wrong("text"),
        (Kind::Limits, DeValue::String(text)) => check_limit(text, span),
        (Kind::Limits, DeValue::Array(items)) => {
            items.iter().find_map(|item| check_item(key, item))
        }
        (Kind::Limits, _) => wrong("a limit, or a list of limits"),
        (Kind::Counts, DeValue::Table(table)) => check_counts(key, table),
        (Kind::Counts, _) => wrong("a table of whole numbers"),
        (Kind::List | Kind::Words(_), DeValue::Array(items)) => {
            items.iter().find_map(|item| check_item(key, item))
        }
        (Kind::List | Kind::Words(_), _) => wrong("a list of texts"),
        (Kind::Secret | Kind::TextOrSecret, DeValue::Table(table)) => check_secret(table, span),
        (Kind::Secret, DeValue::String(_)) => Some(literal_secret(key.path, span)),
        (Kind::Secret | Kind::TextOrSecret, _) => wrong("a reference to a secret"),
    }
}

fn check_item(key: &Key, item: &Spanned<DeValue<'_>>) -> Option<Diagnostic> {
    match (key.kind, item.get_ref()) {
        (Kind::Words(words), DeValue::String(text)) => check_word(key, words, text, item.span()),
        (Kind::Limits, DeValue::String(text)) => check_limit(text, item.span()),
        (_, DeValue::String(_)) => None,
        (_, other) => Some(wrong_kind(key.path, "a list of texts", other, item.span())),
    }
}

fn check_limit(text: &str, span: Range<usize>) -> Option<Diagnostic> {
    let problem = text.parse::<traffic::Limit>().err()?;
    Some(Diagnostic { hint: problem.hint, ..Diagnostic::new(problem.detail, span) })
}

fn check_counts(key: &Key, table: &DeTable<'_>) -> Option<Diagnostic> {
    table.values().find_map(|value| match value.get_ref() {
        DeValue::Integer(number) if !number.as_str().starts_with('-') => None,
        other => Some(wrong_kind(key.path, "a table of whole numbers", other, value.span())),
    })
}

fn check_word(key: &Key, words: &[&str], text: &str, span: Range<usize>) -> Option<Diagnostic> {
    if words.contains(&text) {
        return None;
    }
    let hint = match nearest(text, words.iter().copied()) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => format!("write one of: {}", words.join(", ")),
    };
    Some(Diagnostic::new(format!("`{}` cannot be \"{text}\"", last(key.path)), span).hint(hint))
}

fn check_secret(table: &DeTable<'_>, span: Range<usize>) -> Option<Diagnostic> {
    const FORMS: &[&str] = &["file", "env", "credential"];
    let mut entries = table.iter();
    let form = "write { file = \"…\" }, { env = \"…\" } or { credential = \"…\" }";
    match (entries.next(), entries.next()) {
        (Some((name, value)), None) if FORMS.contains(&name.get_ref().as_ref()) => {
            match value.get_ref() {
                DeValue::String(_) => None,
                other => Some(wrong_kind(name.get_ref(), "text", other, value.span())),
            }
        }
        _ => Some(Diagnostic::new("not a reference to a secret", span).hint(form)),
    }
}

/// The error for a secret that stands in the file itself.
pub(crate) fn literal_secret(path: &str, span: Range<usize>) -> Diagnostic {
    Diagnostic::new(format!("`{}` holds the secret itself", last(path)), span)
        .secret()
        .why("configuration files are copied, mailed and committed; secrets must not travel along")
        .hint("write { file = \"…\" }, { env = \"…\" } or { credential = \"…\" }")
}

fn wrong_kind(path: &str, expected: &str, got: &DeValue<'_>, span: Range<usize>) -> Diagnostic {
    let kind = match got {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with decimals",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    Diagnostic::new(format!("`{}` must be {expected}, not {kind}", last(path)), span)
}

fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

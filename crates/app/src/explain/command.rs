//! Grants as the commands that give them.

use grant::{Grant, OperationSet};

use crate::{operations, terms};

/// The command that gives a grant, with all that it asks for. `None`: no command says that it gives
/// so little.
pub(super) fn give(grant: &Grant) -> Option<String> {
    let is_nothing = |names: Option<&Vec<String>>| names.is_some_and(Vec::is_empty);
    if is_nothing(grant.fields.as_ref()) || is_nothing(grant.terms.writable.as_ref()) {
        return None;
    }
    let operation = match &grant.operations {
        OperationSet::Only(ids) => ids.iter().next().map(ToString::to_string).unwrap_or_default(),
        OperationSet::All(_) => return None,
    };
    // The command would take it for all that the word stands for.
    if operations::WORDS.contains(&operation.as_str()) {
        return None;
    }
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
            ("--bound", &terms.bindings),
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
    if let Some(until) = grant.expires_at {
        option("--until", &until.to_string());
    }
    Some(out)
}

/// The command that stops taking a grant back.
pub(super) fn keep(grant: &Grant) -> String {
    format!(
        "portreeve grant withdraw {} --stage stop --reason 'still needed'",
        quoted(grant.id.as_str())
    )
}

/// As a shell takes it for one word.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,*".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

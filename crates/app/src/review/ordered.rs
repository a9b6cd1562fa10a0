//! From the definition as written to the one that core plans by.

use base::{ApiId, Problem};
use review::definition::DAYS_MAX;
use review::{Definition, ReviewerRule, Scope};

use crate::input;
use crate::view::ReviewDefinition;

/// How long reviewers have unless said otherwise.
const DAYS: u32 = 14;
/// The longest instructions, in characters.
const INSTRUCTIONS_MAX: usize = 2_000;

/// Reads a definition. Every part that cannot be read is named.
pub(super) fn definition(written: &ReviewDefinition) -> Result<Definition, Problem> {
    let mut reviewers = Vec::new();
    for rule in &written.by {
        reviewers.push(input::word("by", rule)?);
    }
    if reviewers.is_empty() {
        reviewers = vec![ReviewerRule::Owner, ReviewerRule::ApiOwner];
    }
    let days = written.days.unwrap_or(DAYS);
    if days == 0 || days > DAYS_MAX {
        let detail = format!("reviewers need 1 to {DAYS_MAX} days");
        return Err(Problem::invalid("bad_days", detail).at("days"));
    }
    Ok(Definition {
        name: input::line("name", &written.name)?,
        scope: scope(written)?,
        reviewers,
        fallback: input::id("fallback", &written.fallback)?,
        days,
        instructions: instructions(written.instructions.as_deref())?,
    })
}

fn scope(written: &ReviewDefinition) -> Result<Scope, Problem> {
    let of = &written.of;
    let all = |words: &[String], field| -> Result<Vec<_>, Problem> {
        words.iter().map(|word| input::word(field, word)).collect()
    };
    let impacts: Result<_, Problem> =
        of.impacts.iter().map(|word| input::word("of.impacts", word)).collect();
    let environments: Result<_, Problem> =
        of.environments.iter().map(|word| input::word("of.environments", word)).collect();
    let apis: Result<Vec<ApiId>, Problem> =
        of.apis.iter().map(|id| input::id("of.apis", id)).collect();
    Ok(Scope {
        kinds: all(&of.kinds, "of.kinds")?,
        apis: apis?,
        impacts: impacts?,
        environments: environments?,
    })
}

fn instructions(text: Option<&str>) -> Result<Option<String>, Problem> {
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    if text.is_some_and(|text| text.chars().count() > INSTRUCTIONS_MAX) {
        let detail = format!("instructions have at most {INSTRUCTIONS_MAX} characters");
        return Err(Problem::invalid("too_long", detail).at("instructions"));
    }
    Ok(text.map(str::to_owned))
}

/// Lower-case letters and digits with single hyphens between; `review` when nothing is left.
pub(super) fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars().take(64) {
        match c {
            c if c.is_ascii_alphanumeric() => slug.push(c.to_ascii_lowercase()),
            _ if slug.ends_with('-') || slug.is_empty() => {}
            _ => slug.push('-'),
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "review".to_owned() } else { slug.to_owned() }
}

#[cfg(test)]
mod tests;

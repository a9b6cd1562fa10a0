//! Reading what a caller wrote: one value, its field as the place of the problem, the nearest word
//! as the hint. Nothing here knows of the state.

use std::str::FromStr;

use base::id::BadId;
use base::words::UnknownWord;
use base::{Problem, Span, Timestamp};

/// The longest name or purpose, in characters.
const TEXT_CHARS_MAX: usize = 256;

/// An id.
pub(crate) fn id<T: FromStr<Err = BadId>>(field: &str, text: &str) -> Result<T, Problem> {
    text.parse().map_err(|error: BadId| {
        Problem::invalid("bad_id", format!("`{}`: {}", shown(text), shown(&error.to_string())))
            .at(field)
            .hint("use letters, digits and . _ : @ / ~ + -")
    })
}

/// A word of a closed list.
pub(crate) fn word<T: FromStr<Err = UnknownWord>>(field: &str, text: &str) -> Result<T, Problem> {
    text.parse().map_err(|error: UnknownWord| {
        let problem = Problem::invalid("unknown_word", error.to_string()).at(field);
        with_nearest(problem, text, error.allowed.split(", "))
    })
}

/// A word, or what holds without one.
pub(crate) fn word_or<T: FromStr<Err = UnknownWord>>(
    field: &str,
    text: Option<&str>,
    default: T,
) -> Result<T, Problem> {
    text.map_or(Ok(default), |text| word(field, text))
}

/// A name or a purpose: one line, not blank, not endless.
pub(crate) fn line(field: &str, text: &str) -> Result<String, Problem> {
    let text = text.trim();
    let bad = |reason: &str, detail: String| Err(Problem::invalid(reason, detail).at(field));
    if text.is_empty() {
        return bad("empty", format!("{field} must not be empty"));
    }
    if text.chars().count() > TEXT_CHARS_MAX {
        return bad("too_long", format!("{field} has more than {TEXT_CHARS_MAX} characters"));
    }
    if text.chars().any(char::is_control) {
        return bad("control_character", format!("{field} must be one line of text"));
    }
    Ok(text.to_owned())
}

/// The same, where it may be left out. Blank counts as left out.
pub(crate) fn maybe_line(field: &str, text: Option<&str>) -> Result<Option<String>, Problem> {
    text.filter(|text| !text.trim().is_empty()).map(|text| line(field, text)).transpose()
}

/// A span of time, more than nothing.
pub(crate) fn span(field: &str, text: &str) -> Result<Span, Problem> {
    let span = Span::parse(text)
        .map_err(|error| Problem::invalid("bad_duration", error.to_string()).at(field))?;
    if span.as_micros() == 0 {
        return Err(Problem::invalid("bad_duration", format!("{field} is zero")).at(field));
    }
    Ok(span)
}

/// A moment.
pub(crate) fn time(field: &str, text: &str) -> Result<Timestamp, Problem> {
    Timestamp::parse(text)
        .map_err(|error| Problem::invalid("bad_time", error.to_string()).at(field))
}

/// An address.
pub(crate) fn address(field: &str, text: &str) -> Result<std::net::IpAddr, Problem> {
    text.parse().map_err(|_| {
        Problem::invalid("bad_address", format!("`{}` is not an IP address", shown(text))).at(field)
    })
}

/// A moment that is still to come.
pub(crate) fn future(field: &str, text: &str, now: Timestamp) -> Result<Timestamp, Problem> {
    let moment = Timestamp::parse(text)
        .map_err(|error| Problem::invalid("bad_time", error.to_string()).at(field))?;
    if moment <= now {
        let detail = format!("{moment} is past; it is {now}");
        return Err(Problem::invalid("time_is_past", detail).at(field));
    }
    Ok(moment)
}

/// Adds "did you mean" when a known word is near enough to be meant.
pub(crate) fn with_nearest<'a>(
    problem: Problem,
    word: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Problem {
    match base::nearest(word, known) {
        Some(near) => problem.hint(format!("did you mean `{near}`?")),
        None => problem,
    }
}

/// Input as it can be shown in a message: its first characters, no control characters.
fn shown(text: &str) -> String {
    text.chars().take(128).map(|c| if c.is_control() { '?' } else { c }).collect()
}

#[cfg(test)]
mod tests;

//! The console's words: codes of the wire form in the words people say, numbers with their unit,
//! times relative in rows with the absolute time on hover.

use std::borrow::Borrow;

use base::Timestamp;

/// `1204` as `1,204`.
pub fn number(value: impl Borrow<u64>) -> String {
    let digits = value.borrow().to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 call`, `2 calls`; the plural is the singular with `s`, or with `ies` for a final `y`.
pub fn count(value: impl Borrow<u64>, one: &str) -> String {
    let value = *value.borrow();
    if value == 1 {
        return format!("1 {one}");
    }
    match one.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'o'])) {
        Some(stem) => format!("{} {stem}ies", number(value)),
        None => format!("{} {one}s", number(value)),
    }
}

/// The length of a list, for [`number`] and [`count`].
pub fn len<T>(list: &[T]) -> u64 {
    u64::try_from(list.len()).unwrap_or(u64::MAX)
}

/// A code such as `service_account` or `unused-grant` in words people say.
pub fn plain(code: &str) -> String {
    match code {
        "service_account" => "service".to_owned(),
        "object-id-enumeration" => "walk through objects".to_owned(),
        "issuer_subject" => "token of a trusted issuer".to_owned(),
        other => other.split(['_', '-', ' ']).map(word).collect::<Vec<_>>().join(" "),
    }
}

fn word(part: &str) -> &str {
    match part {
        "ai" => "AI",
        "api" => "API",
        "ci" => "CI",
        other => other,
    }
}

/// [`plain`] with a capital, for the start of a sentence or a badge.
pub fn title(code: &str) -> String {
    capital(&plain(code))
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

/// A refusal's text as a sentence: a capital at the start, unless an id stands there, and a full
/// stop at the end.
pub fn sentence(text: &str) -> String {
    let text = text.trim();
    let first = text.split_whitespace().next().unwrap_or_default();
    if looks_like_an_id(first) { closed(text) } else { closed(&capital(text)) }
}

/// Ids are written as they are: `svc-export`, `getOrder`, `g_01k…`.
fn looks_like_an_id(word: &str) -> bool {
    let inner = word.trim_end_matches(['.', ',', ':', ';']);
    inner.contains(['-', '_', '/', '`', ':', '@'])
        || inner.chars().skip(1).any(char::is_uppercase)
        || inner.chars().any(|letter| letter.is_ascii_digit())
}

/// A text that begins with a name, as a sentence: only the full stop is added.
pub fn closed(text: &str) -> String {
    let text = text.trim();
    let ends = text.is_empty() || text.ends_with(['.', '!', '?', '…']);
    if ends { text.to_owned() } else { format!("{text}.") }
}

/// What a rule finds.
pub fn rule(code: &str) -> String {
    match code {
        "over-privileged" => "More access than used".to_owned(),
        "never-used-credential" => "Credential never used".to_owned(),
        "ownerless" => "No owner".to_owned(),
        other => title(other),
    }
}

/// Where an object is maintained.
pub fn origin(code: &str) -> &str {
    match code {
        "file" => "the configuration file",
        "console" => "the console or the admin API",
        "scim" => "the directory",
        "import" => "imported files",
        "system" => "portreeve itself",
        other => other,
    }
}

/// Why a grant exists.
pub fn grant_reason(code: &str) -> &str {
    match code {
        "request" => "asked for and approved",
        "review" => "narrowed in a review",
        "import" => "carried over from another system",
        "rule" => "given by a rule",
        "direct" => "given directly",
        other => other,
    }
}

/// Who did something, by name where there is one.
pub fn who<'a>(id: &'a str, name: &'a Option<String>) -> &'a str {
    match name {
        Some(name) => name,
        None if id.starts_with("system:") => "portreeve",
        None => id,
    }
}

/// Names in a row before the rest becomes a number.
pub(crate) const NAMED_MAX: usize = 4;

/// `Read order`, `Read order and Refund order`, `A, B, C, D and 3 more`.
pub fn listed(names: &[&str]) -> String {
    match names.get(..NAMED_MAX) {
        Some(shown) if shown.len() < names.len() => {
            format!("{} and {} more", shown.join(", "), names.len() - shown.len())
        }
        _ => all(names),
    }
}

/// Every name, where nothing may be left out.
pub fn all(names: &[&str]) -> String {
    match names.split_last() {
        None => "nothing".to_owned(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, before)) => format!("{} and {last}", before.join(", ")),
    }
}

/// The state of a campaign, for people.
pub fn review_state(state: &str) -> &'static str {
    match state {
        "STAGED" => "Not started",
        "ACTIVE" => "Open for decisions",
        "REMEDIATING" => "Applying removals",
        "VERIFYING" => "Proving removals",
        "COMPLETED" | "SEALED" => "Completed",
        "CANCELLED" => "Cancelled",
        _ => "Unknown",
    }
}

/// What happened to a call, for people.
pub fn outcome(code: &str) -> &'static str {
    match code {
        "allowed" => "Allowed",
        "observed" => "Observed",
        "refused" => "Refused",
        "failed" => "Failed",
        "cancelled" => "Cancelled",
        "withheld" => "Withheld",
        _ => "Unknown",
    }
}

/// Which colour a word carries besides itself; a suffix of the `tag-` classes.
pub fn tone(word: &str) -> &'static str {
    match word {
        "high" | "refused" | "failed" | "revoked" | "remove" | "disabled" | "CANCELLED" => "bad",
        "medium" | "suspended" | "narrow" | "observed" | "observe" | "cancelled" | "withheld"
        | "REMEDIATING" | "VERIFYING" | "drafted" | "pending" => "warn",
        "allowed" | "active" | "keep" | "enforce" | "COMPLETED" | "SEALED" | "verified"
        | "passed" | "applied" => "good",
        _ => "calm",
    }
}

/// A moment as `2026-11-22 14:02 UTC`; what cannot be read stays as it came.
pub fn absolute(text: &str) -> String {
    let Ok(moment) = Timestamp::parse(text) else { return text.to_owned() };
    let text = moment.to_string();
    match (text.get(..10), text.get(11..16)) {
        (Some(date), Some(time)) => format!("{date} {time} UTC"),
        _ => text,
    }
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A moment's day as `22 Nov 2026`.
pub fn date(text: &str) -> String {
    let iso = absolute(text);
    let part = |range| iso.get(range).and_then(|digits: &str| digits.parse::<usize>().ok());
    let month = part(5..7).and_then(|month| MONTHS.get(month.wrapping_sub(1)));
    match (part(0..4), month, part(8..10)) {
        (Some(year), Some(month), Some(day)) => format!("{day} {month} {year}"),
        _ => iso,
    }
}

/// How far a moment is from now: `2 d ago`, `in 5 h`, `just now`.
pub fn relative(text: &str, now: Timestamp) -> String {
    let Ok(moment) = Timestamp::parse(text) else { return text.to_owned() };
    let seconds = now.since(moment).as_secs();
    let span = match seconds.unsigned_abs() {
        0..60 => return if seconds < 0 { "in a moment" } else { "just now" }.to_owned(),
        span @ 60..3_600 => format!("{} min", span / 60),
        span @ 3_600..172_800 => format!("{} h", span / 3_600),
        span => format!("{} d", span / 86_400),
    };
    if seconds < 0 { format!("in {span}") } else { format!("{span} ago") }
}

/// How old something is: `212 days old`, `5 hours old`, `new`.
pub fn age(text: &str, now: Timestamp) -> String {
    let Ok(moment) = Timestamp::parse(text) else { return text.to_owned() };
    let hours = now.since(moment).as_secs().max(0).unsigned_abs() / 3_600;
    if hours == 0 {
        return "new".to_owned();
    }
    if hours < 48 { count(hours, "hour") + " old" } else { count(hours / 24, "day") + " old" }
}

/// Milliseconds as people say them: `0.4 s`, `12 ms`, `2 min`.
pub fn duration_ms(millis: impl Borrow<u64>) -> String {
    match *millis.borrow() {
        millis @ 0..100 => format!("{millis} ms"),
        millis @ 100..60_000 => format!("{}.{} s", millis / 1_000, millis % 1_000 / 100),
        millis => format!("{} min", millis / 60_000),
    }
}

/// Microseconds as `0.42 ms` or `12 ms`.
pub fn duration_us(micros: impl Borrow<u64>) -> String {
    match *micros.borrow() {
        micros @ 0..10_000 => format!("{}.{:02} ms", micros / 1_000, micros % 1_000 / 10),
        micros => duration_ms(micros / 1_000),
    }
}

/// The share of `part` in `whole`, 0 to 100, rounded down; 0 of nothing is 0.
pub fn percent(part: u64, whole: u64) -> u64 {
    part.saturating_mul(100).checked_div(whole).unwrap_or(0).min(100)
}

#[cfg(test)]
mod tests;

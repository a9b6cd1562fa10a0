//! The one line of text that a limit is written in.

use std::str::FromStr;

use base::{Problem, nearest};

use super::{COUNT_MAX, Calendar, Limit, Measure, Scope, Window, usual_burst};

const FORM: &str = "write it like `200/s per identity`, `10000/day per grant` or \
                    `20 concurrent per credential`";
const UNITS: [&str; 5] = ["s", "min", "h", "day", "month"];
/// `caller` says what an identity is to who writes a limit.
const SCOPES: [&str; 7] =
    ["identity", "caller", "credential", "grant", "operation", "source", "api"];
/// What people write for a unit, and the word for it.
const SYNONYMS: [(&str, &str); 12] = [
    ("sec", "s"),
    ("second", "s"),
    ("seconds", "s"),
    ("m", "min"),
    ("minute", "min"),
    ("minutes", "min"),
    ("hour", "h"),
    ("hours", "h"),
    ("d", "day"),
    ("days", "day"),
    ("mo", "month"),
    ("months", "month"),
];
/// Faster than any clock here can tell apart.
const PER_SECOND_MAX: u64 = 1_000_000;

fn bad(detail: String, hint: impl Into<String>) -> Problem {
    Problem::invalid("bad_limit", detail).hint(hint)
}

fn meant(word: &str, known: &[&'static str]) -> String {
    let synonym = SYNONYMS.iter().find(|(other, _)| *other == word).map(|(_, unit)| *unit);
    match synonym.or_else(|| nearest(word, known.iter().copied())) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("write one of: {}", known.join(", ")),
    }
}

impl FromStr for Limit {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let mut words = text.split_whitespace();
        let first = words.next().ok_or_else(|| bad("a limit is empty".to_owned(), FORM))?;
        let amount = match first.split_once('/') {
            Some((number, unit)) => Amount::per(number, unit)?,
            None => Amount::concurrent(first, words.next())?,
        };
        let (mut scope, mut burst) = (None, None);
        while let Some(word) = words.next() {
            let value = words.next();
            match (word, value) {
                ("per", Some(value)) if scope.is_none() => scope = Some(scope_of(value)?),
                ("burst", Some(value)) if burst.is_none() => burst = Some(number(value)?),
                ("per" | "burst", Some(_)) => {
                    return Err(bad(format!("`{word}` is there twice in `{text}`"), FORM));
                }
                ("per" | "burst", None) => {
                    return Err(bad(format!("nothing follows `{word}` in `{text}`"), FORM));
                }
                (other, _) => {
                    let hint = meant(other, &["per", "burst", "concurrent"]);
                    return Err(bad(format!("`{other}` is no word of a limit"), hint));
                }
            }
        }
        let scope = scope.ok_or_else(|| {
            let hint = format!("add `per` and one of: {}", SCOPES.join(", "));
            bad(format!("`{text}` does not say whose use it counts"), hint)
        })?;
        Ok(Self::new(scope, amount.measure(burst)?))
    }
}

fn scope_of(word: &str) -> Result<Scope, Problem> {
    if word == "caller" {
        return Ok(Scope::Identity);
    }
    word.parse().map_err(|_| bad(format!("nothing is limited per `{word}`"), meant(word, &SCOPES)))
}

fn number(text: &str) -> Result<u64, Problem> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let value = digits.then(|| text.parse::<u64>().ok()).flatten();
    match value {
        Some(0) => Err(bad("a limit of 0 lets nothing pass".to_owned(), "write at least 1")),
        Some(value) if value <= COUNT_MAX => Ok(value),
        Some(_) => Err(bad(format!("{text} is too large"), format!("at most {COUNT_MAX}"))),
        None => Err(bad(format!("`{text}` is not a number"), FORM)),
    }
}

fn small(value: u64) -> Result<u32, Problem> {
    let most = u32::MAX;
    u32::try_from(value)
        .map_err(|_| bad(format!("{value} is too large"), format!("at most {most}")))
}

/// What is counted, before it is known how much of it at once.
enum Amount {
    Rate(u32, Window),
    Quota(u64, Calendar),
    Concurrent(u32),
}

impl Amount {
    fn per(count: &str, unit: &str) -> Result<Self, Problem> {
        let count = number(count)?;
        if let Ok(calendar) = unit.parse() {
            return Ok(Self::Quota(count, calendar));
        }
        let unknown = |_| bad(format!("`{unit}` is no unit of time"), meant(unit, &UNITS));
        let window: Window = unit.parse().map_err(unknown)?;
        if count > PER_SECOND_MAX * u64::from(window.seconds()) {
            let hint = format!("at most {PER_SECOND_MAX} a second");
            return Err(bad(format!("{count}/{unit} is too fast"), hint));
        }
        Ok(Self::Rate(small(count)?, window))
    }

    fn concurrent(count: &str, word: Option<&str>) -> Result<Self, Problem> {
        let count = number(count)?;
        match word {
            Some("concurrent") => Ok(Self::Concurrent(small(count)?)),
            Some(word) if word != "per" && word != "burst" => {
                let hint = meant(word, &["concurrent"]);
                Err(bad(format!("`{word}` is no word of a limit"), hint))
            }
            _ => Err(bad(format!("{count} in what time?"), FORM)),
        }
    }

    fn measure(self, burst: Option<u64>) -> Result<Measure, Problem> {
        match self {
            Self::Rate(count, window) => {
                let usual = usual_burst(count, window);
                let burst = burst.map_or(Ok(usual), small)?;
                // What comes at once is no less than what comes in the time that a rate has.
                let most = count.max(usual).saturating_mul(100);
                if burst > most {
                    let detail = format!("a burst of {burst} makes {count}/{window} meaningless");
                    return Err(bad(detail, format!("at most {most}, or a longer time")));
                }
                Ok(Measure::Rate { count, window, burst })
            }
            Self::Quota(..) | Self::Concurrent(_) if burst.is_some() => {
                let detail = "only a rate in s, min or h has a burst".to_owned();
                Err(bad(detail, "leave `burst` out"))
            }
            Self::Quota(count, calendar) => Ok(Measure::Quota { count, calendar }),
            Self::Concurrent(count) => Ok(Measure::Concurrent { count }),
        }
    }
}

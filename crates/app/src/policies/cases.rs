//! Tests of policy: requests that are written down, and what must become of them.

use base::{Problem, Timestamp};
use grant::Guardrails;
use policy::{Answer, Answers, Lookup, Ruleset};
use serde::Deserialize;
use traffic::Reason;

use super::written::{Parts, Posed};
use crate::input;
use crate::view::{CaseView, PolicyCase, WrittenRequest};

/// What the name of a file of tests ends with.
pub(super) const SUFFIX: &str = ".toml";

/// A file of tests.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default, rename = "case")]
    cases: Vec<PolicyCase>,
}

/// The tests of a policy set, each with its file.
pub(crate) fn of(set: &Guardrails) -> Result<Vec<(String, PolicyCase)>, Problem> {
    let mut cases = Vec::new();
    for (name, text) in set.files.iter().filter(|(name, _)| name.ends_with(SUFFIX)) {
        let file: File = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| line_of(text, span.start));
            Problem::invalid("bad_policy_test", error.message().to_owned())
                .at(format!("{name}:{line}"))
                .hint("write [[case]] with name, identity, request and expect")
        })?;
        if file.cases.is_empty() {
            let detail = "a file of tests without [[case]] tests nothing";
            return Err(Problem::invalid("bad_policy_test", detail).at(name.clone()));
        }
        cases.extend(file.cases.into_iter().map(|case| (name.clone(), case)));
    }
    Ok(cases)
}

fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

/// Runs one test.
pub(super) fn run(
    ruleset: &Ruleset,
    file: &str,
    case: &PolicyCase,
    now: Timestamp,
) -> Result<CaseView, Problem> {
    let place = |problem: Problem| {
        let name = &case.name;
        let field = problem.place.clone().unwrap_or_default();
        problem.at(format!("{file} `{name}` {field}"))
    };
    let expected = expected(case).map_err(place)?;
    let (found, grants) = judge(ruleset, case, now).map_err(place)?;
    let passed = found == expected || (expected == "refuse" && found.starts_with("refuse"));
    let (file, name) = (file.to_owned(), case.name.clone());
    Ok(CaseView { file, name, passed, found, expected, grants })
}

fn expected(case: &PolicyCase) -> Result<String, Problem> {
    match (case.expect.as_str(), &case.reason) {
        ("allow", None) => Ok("allow".to_owned()),
        ("refuse", None) => Ok("refuse".to_owned()),
        ("refuse", Some(reason)) => {
            let reason: Reason = input::word("reason", reason)?;
            Ok(format!("refuse {reason}"))
        }
        (other, _) => {
            let detail = format!("`{other}` is not allow or refuse, or has a reason to allow");
            Err(Problem::invalid("bad_policy_test", detail).at("expect"))
        }
    }
}

/// What the ruleset says of a request that is written down.
fn judge(
    ruleset: &Ruleset,
    case: &PolicyCase,
    now: Timestamp,
) -> Result<(String, Vec<String>), Problem> {
    let request = WrittenRequest::from(case);
    let parts = Parts::read(&request, now)?;
    let refused = |reason: Reason| (format!("refuse {reason}"), Vec::new());
    let ask = |posed: &Posed<'_>| {
        ruleset.suppose(posed.who, posed.entry, posed.operation, posed.facts, posed.at)
    };
    let wants = |posed: &Posed<'_>| posed.wants(ruleset).err();
    let none = Answers::default();
    let wanted = parts.pose(&request, ruleset, &none, wants).ok().flatten();
    let answers = wanted.map(|wanted| said(case, wanted.lookups)).unwrap_or_default();
    Ok(match parts.pose(&request, ruleset, &answers, ask) {
        Err(reason) => refused(reason),
        Ok(Err(refusal)) => refused(refusal.reason),
        Ok(Ok(supposed)) => match (supposed.observed(), supposed.grants()) {
            // A test says what is granted, not what observe mode lets pass.
            (Some(reason), _) => refused(reason),
            (None, Some(grants)) => {
                ("allow".to_owned(), grants.iter().map(ToString::to_string).collect())
            }
            (None, None) => refused(Reason::PolicyError),
        },
    })
}

/// What a test says in the place of sources.
fn said(case: &PolicyCase, lookups: Vec<Lookup>) -> Answers {
    let mut answers = Answers::default();
    for lookup in lookups {
        let answer = match case.related.get(&lookup.relation) {
            None => Answer::Unknown,
            Some(objects) if objects.contains(&lookup.object) => Answer::Related,
            Some(_) => Answer::Unrelated,
        };
        answers.put(lookup, answer);
    }
    answers
}

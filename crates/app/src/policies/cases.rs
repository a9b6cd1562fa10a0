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
    let Judged { refused, grants, hollow } = judge(ruleset, case, now).map_err(place)?;
    let found = refused.map_or_else(|| "allow".to_owned(), |reason| format!("refuse {reason}"));
    let is_refused = refused.is_some() && expected == "refuse";
    let passed = found == expected || (is_refused && hollow.is_none());
    let found = match hollow.filter(|_| is_refused) {
        Some(why) => format!("{found}: {why}"),
        None => found,
    };
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
struct Judged {
    /// Why it is refused; `None` = it is allowed.
    refused: Option<Reason>,
    grants: Vec<String>,
    /// What does not exist of what it names: then that it is refused says nothing.
    hollow: Option<String>,
}

fn judge(ruleset: &Ruleset, case: &PolicyCase, now: Timestamp) -> Result<Judged, Problem> {
    let request = WrittenRequest::from(case);
    let parts = Parts::read(&request, now)?;
    let refused = |reason: Reason| {
        let hollow = hollow(ruleset, &parts, reason, &request.request);
        Judged { refused: Some(reason), grants: Vec::new(), hollow }
    };
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
                let grants = grants.iter().map(ToString::to_string).collect();
                Judged { refused: None, grants, hollow: None }
            }
            (None, None) => refused(Reason::PolicyError),
        },
    })
}

/// A slip in a name is refused too, and would pass for a test of the policy for good.
fn hollow(ruleset: &Ruleset, parts: &Parts, reason: Reason, request: &str) -> Option<String> {
    if reason == Reason::UnknownApi {
        return Some(format!("no API has the host and path of `{request}`"));
    }
    if ruleset.kind_of(&parts.identity).is_none() {
        return Some(format!("there is no identity `{}`", parts.identity));
    }
    let unknown = reason == Reason::UnknownOperation;
    unknown.then(|| format!("the API has no operation with the method and path of `{request}`"))
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

//! Tests of policy: requests that are written down, and what must become of them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base::{IdentityId, Problem, Timestamp};
use catalog::capture;
use grant::{Guardrails, Place};
use identity::{Binding, CredentialClass};
use policy::{Caller, Facts, Reading, Request, Ruleset, Writes};
use serde::Deserialize;
use smallvec::SmallVec;
use traffic::Target;
use traffic::target::pairs::pairs;

use crate::input;
use crate::view::{CaseView, PolicyCase};

/// What the name of a file of tests ends with.
const SUFFIX: &str = ".toml";

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
            let reason: traffic::Reason = input::word("reason", reason)?;
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
    let identity: IdentityId = input::id("identity", &case.identity)?;
    let (method, target) = case.request.split_once(' ').ok_or_else(|| {
        let detail = format!("`{}` is not a method and a target", case.request);
        Problem::invalid("bad_policy_test", detail).at("request").hint("write e.g. GET /orders/42")
    })?;
    let refused = |reason: traffic::Reason| (format!("refuse {reason}"), Vec::new());
    let target = match Target::parse_for(method, target.trim().as_bytes()) {
        Ok(target) => target,
        Err(reason) => return Ok(refused(reason)),
    };
    let class = case.credential.as_deref();
    let class = input::word_or("credential", class, CredentialClass::ApiKey)?;
    let binding: Option<Binding> =
        case.binding.as_deref().map(|word| input::word("binding", word)).transpose()?;
    let at = case.at.as_deref().map(|text| input::time("at", text)).transpose()?.unwrap_or(now);
    let source = case.from.as_deref().map(|text| input::address("from", text)).transpose()?;
    let located = ruleset.locate(method, case.host.as_deref(), target.path());
    let Some(entry) = located.api else { return Ok(refused(traffic::Reason::UnknownApi)) };
    let written = Written {
        template: located.operation.map(|operation| operation.path.as_str()),
        target: &target,
        headers: &case.headers,
        body: case.body.as_deref().map(|text| serde_json::from_str(text).ok()),
    };
    let facts = Facts { source, draw: 0, request: &written };
    let who = Caller::supposed(&identity, class).bound(binding).claiming(&case.claims);
    Ok(match ruleset.suppose(who, entry, located.operation, facts, at) {
        Err(refusal) => refused(refusal.reason),
        Ok(supposed) => match (supposed.observed(), supposed.grants()) {
            // A test says what is granted, not what observe mode lets pass.
            (Some(reason), _) => refused(reason),
            (None, Some(grants)) => {
                ("allow".to_owned(), grants.iter().map(ToString::to_string).collect())
            }
            (None, None) => refused(traffic::Reason::PolicyError),
        },
    })
}

/// A request that is written down.
struct Written<'a> {
    template: Option<&'a str>,
    target: &'a Target,
    headers: &'a BTreeMap<String, String>,
    /// `Some(None)`: there is one, and it is no JSON.
    body: Option<Option<serde_json::Value>>,
}

impl Request for Written<'_> {
    fn read(&self, place: &Place) -> Reading<'_> {
        match place {
            Place::Path(name) => {
                let value = self
                    .template
                    .and_then(|template| capture::parameter(template, self.target.path(), name));
                value.map_or(Reading::Unreadable, Reading::one)
            }
            Place::Query(name) => {
                let all = pairs(self.target.query().unwrap_or_default()).flatten();
                let named = all.filter(|(found, _)| found == name).map(|(_, value)| value);
                Reading::Values(named.collect())
            }
            Place::Header(name) => {
                let named =
                    self.headers.iter().filter(|(found, _)| found.eq_ignore_ascii_case(name));
                Reading::Values(named.map(|(_, value)| Cow::Borrowed(value.as_str())).collect())
            }
            Place::Body(path) => match &self.body {
                None => Reading::absent(),
                Some(None) => Reading::Unreadable,
                Some(Some(body)) => {
                    let mut values = SmallVec::new();
                    collect(body, path, &mut values);
                    Reading::Values(values)
                }
            },
            Place::Response(_) => Reading::absent(),
        }
    }

    fn writes(&self, allowed: &[String]) -> Writes {
        let names = match &self.body {
            None => return Writes::Within,
            Some(Some(serde_json::Value::Object(names))) => names,
            Some(_) => return Writes::Unreadable,
        };
        let outside = names.keys().filter(|name| {
            !allowed.iter().any(|ok| ok == *name || ok.starts_with(&format!("{name}.")))
        });
        let outside: Vec<String> = outside.cloned().collect();
        if outside.is_empty() { Writes::Within } else { Writes::Outside(outside) }
    }
}

fn collect<'v>(value: &'v serde_json::Value, path: &str, values: &mut SmallVec<[Cow<'v, str>; 1]>) {
    use serde_json::Value;
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, path, values)),
        Value::Object(object) => {
            let (name, rest) = path.split_once('.').unwrap_or((path, ""));
            if let Some(inner) = object.get(name) {
                collect(inner, rest, values);
            }
        }
        Value::String(text) if path.is_empty() => values.push(Cow::Borrowed(text)),
        other if path.is_empty() => values.push(Cow::Owned(other.to_string())),
        _ => {}
    }
}

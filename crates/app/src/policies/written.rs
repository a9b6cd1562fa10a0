//! Requests that are written down: in tests of policy, and to be explained.

use std::collections::BTreeMap;

use base::{IdentityId, Problem, Timestamp};
use catalog::Operation;
use grant::Place;
use identity::{Binding, CredentialClass};
use policy::reading::{self, json};
use policy::{Answers, ApiEntry, Caller, Facts, Reading, Request, Ruleset, Supposed, Writes};
use traffic::{Reason, Target};

use crate::input;
use crate::lookup::Wanted;
use crate::view::WrittenRequest;

/// A written request as the ruleset is asked about it.
#[derive(Clone, Copy)]
pub(crate) struct Posed<'a> {
    pub(crate) who: Caller<'a>,
    pub(crate) entry: &'a ApiEntry,
    pub(crate) operation: Option<&'a Operation>,
    pub(crate) facts: Facts<'a>,
    pub(crate) at: Timestamp,
}

impl Posed<'_> {
    /// What sources have to be asked before it can be told what would become of the request.
    pub(crate) fn wants(&self, ruleset: &Ruleset) -> Result<(), Wanted> {
        let supposed = ruleset.suppose(self.who, self.entry, self.operation, self.facts, self.at);
        let lookups = supposed.as_ref().map_or(&[][..], Supposed::lookups);
        if lookups.is_empty() {
            return Ok(());
        }
        Err(Wanted {
            identity: self.who.identity().clone(),
            api: self.entry.api().id.clone(),
            lookups: lookups.to_vec(),
        })
    }
}

/// What is known of a written request before it is looked up.
pub(crate) struct Parts {
    pub(crate) identity: IdentityId,
    pub(crate) method: String,
    /// Why it has no canonical target.
    pub(crate) target: Result<Target, Reason>,
    pub(crate) class: CredentialClass,
    pub(crate) source: Option<std::net::IpAddr>,
    pub(crate) at: Timestamp,
    binding: Option<Binding>,
}

impl Parts {
    pub(crate) fn read(request: &WrittenRequest, now: Timestamp) -> Result<Self, Problem> {
        let identity = input::id("identity", &request.identity)?;
        let (method, target) = request.request.trim().split_once(' ').ok_or_else(|| {
            let detail = format!("`{}` is not a method and a target", request.request);
            Problem::invalid("bad_request_line", detail)
                .at("request")
                .hint("write e.g. GET /orders/42")
        })?;
        let target = target.trim();
        check_line(method, target).map_err(|problem| problem.at("request"))?;
        let class = request.credential.as_deref();
        let binding = request.binding.as_deref().map(|word| input::word("binding", word));
        let at = request.at.as_deref().map(|text| input::time("at", text)).transpose()?;
        let source = request.from.as_deref().map(|text| input::address("from", text));
        Ok(Self {
            identity,
            method: method.to_owned(),
            target: Target::parse_for(method, target.as_bytes()),
            class: input::word_or("credential", class, CredentialClass::ApiKey)?,
            binding: binding.transpose()?,
            at: at.unwrap_or(now),
            source: source.transpose()?,
        })
    }

    /// Poses it to a ruleset. `Err`: it comes to no API.
    pub(crate) fn pose<R>(
        &self,
        request: &WrittenRequest,
        ruleset: &Ruleset,
        answers: &Answers,
        ask: impl FnOnce(&Posed<'_>) -> R,
    ) -> Result<R, Reason> {
        let target = self.target.as_ref().map_err(|reason| *reason)?;
        let located = ruleset.locate(&self.method, request.host.as_deref(), target.path());
        let entry = located.api.ok_or(Reason::UnknownApi)?;
        let written = Written {
            template: located.operation.map(|operation| operation.path.as_str()),
            target,
            headers: &request.headers,
            body: request.body.as_deref().map(|text| match is_patch(&request.headers) {
                true => None,
                false => json::parse(text.as_bytes()),
            }),
        };
        let who = Caller::supposed(&self.identity, self.class).bound(self.binding);
        Ok(ask(&Posed {
            who: who.claiming(&request.claims),
            entry,
            operation: located.operation,
            facts: Facts { source: self.source, draw: 0, request: &written, answers },
            at: self.at,
        }))
    }
}

/// Refuses slips that would be answered as if there were no such API or operation.
fn check_line(method: &str, target: &str) -> Result<(), Problem> {
    let wrong = |detail: String| Problem::invalid("bad_request_line", detail);
    if method.chars().any(|c| c.is_ascii_lowercase()) {
        return Err(wrong(format!("`{method}` is not a method: methods are upper case"))
            .hint(format!("write {}", method.to_ascii_uppercase())));
    }
    let is_target = target.starts_with('/') || target == "*" || target.contains("://");
    if !is_target {
        return Err(wrong(format!("`{target}` is not a target: a target begins with `/`"))
            .hint(format!("write {method} /{target}")));
    }
    Ok(())
}

fn is_patch(headers: &BTreeMap<String, String>) -> bool {
    let mut types = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    types.any(|(_, media)| json::is_patch(media.as_bytes()))
}

/// The parts of a written request, read as the gate reads those that come.
struct Written<'a> {
    template: Option<&'a str>,
    target: &'a Target,
    headers: &'a BTreeMap<String, String>,
    /// `Some(None)`: there is one, and it is no JSON that has one reading.
    body: Option<Option<serde_json::Value>>,
}

impl Request for Written<'_> {
    fn read(&self, place: &Place) -> Reading<'_> {
        match place {
            Place::Path(name) => reading::path(self.template, self.target.path(), name),
            Place::Query(name) => reading::query(self.target.query(), name),
            Place::Header(name) => {
                let fields = self.headers.iter();
                let fields = fields.map(|(found, value)| (found.as_str(), value.as_bytes()));
                reading::header(fields, name)
            }
            Place::Body(path) => match &self.body {
                None => Reading::absent(),
                Some(None) => Reading::Unreadable,
                Some(Some(body)) => json::read(body, path),
            },
            Place::Response(_) => Reading::absent(),
        }
    }

    fn writes(&self, allowed: &[String]) -> Writes {
        match &self.body {
            None => Writes::Within,
            Some(None) => Writes::Unreadable,
            Some(Some(body)) => json::writes(body, allowed),
        }
    }
}

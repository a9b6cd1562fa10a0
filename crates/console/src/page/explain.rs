//! Explain: why one request was decided as it was, and what would let it pass.

use std::collections::BTreeMap;

use app::view::{ConsideredGrant, ExplainedStage, Explanation, WrittenRequest};
use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use base::Problem;
use base::problem::ProblemKind;
use serde::Deserialize;

use super::{Shown, encode, given};
use crate::shell::{Section, Shell, Visit};
use crate::{Console, Desk, words};

/// Kinds of proof that a request can come with, and what they are called here.
const PROOFS: &[(&str, &str)] =
    &[("", "API key"), ("issuer_subject", "token"), ("certificate", "certificate")];
const BINDINGS: &[(&str, &str)] = &[("", "nothing"), ("mtls", "mTLS"), ("dpop", "DPoP")];

/// The page.
#[derive(Template)]
#[template(path = "explain.html")]
pub struct ExplainPage {
    /// Surroundings.
    pub shell: Shell,
    /// What was entered.
    pub asked: Asked,
    /// Why what was entered cannot be explained.
    pub wrong: Option<String>,
    /// What was found.
    pub found: Option<Explanation>,
}

impl ExplainPage {
    /// Where a grant is listed: with its identity, or with the API where a group holds it.
    fn grant_link(&self, grant: &ConsideredGrant) -> String {
        let (subject, id) = (&grant.subject, encode(&grant.grant_id));
        let api = self.found.as_ref().and_then(|found| found.call.api_id.as_deref());
        match (subject.starts_with("group:"), api) {
            (true, Some(api)) => format!("/apis/{}#grant-{id}", encode(api)),
            _ => format!("/identities/{}#grant-{id}", encode(subject)),
        }
    }

    /// The stage at which grants let the call pass: they are named in their own table.
    fn let_through(&self, stage: &ExplainedStage) -> bool {
        let granted = self.found.as_ref().is_some_and(|found| !found.call.grant_ids.is_empty());
        granted && stage.stage == "grant" && stage.outcome == "passed"
    }

    fn covers(&self, grant: &ConsideredGrant) -> String {
        if super::part::covers_all(&grant.operations) {
            return "Every operation".to_owned();
        }
        words::listed(&grant.operations.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

/// A request id, or a request that is written down.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// The id that a caller was told.
    pub id: String,
    /// Who would call.
    pub identity: String,
    /// `GET /orders/42`.
    pub request: String,
    /// From which address.
    pub from: String,
    /// By which kind of proof; empty = an API key.
    pub credential: String,
    /// What binds the proof to its sender; empty = nothing.
    pub binding: String,
    /// The host that is asked.
    pub host: String,
    /// When, RFC 3339; empty = now.
    pub at: String,
    /// Header fields, a line each: `name: value`.
    pub headers: String,
    /// Claims of the token, a line each: `name=value`.
    pub claims: String,
    /// The JSON body.
    pub body: String,
}

impl Asked {
    /// Something is written down.
    pub fn is_written(&self) -> bool {
        !(self.identity.trim().is_empty() && self.request.trim().is_empty())
    }

    /// More than the line of the request is written down.
    pub fn is_detailed(&self) -> bool {
        let more = [&self.credential, &self.binding, &self.host, &self.at, &self.headers];
        let more = more.into_iter().chain([&self.claims, &self.body]);
        more.into_iter().any(|text| !text.trim().is_empty())
    }

    fn written(&self) -> Result<WrittenRequest, Problem> {
        let mut claims = BTreeMap::<String, Vec<String>>::new();
        for (name, value) in pairs("claims", &self.claims, '=')? {
            claims.entry(name).or_default().push(value);
        }
        Ok(WrittenRequest {
            identity: self.identity.trim().to_owned(),
            credential: given(self.credential.clone()),
            binding: given(self.binding.clone()),
            request: self.request.trim().to_owned(),
            host: given(self.host.clone()),
            headers: pairs("headers", &self.headers, ':')?.into_iter().collect(),
            claims,
            body: given(self.body.clone()),
            from: given(self.from.clone()),
            at: given(self.at.clone()),
        })
    }
}

/// The names and values of lines.
fn pairs(place: &str, lines: &str, mark: char) -> Result<Vec<(String, String)>, Problem> {
    let lines = lines.lines().map(str::trim).filter(|line| !line.is_empty());
    let pair = |line: &str| {
        let (name, value) = line.split_once(mark).ok_or_else(|| {
            let detail = format!("`{line}` has no `{mark}` between a name and a value");
            Problem::invalid("bad_line", detail).at(place)
        })?;
        Ok((name.trim().to_owned(), value.trim().to_owned()))
    };
    lines.map(pair).collect()
}

/// `GET /explain`, with `?id=` of a request, or `?identity=&request=` of one that did not come
pub(crate) async fn show<D: Desk>(
    visit: Visit,
    State(console): State<Console<D>>,
    Query(asked): Query<Asked>,
) -> Shown {
    let shell = visit.shell(Section::Activity);
    let actor = visit.actor();
    let answer = match (given(asked.id.clone()), asked.is_written()) {
        (Some(id), _) => console.desk.explain(actor, &id).await,
        (None, true) => match asked.written() {
            Ok(request) => console.desk.explain_written(actor, request).await,
            Err(problem) => Err(problem),
        },
        (None, false) => {
            return super::show(&ExplainPage { shell, asked, wrong: None, found: None });
        }
    };
    let problem = match answer {
        Ok(found) => {
            return super::show(&ExplainPage { shell, asked, wrong: None, found: Some(found) });
        }
        Err(problem) => problem,
    };
    let status = match problem.kind {
        ProblemKind::NotFound => StatusCode::NOT_FOUND,
        ProblemKind::Invalid => StatusCode::BAD_REQUEST,
        _ => return Err(problem.into()),
    };
    let told = || match &problem.hint {
        Some(hint) => format!("{} ({hint})", problem.detail),
        None => problem.detail.clone(),
    };
    let wrong = asked.is_written().then(told);
    let page = super::show(&ExplainPage { shell, asked, wrong, found: None })?;
    Ok((status, page).into_response())
}

#[cfg(test)]
mod tests;

//! The admin API from the caller's side.

use std::time::Duration;

use base::Problem;
use base::problem::ProblemKind;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::failure::{Exit, Failure};
use crate::profile::Server;

/// Long enough for the slowest operation (an evidence bundle), short enough to end.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(120);
const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);
const DOCUMENT_BYTES_MAX: usize = 16 << 20;

/// Talks to one server.
pub(crate) struct Client {
    http: reqwest::Client,
    server: Server,
}

/// The members of a problem document that a person is shown.
#[derive(Debug, serde::Deserialize)]
struct ProblemBody {
    detail: String,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    place: Option<String>,
    #[serde(default)]
    hint: Option<String>,
    #[serde(default)]
    request_id: Option<String>,
}

impl Client {
    /// For a server.
    pub(crate) fn new(server: Server) -> Result<Self, Failure> {
        Ok(Self { http: http()?, server })
    }

    /// The server's console URL.
    pub(crate) fn url(&self) -> &str {
        &self.server.url
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.send(self.http.get(self.address(path))).await
    }

    pub(crate) async fn post<B: Serialize, T: DeserializeOwned>(
        &self,
        path: &str,
        body: &B,
    ) -> Result<T, Failure> {
        self.send(self.http.post(self.address(path)).json(body)).await
    }

    pub(crate) async fn put<B: Serialize, T: DeserializeOwned>(
        &self,
        path: &str,
        body: &B,
    ) -> Result<T, Failure> {
        self.send(self.http.put(self.address(path)).json(body)).await
    }

    pub(crate) async fn delete<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.send(self.http.delete(self.address(path))).await
    }

    /// The body as it is, for what is not JSON to us.
    pub(crate) async fn bytes(&self, path: &str) -> Result<Vec<u8>, Failure> {
        self.exchange(self.http.get(self.address(path))).await
    }

    fn address(&self, path: &str) -> String {
        format!("{}/api/v1{path}", self.server.url)
    }

    async fn send<T: DeserializeOwned>(
        &self,
        request: reqwest::RequestBuilder,
    ) -> Result<T, Failure> {
        let body = self.exchange(request).await?;
        serde_json::from_slice(&body).map_err(|error| self.strange(&error.to_string()))
    }

    async fn exchange(&self, request: reqwest::RequestBuilder) -> Result<Vec<u8>, Failure> {
        let request = match &self.server.token {
            Some(token) => request.bearer_auth(token.expose()),
            None => request,
        };
        let lost = |error: reqwest::Error| {
            unreachable(&self.server.url, &error).hint(
                "is `portreeve serve` or `portreeve demo` running? PORTREEVE_URL names another",
            )
        };
        let lost = |error| Failure::new(Exit::Unreachable, lost(error));
        let response = request.send().await.map_err(lost)?;
        let status = response.status();
        let body = response.bytes().await.map_err(lost)?;
        if status.is_success() {
            return Ok(body.into());
        }
        Err(self.refused(status.as_u16(), &body))
    }

    fn refused(&self, status: u16, body: &[u8]) -> Failure {
        let kind = match status {
            400 | 413 | 415 | 422 => ProblemKind::Invalid,
            401 => ProblemKind::Unauthenticated,
            403 => ProblemKind::Forbidden,
            404 => ProblemKind::NotFound,
            409 => ProblemKind::Conflict,
            503 => ProblemKind::Unavailable,
            _ => ProblemKind::Internal,
        };
        let Ok(body) = serde_json::from_slice::<ProblemBody>(body) else {
            return self.strange(&format!("status {status}"));
        };
        let reason = body.reason.unwrap_or_default();
        let mut problem = Problem::new(kind, reason, body.detail);
        problem.place = body.place;
        problem.hint = body.hint;
        Failure { request_id: body.request_id, ..problem.into() }
    }

    fn strange(&self, why: &str) -> Failure {
        let detail = format!("the answer is not portreeve's: {why}");
        let problem = Problem::new(ProblemKind::Unavailable, "not_portreeve", detail);
        problem
            .at(self.server.url.clone())
            .hint("PORTREEVE_URL is the address of the console, not of the proxy")
            .into()
    }
}

fn http() -> Result<reqwest::Client, Problem> {
    reqwest::Client::builder()
        .connect_timeout(CONNECT_TIME_MAX)
        .timeout(REQUEST_TIME_MAX)
        .no_proxy()
        .user_agent(concat!("portreeve/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| Problem::internal(format!("HTTP client: {error}")))
}

fn unreachable(url: &str, error: &reqwest::Error) -> Problem {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let detail = format!("cannot reach the server: {cause}");
    Problem::new(ProblemKind::Unavailable, "unreachable", detail).at(url)
}

/// A document from anywhere, at most [`DOCUMENT_BYTES_MAX`] long.
pub(crate) async fn fetch(url: &str) -> Result<String, Problem> {
    let lost = |error: reqwest::Error| unreachable(url, &error);
    let mut response = http()?.get(url).send().await.map_err(lost)?;
    if !response.status().is_success() {
        let detail = format!("the server answers {}", response.status());
        return Err(Problem::new(ProblemKind::Unavailable, "not_fetched", detail).at(url));
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(lost)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > DOCUMENT_BYTES_MAX {
            return Err(Problem::invalid("too_large", "the document is too large").at(url));
        }
    }
    String::from_utf8(bytes)
        .map_err(|_| Problem::invalid("not_text", "the document is not UTF-8").at(url))
}

/// A text as one segment of a path.
pub(crate) fn segment(text: &str) -> String {
    encode(text, b"-._~")
}

/// A query string from the parameters that are given, with its `?`.
pub(crate) fn query(parameters: &[(&str, Option<&str>)]) -> String {
    let given: Vec<String> = parameters
        .iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", encode((*value)?, b"-._~"))))
        .collect();
    if given.is_empty() { String::new() } else { format!("?{}", given.join("&")) }
}

fn encode(text: &str, kept: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || kept.contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_cannot_leave_its_segment() {
        assert_eq!(segment("a/../b?c#d é"), "a%2F..%2Fb%3Fc%23d%20%C3%A9");
        assert_eq!(query(&[("a", None), ("b", Some("x&y=z"))]), "?b=x%26y%3Dz");
        assert_eq!(query(&[("a", None)]), "");
    }
}

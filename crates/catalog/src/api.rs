//! APIs and operations as values.

use std::collections::BTreeMap;

use base::{ApiId, OperationId, Problem, Span, Timestamp, words};
use serde::{Deserialize, Serialize};
use traffic::Limit;

use crate::field::{self, Field};

words! {
    /// What the gate does with a request that no grant covers.
    ApiMode {
        /// Lets it pass and records what enforce mode would have done.
        Observe = "observe",
        /// Refuses it.
        Enforce = "enforce",
    }
}

words! {
    /// How bad misuse would be. Drives risk, reviews and the guard on bulk decisions.
    Impact {
        /// Public or trivial.
        Low = "low",
        /// Ordinary business data.
        Medium = "medium",
        /// Money, personal data, administration.
        High = "high",
    }
}

words! {
    /// HTTP request methods (RFC 9110 §9, RFC 5789) that an operation can have.
    Method {
        /// GET; HEAD counts as it.
        Get = "GET",
        /// POST.
        Post = "POST",
        /// PUT.
        Put = "PUT",
        /// PATCH.
        Patch = "PATCH",
        /// DELETE.
        Delete = "DELETE",
        /// OPTIONS.
        Options = "OPTIONS",
        /// TRACE.
        Trace = "TRACE",
    }
}

words! {
    /// How sensitive a field is, by rising weight.
    DataClass {
        /// For anybody.
        Public = "public",
        /// For everybody inside.
        Internal = "internal",
        /// For those who need it.
        Confidential = "confidential",
        /// Personal data.
        Pii = "pii",
        /// Health data.
        Phi = "phi",
        /// Payment card data.
        Pci = "pci",
        /// Secrets.
        Secret = "secret",
    }
}

impl DataClass {
    /// Weight in findings and risk: 0 to 5.
    pub const fn weight(self) -> u32 {
        match self {
            Self::Public | Self::Internal => 0,
            Self::Confidential => 1,
            Self::Pii => 3,
            Self::Phi | Self::Pci => 4,
            Self::Secret => 5,
        }
    }
}

words! {
    /// What a caller may present.
    Accept {
        /// A JWT of a trusted issuer.
        Token = "token",
        /// An API key.
        Key = "key",
        /// The client certificate of the connection.
        Certificate = "certificate",
    }
}

words! {
    /// How the gate speaks to an upstream. Callers choose theirs by themselves.
    Protocol {
        /// HTTP/1.1.
        Http1 = "h1",
        /// HTTP/2, for gRPC among others: by ALPN over `https://`, with prior knowledge over
        /// `http://` (RFC 9113 §3.3).
        Http2 = "h2",
    }
}

impl Protocol {
    /// What an upstream is spoken to in when nothing else is said, or was before there was a choice.
    pub const fn usual() -> Self {
        Self::Http1
    }
}

/// One method and path template of an API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// Unique within the API: the document's `operationId`, else made of method and template.
    pub id: OperationId,
    /// The method.
    pub method: Method,
    /// Full path template as callers write it, e.g. `/orders/{id}/lines`.
    pub path: String,
    /// What it does, in the document's words.
    pub summary: Option<String>,
    /// How bad misuse would be.
    pub impact: Impact,
    /// Any method but GET, unless the document says `x-side-effects: none`.
    pub mutating: bool,
    /// Tagged `admin` in the document.
    pub admin: bool,
    /// Properties of its successful response, sorted by path.
    pub fields: Vec<Field>,
    /// What a request of it costs under limits: `x-cost` of the document, usually 1.
    #[serde(default = "usual_cost", skip_serializing_if = "is_usual_cost")]
    pub cost: u32,
}

/// What a request costs unless something else is said.
pub const fn usual_cost() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_usual_cost(cost: &u32) -> bool {
    *cost == usual_cost()
}

impl Operation {
    /// Under which name the document describes a property of the response: its own, that of what it
    /// lies in where the document says no more, or its own where the document only says what lies in
    /// it. `None`: the document does not know it.
    pub fn catalogued(&self, path: &str) -> Option<&str> {
        self.find(path).or_else(|| self.find(&self.generalised(path)))
    }

    fn find(&self, path: &str) -> Option<&str> {
        let find = |path: &str| {
            let found = self.fields.binary_search_by(|field| field.path.as_str().cmp(path));
            self.fields.get(found.ok()?).map(|field| field.path.as_str())
        };
        let around = path.rmatch_indices('.').filter_map(|(at, _)| path.get(..at));
        std::iter::once(path).chain(around).find_map(find).or_else(|| self.around(path))
    }

    /// The path, if the document describes something in it.
    fn around(&self, path: &str) -> Option<&str> {
        let inside = format!("{path}.");
        let first = self.fields.partition_point(|field| field.path < inside);
        let field = self.fields.get(first).filter(|field| field.path.starts_with(&inside))?;
        field.path.get(..path.len())
    }

    /// Whether the document has a path, written as it writes it: a property, or one around some.
    pub fn describes(&self, path: &str) -> bool {
        let found = self.fields.binary_search_by(|field| field.path.as_str().cmp(path));
        found.is_ok() || self.around(path).is_some()
    }

    /// A path as the document would write it: with [`field::ANY`] for the names that it only has
    /// as others, as far as it goes.
    fn generalised(&self, path: &str) -> String {
        let mut written = String::new();
        for segment in field::segments(path) {
            let named = field::join(&written, segment);
            let other = field::join(&written, field::ANY);
            let is_other = !self.describes(&named) && self.describes(&other);
            written = if is_other { other } else { named };
        }
        written
    }

    /// Whether an answer can have a property as far as the document says: it does not say anything,
    /// it describes it, or there is something around it of which it does not say what is in it.
    pub fn may_have(&self, path: &str) -> bool {
        let path = self.generalised(path);
        let is_open = |field: &Field| !field.values && field::is_within(&path, &field.path);
        self.fields.is_empty() || self.describes(&path) || self.fields.iter().any(is_open)
    }
}

/// Limits in time for one API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeouts {
    /// To connect to the upstream.
    pub connect: Span,
    /// From the end of the request to the first byte of the response.
    pub response: Span,
    /// Between two reads of a body, either way.
    pub idle: Span,
    /// A whole gRPC call, from its head to its status; a longer deadline of its caller's is cut to
    /// it. `None` = as long as its caller gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<Span>,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Span::from_secs(5),
            response: Span::from_secs(60),
            idle: Span::from_secs(60),
            call: None,
        }
    }
}

/// A protected service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Api {
    /// Stable id.
    pub id: ApiId,
    /// Display name, unique.
    pub name: String,
    /// Host names that it answers to, lower case, without port; empty = any.
    pub hosts: Vec<String>,
    /// Path prefix with leading and without trailing slash (`/orders`; `/` for everything). A
    /// request belongs to the API with the longest prefix that ends at a segment boundary.
    pub path: String,
    /// Where requests go: `http://host:port` or `https://…`, optionally with a base path that
    /// replaces the prefix. Without one, the target is forwarded to the byte.
    pub upstream: String,
    /// How it is spoken to.
    #[serde(default = "Protocol::usual")]
    pub protocol: Protocol,
    /// What happens without a grant.
    pub mode: ApiMode,
    /// How bad misuse would be.
    pub impact: Impact,
    /// Who answers for it (`robin`, `group:commerce`).
    pub owner: Option<String>,
    /// Where it runs (`production`, `staging`, …).
    pub environment: String,
    /// What callers may present.
    pub accept: Vec<Accept>,
    /// Limits in time.
    pub timeouts: Timeouts,
    /// How much may be used of it; no two of one name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<Limit>,
    /// What operations cost whatever the document says.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub costs: BTreeMap<OperationId, u32>,
    /// Sorted by id.
    pub operations: Vec<Operation>,
    /// Who maintains it (`file`, `console`, …).
    pub origin: String,
    /// When it came to be.
    pub created_at: Timestamp,
}

impl Api {
    /// What a request of an operation costs under limits.
    pub fn cost_of(&self, operation: &Operation) -> u32 {
        self.costs.get(&operation.id).copied().unwrap_or(operation.cost)
    }

    /// Refuses what the gate could not hold. See [`check_limits`].
    pub fn check_limits(&self) -> Result<(), Problem> {
        check_limits(&self.limits, &self.costs, &self.operations)
    }
}

/// Refuses limits that cannot hold together, costs of what is no operation (rules that would
/// silently not hold), and operations that could never be called because they cost more than a
/// limit allows.
pub fn check_limits(
    limits: &[Limit],
    costs: &BTreeMap<OperationId, u32>,
    operations: &[Operation],
) -> Result<(), Problem> {
    Limit::check_list(limits).map_err(|problem| problem.at("limits"))?;
    let known = || operations.iter().map(|operation| operation.id.as_str());
    for operation in costs.keys() {
        if !known().any(|id| id == operation.as_str()) {
            let hint = match base::nearest(operation.as_str(), known()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "take the cost away, or import the document that has it".to_owned(),
            };
            let detail = format!("`{operation}` has a cost, but the API has no such operation");
            return Err(Problem::invalid("unknown_operation", detail).at("costs").hint(hint));
        }
    }
    for operation in operations {
        let cost = costs.get(&operation.id).copied().unwrap_or(operation.cost);
        for limit in limits {
            let checked = limit.check_cost(operation.id.as_str(), cost);
            checked.map_err(|problem| problem.at("limits"))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;

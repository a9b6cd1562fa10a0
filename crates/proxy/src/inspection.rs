//! Messages held against the API's document while they are forwarded: request bodies where they
//! are only observed, and responses.
//!
//! What is only observed passes as it comes, and a copy is checked at the end. What is enforced is
//! held until it is checked: no byte of it reaches the caller before. Decides nothing about who may
//! call, and changes nothing in a message.

use std::sync::Arc;

use base::OperationId;
use catalog::CheckMode;
use contract::{OperationContract, Violation, strict};
use policy::CheckedContract;
use traffic::Reason;
use traffic::headers::Framing;
use traffic::record::{VIOLATION_BYTES_MAX, VIOLATIONS_MAX};

use crate::config::Limits;
use crate::h1::response::ResponseHead;

/// What of an exchange is to be checked.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) checks: Arc<CheckedContract>,
    pub(crate) operation: OperationId,
    /// The request's body is checked as it passes.
    pub(crate) request: Option<Sent>,
}

/// What is known of a request's body before it comes.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) content_type: Option<String>,
    /// It has a content coding, so that nothing of it can be read.
    pub(crate) is_encoded: bool,
}

impl Plan {
    /// Whether a response that breaks the document must not leave.
    pub(crate) fn may_withhold(&self) -> bool {
        self.checks.responses == CheckMode::Enforce && self.checks_responses()
    }

    /// Whether responses are checked: they are asked for without a content coding then.
    pub(crate) fn checks_responses(&self) -> bool {
        let contract = self.checks.operation(&self.operation);
        self.checks.responses != CheckMode::Off
            && contract.is_some_and(OperationContract::needs_responses)
    }

    /// For one exchange.
    pub(crate) fn begin(&self, limits: &Limits) -> Inspection {
        let max = limits.judged_body_bytes;
        let request = self.request.clone().map(|sent| (sent, Copied::new(max)));
        Inspection {
            checks: Arc::clone(&self.checks),
            operation: self.operation.clone(),
            request,
            response: Response::Unchecked,
            bytes_max: limits.checked_response_bytes,
            violations: Vec::new(),
        }
    }
}

/// The head of a response, as far as it matters here.
#[derive(Debug)]
pub(crate) struct AnswerHead {
    status: u16,
    content_type: Option<String>,
    is_encoded: bool,
    length: Option<u64>,
    has_body: bool,
    /// It says itself that its body has no bytes. An answer to `HEAD` speaks of another one.
    is_empty: bool,
}

impl AnswerHead {
    pub(crate) fn of(head: &ResponseHead<'_>) -> Self {
        let named = |name: &'static str| {
            let fields = head.fields.iter();
            fields.filter(move |field| field.name.eq_ignore_ascii_case(name)).map(|f| f.value)
        };
        let framing = head.judged.framing;
        Self {
            status: head.status,
            content_type: content_type(&named("content-type").collect::<Vec<_>>()),
            is_encoded: named("content-encoding")
                .any(|value| !value.eq_ignore_ascii_case(b"identity")),
            length: match framing {
                Framing::Length(length) => Some(length),
                Framing::None | Framing::Chunked | Framing::UntilClose => None,
            },
            has_body: !framing.is_empty(),
            is_empty: matches!(framing, Framing::Length(0)),
        }
    }
}

/// The media type that these fields say. Several of them, or one that is no text, say none that a
/// document could list.
pub(crate) fn content_type(fields: &[&[u8]]) -> Option<String> {
    match fields {
        [] => None,
        [one] => Some(std::str::from_utf8(one).unwrap_or_default().to_owned()),
        _ => Some(String::new()),
    }
}

/// One exchange.
#[derive(Debug)]
pub(crate) struct Inspection {
    checks: Arc<CheckedContract>,
    operation: OperationId,
    request: Option<(Sent, Copied)>,
    response: Response,
    bytes_max: usize,
    violations: Vec<String>,
}

#[derive(Debug)]
enum Response {
    Unchecked,
    /// It passes; the copy is checked at the end.
    Watched(AnswerHead, Copied),
    /// It waits for the check.
    Held(AnswerHead, Vec<u8>),
}

/// The beginning of a body, up to a bound.
#[derive(Debug)]
struct Copied {
    bytes: Vec<u8>,
    max: usize,
    is_cut: bool,
}

impl Copied {
    fn new(max: usize) -> Self {
        Self { bytes: Vec::new(), max, is_cut: false }
    }

    fn add(&mut self, data: &[u8]) {
        self.is_cut |= self.bytes.len() + data.len() > self.max;
        if self.is_cut {
            self.bytes = Vec::new();
        } else {
            self.bytes.extend_from_slice(data);
        }
    }

    /// All of it; `None` when it was longer.
    fn whole(self) -> Option<Vec<u8>> {
        (!self.is_cut).then_some(self.bytes)
    }
}

impl Inspection {
    /// Some of the request's body passes.
    pub(crate) fn send(&mut self, data: &[u8]) {
        if let Some((_, copied)) = &mut self.request {
            copied.add(data);
        }
    }

    /// The final head of the response is there.
    ///
    /// # Errors
    /// It must not go to the caller.
    pub(crate) fn answer(&mut self, head: AnswerHead) -> Result<(), Reason> {
        let enforced = match self.checks.responses {
            CheckMode::Off => return Ok(()),
            CheckMode::Observe => false,
            CheckMode::Enforce => true,
        };
        let Some(contract) = self.checks.operation(&self.operation) else { return Ok(()) };
        // Says that the caller's own copy is still right, by the rules of caches (RFC 9110
        // §15.4.5), which documents do not repeat.
        if head.status == 304 {
            return Ok(());
        }
        let content_type = head.content_type.as_deref();
        let listed = content_type.filter(|_| head.has_body);
        let mut found = of_response(contract.check_response_head(head.status, listed));
        let has_schema = contract.reads_response(head.status, content_type);
        let is_read = head.has_body && has_schema;
        if head.is_empty && has_schema {
            found.push(missing());
        }
        let is_long = head.length.is_some_and(|length| length > self.bytes_max as u64);
        match (is_read, head.is_encoded) {
            (true, true) => found.push(unreadable("has a content coding that was not asked for")),
            (true, false) if is_long && enforced => found.push(self.too_long()),
            (true, false) if enforced => self.response = Response::Held(head, Vec::new()),
            (true, false) if !is_long => {
                self.response = Response::Watched(head, Copied::new(self.bytes_max));
            }
            _ => {}
        }
        self.found(found, enforced)
    }

    /// Whether the response waits for the check.
    pub(crate) fn is_holding(&self) -> bool {
        matches!(self.response, Response::Held(..))
    }

    /// Some of the response's body is there. False: it waits.
    ///
    /// # Errors
    /// There is more than can be checked, and it must not go to the caller.
    pub(crate) fn take(&mut self, data: &[u8]) -> Result<bool, Reason> {
        match &mut self.response {
            Response::Unchecked => Ok(true),
            Response::Watched(_, copied) => {
                copied.add(data);
                Ok(true)
            }
            Response::Held(_, held) if held.len() + data.len() <= self.bytes_max => {
                held.extend_from_slice(data);
                Ok(false)
            }
            Response::Held(..) => {
                let found = vec![self.too_long()];
                self.found(found, true).map(|()| false)
            }
        }
    }

    /// The response is there to its end: what waited for the check, if anything did.
    ///
    /// # Errors
    /// It must not go to the caller.
    pub(crate) fn release(&mut self) -> Result<Option<Vec<u8>>, Reason> {
        match std::mem::replace(&mut self.response, Response::Unchecked) {
            Response::Held(head, held) => {
                let found = self.of_body(&head, &held);
                self.found(found, true).map(|()| Some(held))
            }
            other => {
                self.response = other;
                Ok(None)
            }
        }
    }

    /// What was found, when the exchange is over: of bodies that came to their ends.
    pub(crate) fn conclude(mut self, sent_whole: bool, answered_whole: bool) -> Vec<String> {
        if let Some((sent, copied)) = self.request.take().filter(|_| sent_whole) {
            let found = self.of_request(&sent, copied);
            // It came before all that is known of the response.
            self.violations.splice(0..0, found);
        }
        if let (Response::Watched(head, copied), true) =
            (std::mem::replace(&mut self.response, Response::Unchecked), answered_whole)
        {
            let found = copied.whole().map(|bytes| self.of_body(&head, &bytes));
            self.violations.extend(found.unwrap_or_default());
        }
        self.violations
    }

    fn found(&mut self, found: Vec<String>, enforced: bool) -> Result<(), Reason> {
        let is_broken = enforced && !found.is_empty();
        self.violations.extend(found);
        if is_broken { Err(Reason::ResponseInvalid) } else { Ok(()) }
    }

    fn too_long(&self) -> String {
        unreadable(&format!("is longer than the {} bytes that are checked", self.bytes_max))
    }

    fn of_request(&self, sent: &Sent, copied: Copied) -> Vec<String> {
        let Some(contract) = self.checks.operation(&self.operation) else { return Vec::new() };
        let bytes = copied.whole().filter(|bytes| !bytes.is_empty());
        let Some(bytes) = bytes else { return Vec::new() };
        if sent.is_encoded {
            return vec![unreadable_request("has a content coding")];
        }
        let content_type = sent.content_type.as_deref();
        if contract.reads_form(content_type) {
            return contract.check_form(content_type, &bytes).iter().map(text_of).collect();
        }
        match strict::parse(&bytes, strict::Limits::default()) {
            Ok(value) => {
                let found = contract.check_body(content_type, &value);
                found.iter().map(text_of).collect()
            }
            Err(why) => vec![unreadable_request(&format!("cannot be read: {why}"))],
        }
    }

    fn of_body(&self, head: &AnswerHead, bytes: &[u8]) -> Vec<String> {
        let Some(contract) = self.checks.operation(&self.operation) else { return Vec::new() };
        if bytes.is_empty() {
            return vec![missing()];
        }
        match strict::parse(bytes, strict::Limits::default()) {
            Ok(value) => {
                let content_type = head.content_type.as_deref();
                of_response(contract.check_response_body(head.status, content_type, &value))
            }
            Err(why) => vec![unreadable(&format!("cannot be read: {why}"))],
        }
    }
}

/// A violation as the record keeps it.
pub(crate) fn text_of(violation: &Violation) -> String {
    format!("{}: {violation}", violation.rule)
}

/// What is wrong with a request's body that cannot be read.
pub(crate) fn unreadable_request(why: &str) -> String {
    format!("unreadable_body: body {why}")
}

fn of_response(found: Vec<Violation>) -> Vec<String> {
    found.iter().map(|violation| format!("response {}", text_of(violation))).collect()
}

fn unreadable(why: &str) -> String {
    format!("response unreadable_body: body {why}")
}

fn missing() -> String {
    "response missing_body: body has to be there".to_owned()
}

/// Adds to what a record keeps, within its bounds.
pub(crate) fn keep(kept: &mut Vec<String>, found: impl IntoIterator<Item = String>) {
    for mut text in found {
        if kept.len() >= VIOLATIONS_MAX {
            return;
        }
        text.truncate(text.floor_char_boundary(VIOLATION_BYTES_MAX));
        kept.push(text);
    }
}

#[cfg(test)]
mod tests;

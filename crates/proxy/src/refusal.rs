//! What the gate answers when it does not forward: RFC 9457 problem details.
//!
//! A caller is told what its own act was missing. It is not told who else exists, which grants
//! there are or what the ruleset holds; the record under the request id has the rest.

use std::borrow::Cow;

use base::Span;
use catalog::{Accept, Api};
use serde::Serialize;
use traffic::headers::{Framing, RequestFields};
use traffic::{Outcome, Reason, grpc};

use crate::h1::body::write_decimal;
use crate::h1::response::{Departure, write_connection};
use crate::recorder::RecordError;
use crate::stage::{Journal, Tally};

mod words;

/// A request that the gate answers itself.
pub(crate) struct Refused {
    journal: Journal,
    reason: Reason,
    about: Option<About>,
    retry_after: Option<Span>,
    /// The request is read to its end, and the next one may follow.
    reusable: bool,
    /// The record says already what became of the request.
    is_judged: bool,
}

/// What a refusal may say of the API.
struct About {
    name: String,
    takes_tokens: bool,
    takes_keys: bool,
}

#[derive(Serialize)]
struct Page<'p> {
    #[serde(rename = "type")]
    kind: &'p str,
    title: &'p str,
    status: u16,
    detail: &'p str,
    reason: &'p str,
    hint: &'p str,
    request_id: &'p str,
}

impl Refused {
    /// A request whose head is sound. The connection can go on if there is no body to read past.
    pub(crate) fn new(journal: Journal, reason: Reason, fields: &RequestFields<'_>) -> Self {
        let bodiless = matches!(fields.framing, Framing::None | Framing::Length(0));
        let reusable = bodiless && fields.keep_alive;
        Self { reusable, ..Self::plain(journal, reason) }
    }

    /// A request after which the connection cannot be trusted.
    pub(crate) fn and_close(journal: Journal, reason: Reason) -> Self {
        Self::plain(journal, reason)
    }

    /// A request that was let through and then failed: the record keeps its outcome.
    pub(crate) fn after_forwarding(journal: Journal, reason: Reason) -> Self {
        Self { is_judged: true, ..Self::plain(journal, reason) }
    }

    fn plain(journal: Journal, reason: Reason) -> Self {
        Self { journal, reason, about: None, retry_after: None, reusable: false, is_judged: false }
    }

    /// Lets the refusal name the API.
    pub(crate) fn for_api(mut self, api: &Api) -> Self {
        self.about = Some(About {
            name: api.name.clone(),
            takes_tokens: api.accept.contains(&Accept::Token),
            takes_keys: api.accept.contains(&Accept::Key),
        });
        self
    }

    /// Says when to try again.
    pub(crate) fn retry_after(mut self, wait: Option<Span>) -> Self {
        self.retry_after = wait;
        self
    }

    pub(crate) fn is_reusable(&self) -> bool {
        self.reusable
    }

    /// The answer, as a page or as the status of a gRPC call, and the journal that is still to be
    /// closed.
    pub(crate) fn answer(self, grpc: bool) -> (Answer, Open) {
        let example = &self.journal.core().config.example_identity;
        let request_id = self.journal.request_id().as_str();
        let mut answer = Answer::new(self.reason, self.about.as_ref(), example, request_id);
        if grpc {
            answer = answer.of_call(self.reason, self.about.as_ref());
        }
        answer.retry_after = self.retry_after.map(whole_seconds);
        let Self { journal, reason, is_judged, .. } = self;
        (answer, Open { journal, reason, is_judged })
    }
}

/// Rounded up: who comes back too early is refused again.
fn whole_seconds(wait: Span) -> u64 {
    wait.as_micros().max(0).unsigned_abs().div_ceil(1_000_000)
}

/// A refusal that is not recorded yet.
pub(crate) struct Open {
    journal: Journal,
    reason: Reason,
    is_judged: bool,
}

impl Open {
    fn write(mut self, answer: &Answer) -> Journal {
        self.journal.note(|record| {
            if !self.is_judged {
                record.outcome = Outcome::Refused;
                record.reason = Some(self.reason);
            }
        });
        // Who has left sees no answer.
        let (status, bytes_out) = match self.reason {
            Reason::Cancelled => (0, 0),
            _ => (answer.status, answer.body.len() as u64),
        };
        self.journal.set_tally(Tally { status, bytes_out, ..self.journal.tally() });
        self.journal
    }

    /// Hands the record over. In a durable gate this waits until it is safe; a record that cannot
    /// be made safe does not turn a refusal into a permission, so the refusal still stands.
    pub(crate) async fn record(self, answer: &Answer) -> Result<(), RecordError> {
        let journal = self.write(answer);
        if journal.core().config.durable {
            journal.close_durably().await
        } else {
            journal.close();
            Ok(())
        }
    }
}

/// A refusal as it is sent, for either protocol.
pub(crate) struct Answer {
    pub(crate) status: u16,
    phrase: &'static str,
    challenge: Option<String>,
    retry_after: Option<u64>,
    request_id: String,
    /// Of a gRPC call: `grpc-status` and `grpc-message`.
    call: Option<(u8, String)>,
    pub(crate) body: Vec<u8>,
}

/// The media type of every refusal but those of gRPC calls.
const MEDIA_TYPE: &str = "application/problem+json";
/// Theirs.
const CALL_TYPE: &str = "application/grpc";

impl Answer {
    fn new(reason: Reason, about: Option<&About>, example: &str, request_id: &str) -> Self {
        let detail = words::detail(reason, about);
        let hint = words::hint(reason, about, example);
        let page = Page {
            kind: &words::kind(reason),
            title: words::title(reason),
            status: reason.status(),
            detail: &detail,
            reason: reason.as_str(),
            hint: &hint,
            request_id,
        };
        Self {
            status: reason.status(),
            phrase: words::phrase(reason.status()),
            challenge: words::challenge(reason, about),
            retry_after: None,
            request_id: request_id.to_owned(),
            call: None,
            body: serde_json::to_vec(&page).unwrap_or_default(),
        }
    }

    /// The same to a gRPC call: all that HTTP says is that there is an answer.
    fn of_call(mut self, reason: Reason, about: Option<&About>) -> Self {
        let message = grpc::message(reason, &words::detail(reason, about));
        self.call = Some((grpc::status(reason), message));
        self.status = 200;
        self.phrase = words::phrase(200);
        self.body = Vec::new();
        self
    }

    /// The answer for a request whose record could not be made.
    pub(crate) fn unrecorded(request_id: &str, grpc: bool) -> Self {
        let reason = Reason::LogUnavailable;
        let answer = Self::new(reason, None, "", request_id);
        if grpc { answer.of_call(reason, None) } else { answer }
    }

    /// What the head says beside the status, but for how the body is framed.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&'static str, Cow<'_, str>)> {
        let media_type = if self.call.is_some() { CALL_TYPE } else { MEDIA_TYPE };
        let call = self.call.iter().flat_map(|(status, message)| {
            [
                (grpc::STATUS, Cow::from(status.to_string())),
                (grpc::MESSAGE, Cow::from(message.as_str())),
            ]
        });
        let challenge = self.challenge.as_deref();
        let retry_after = self.retry_after.map(|seconds| seconds.to_string());
        [("content-type", Cow::from(media_type)), ("cache-control", Cow::from("no-store"))]
            .into_iter()
            .chain(challenge.map(|challenge| ("www-authenticate", Cow::from(challenge))))
            .chain(retry_after.map(|seconds| ("retry-after", Cow::from(seconds))))
            .chain(call)
            .chain([("portreeve-request-id", Cow::from(self.request_id.as_str()))])
    }

    /// Appends the answer in HTTP/1.1; to a HEAD request without the body.
    pub(crate) fn write(&self, departure: Departure, to_head: bool, out: &mut Vec<u8>) {
        out.extend_from_slice(b"HTTP/1.1 ");
        write_decimal(u64::from(self.status), out);
        out.push(b' ');
        out.extend_from_slice(self.phrase.as_bytes());
        out.extend_from_slice(b"\r\n");
        let mut field = |name: &str, value: &str| {
            for part in [name, ": ", value, "\r\n"] {
                out.extend_from_slice(part.as_bytes());
            }
        };
        for (name, value) in self.fields() {
            field(name, &value);
        }
        field("content-length", &self.body.len().to_string());
        write_connection(departure, out);
        out.extend_from_slice(b"\r\n");
        if !to_head {
            out.extend_from_slice(&self.body);
        }
    }
}

#[cfg(test)]
mod tests;

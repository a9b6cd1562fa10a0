//! What the gate answers when it does not forward: RFC 9457 problem details.
//!
//! A caller is told what its own act was missing. It is not told who else exists, which grants
//! there are or what the ruleset holds; the record under the request id has the rest.

use catalog::{Accept, Api};
use serde::Serialize;
use traffic::headers::{Framing, RequestFields};
use traffic::limit::Standing;
use traffic::{Outcome, Reason, grpc};

use crate::h1::body::write_decimal;
use crate::h1::response::{Departure, write_connection};
use crate::limits::Exceeded;
use crate::stage::{Journal, Tally};

mod challenge;
mod words;

/// A request that the gate answers itself.
pub(crate) struct Refused {
    journal: Journal,
    reason: Reason,
    /// Boxed, as what follows, because the way of a request hands refusals on by value.
    about: Option<Box<About>>,
    told: Option<Box<Told>>,
    /// The request is read to its end, and the next one may follow.
    reusable: bool,
    /// The record says already what became of the request.
    is_judged: bool,
    /// Goes to a gateway in front, which asked.
    front: Option<Front>,
}

/// What was wrong with the request, in so many words.
#[derive(Default)]
struct Told {
    /// The limit that was reached.
    exceeded: Option<Exceeded>,
    /// What breaks the API's document: places, no values.
    violations: Vec<String>,
}

/// What a gateway in front is told.
#[derive(Debug, Clone, Copy)]
enum Front {
    /// It may forward the request.
    Yes,
    /// It must not, with another hint than the usual.
    No(Option<&'static str>),
}

/// How many of them a caller is told.
pub(crate) const VIOLATIONS_TOLD_MAX: usize = 3;

/// What a refusal may say of the API.
struct About {
    name: String,
    takes_tokens: bool,
    takes_keys: bool,
    takes_certificates: bool,
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
    /// The names of the limits that were reached (draft-ietf-httpapi-ratelimit-headers, "Problem
    /// Types").
    #[serde(rename = "violated-policies", skip_serializing_if = "Option::is_none")]
    violated_policies: Option<[&'p str; 1]>,
    /// What of the request was wrong, one by one.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    violations: &'p [String],
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
        Self {
            journal,
            reason,
            about: None,
            told: None,
            reusable: false,
            is_judged: false,
            front: None,
        }
    }

    /// Not refused at all: a gateway in front is told that it may forward the request, and who
    /// calls. The record says already why.
    pub(crate) fn not_at_all(journal: Journal) -> Self {
        let front = Some(Front::Yes);
        // The reason is never told.
        Self { is_judged: true, front, ..Self::plain(journal, Reason::PolicyError) }
    }

    /// Refused to a gateway in front, which knows few statuses.
    pub(crate) fn for_front(self, hint: Option<&'static str>) -> Self {
        Self { front: Some(Front::No(hint)), ..self }
    }

    pub(crate) fn reason(&self) -> Reason {
        self.reason
    }

    /// Lets the refusal name the API.
    pub(crate) fn for_api(mut self, api: &Api) -> Self {
        self.about = Some(Box::new(About {
            name: api.name.clone(),
            takes_tokens: api.accept.contains(&Accept::Token),
            takes_keys: api.accept.contains(&Accept::Key),
            takes_certificates: api.accept.contains(&Accept::Certificate),
        }));
        self
    }

    /// Says which limit was reached, and when to try again.
    pub(crate) fn beyond(mut self, exceeded: Exceeded) -> Self {
        self.told.get_or_insert_default().exceeded = Some(exceeded);
        self
    }

    /// Says what of the request breaks the API's document.
    pub(crate) fn telling(mut self, violations: Vec<String>) -> Self {
        let told = self.told.get_or_insert_default();
        told.violations = violations;
        told.violations.truncate(VIOLATIONS_TOLD_MAX);
        self
    }

    /// The body was read to its end before the refusal.
    pub(crate) fn after_body(mut self, keep_alive: bool) -> Self {
        self.reusable = keep_alive;
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
        let told = self.told.as_deref();
        let case = Case {
            reason: self.reason,
            about: self.about.as_deref(),
            exceeded: told.and_then(|told| told.exceeded),
            violations: told.map_or(&[], |told| &told.violations),
            example,
            request_id,
        };
        let answer = match self.front {
            Some(Front::Yes) => Answer::yes(&self.journal),
            Some(Front::No(hint)) => Answer::page(&case, front_status(self.reason.status()), hint),
            None if grpc => Answer::page(&case, self.reason.status(), None).of_call(&case),
            None => Answer::page(&case, self.reason.status(), None),
        };
        let Self { journal, reason, is_judged, .. } = self;
        (answer, Open { journal, reason, is_judged })
    }
}

/// `auth_request` takes any other status for a failure of ours and answers 500; what the caller did
/// wrong must not look like that.
const fn front_status(status: u16) -> u16 {
    match status {
        400 | 404 | 408 | 413 | 421 => 403,
        other => other,
    }
}

/// What an answer is made of.
struct Case<'c> {
    reason: Reason,
    about: Option<&'c About>,
    exceeded: Option<Exceeded>,
    /// What breaks the API's document.
    violations: &'c [String],
    /// Who hints suggest to issue a key to.
    example: &'c str,
    request_id: &'c str,
}

impl Case<'_> {
    fn detail(&self) -> String {
        match self.exceeded.and_then(|exceeded| exceeded.limit) {
            Some((limit, _)) => words::reached(limit, self.about),
            None => words::detail(self.reason, self.about),
        }
    }
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

    /// Hands the record over and gives the answer that can be sent. In a durable gate this waits
    /// until the record is safe: without one a refusal still stands, and a permission does not.
    pub(crate) async fn record(self, answer: Answer) -> Answer {
        let journal = self.write(&answer);
        if !journal.core().config.durable {
            journal.close();
            return answer;
        }
        match journal.close_durably().await {
            Ok(()) => answer,
            Err(error) => {
                tracing::error!(%error, "an answer of the gate's own was not recorded");
                match answer.caller {
                    Some(_) => Answer::unrecorded(&answer.request_id, false),
                    None => answer,
                }
            }
        }
    }
}

/// A refusal as it is sent, for either protocol.
pub(crate) struct Answer {
    pub(crate) status: u16,
    phrase: &'static str,
    pub(crate) challenge: Option<String>,
    /// In seconds, rounded up.
    pub(crate) retry_after: Option<u64>,
    /// The limit that was reached.
    pub(crate) standing: Option<Standing>,
    pub(crate) request_id: String,
    /// Identity and credential: the answer permits.
    pub(crate) caller: Option<[String; 2]>,
    /// Of a gRPC call: `grpc-status` and `grpc-message`.
    call: Option<(u8, String)>,
    pub(crate) body: Vec<u8>,
}

/// The media type of every refusal but those of gRPC calls.
const MEDIA_TYPE: &str = "application/problem+json";
/// Theirs.
const CALL_TYPE: &str = "application/grpc";

impl Answer {
    fn page(case: &Case<'_>, status: u16, hint: Option<&'static str>) -> Self {
        let Case { reason, about, exceeded, violations, example, request_id } = *case;
        let limit = exceeded.and_then(|exceeded| exceeded.limit);
        let detail = case.detail();
        let hint = hint.map_or_else(|| words::hint(reason, about, example), str::to_owned);
        let page = Page {
            kind: &words::kind(reason),
            title: words::title(reason),
            status,
            detail: &detail,
            reason: reason.as_str(),
            hint: &hint,
            request_id,
            violated_policies: limit.map(|(limit, _)| [limit.name().as_str()]),
            violations,
        };
        Self {
            status,
            phrase: words::phrase(status),
            challenge: challenge::of(reason, about),
            retry_after: exceeded.map(|exceeded| Standing::seconds(exceeded.wait)),
            standing: limit.map(|(_, standing)| standing),
            request_id: request_id.to_owned(),
            caller: None,
            call: None,
            body: serde_json::to_vec(&page).unwrap_or_default(),
        }
    }

    /// A gateway in front may forward the request, with these names of its caller.
    fn yes(journal: &Journal) -> Self {
        let record = journal.record();
        let name = |id: Option<String>| id.unwrap_or_default();
        let identity = record.and_then(|record| record.identity_id.as_ref());
        let credential = record.and_then(|record| record.credential_id.as_ref());
        let caller =
            [name(identity.map(ToString::to_string)), name(credential.map(ToString::to_string))];
        Self {
            status: 200,
            phrase: words::phrase(200),
            challenge: None,
            retry_after: None,
            standing: None,
            request_id: journal.request_id().to_string(),
            caller: Some(caller),
            call: None,
            body: Vec::new(),
        }
    }

    /// The same to a gRPC call: all that HTTP says is that there is an answer.
    fn of_call(mut self, case: &Case<'_>) -> Self {
        let message = grpc::message(case.reason, &case.detail());
        self.call = Some((grpc::status(case.reason), message));
        self.status = 200;
        self.phrase = words::phrase(200);
        self.body = Vec::new();
        self
    }

    /// The fields that are of this answer alone.
    pub(crate) fn fields(&self) -> Vec<(&'static str, String)> {
        let mut fields = vec![("cache-control", "no-store".to_owned())];
        if let Some((status, message)) = &self.call {
            fields.push(("content-type", CALL_TYPE.to_owned()));
            fields.push((grpc::STATUS, status.to_string()));
            fields.push((grpc::MESSAGE, message.clone()));
        } else if !self.body.is_empty() {
            fields.push(("content-type", MEDIA_TYPE.to_owned()));
        }
        if let Some([identity, credential]) = &self.caller {
            fields.push(("portreeve-identity", identity.clone()));
            fields.push(("portreeve-credential", credential.clone()));
        }
        fields.extend(self.challenge.clone().map(|challenge| ("www-authenticate", challenge)));
        fields.extend(self.retry_after.map(|seconds| ("retry-after", seconds.to_string())));
        fields.push(("portreeve-request-id", self.request_id.clone()));
        fields
    }

    /// The answer for a request whose record could not be made.
    pub(crate) fn unrecorded(request_id: &str, grpc: bool) -> Self {
        let (about, exceeded, violations, example) = (None, None, &[][..], "");
        let reason = Reason::LogUnavailable;
        let case = Case { reason, about, exceeded, violations, example, request_id };
        let answer = Self::page(&case, reason.status(), None);
        if grpc { answer.of_call(&case) } else { answer }
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
        if let Some(standing) = self.standing {
            field("ratelimit-policy", &standing.policy().to_string());
            field("ratelimit", &standing.service().to_string());
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

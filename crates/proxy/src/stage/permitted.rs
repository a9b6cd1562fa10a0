//! Third stage: a request that the ruleset permits.

use catalog::{ApiMode, Timeouts};
use policy::{Decided, Facts, Permit, draw_of};
use token::Verified;
use traffic::Reason;
use traffic::headers::Framing;

use super::facts::Reader;
use super::{Authenticated, Journal, JudgedBody, Received};
use crate::inspection;
use crate::refusal::Refused;
use crate::screen::Screen;

/// A request that the ruleset permits.
pub(crate) struct Permitted<'h> {
    pub(super) received: Received<'h>,
    pub(super) who: Verified,
    pub(super) permit: Permit,
    /// What is to be done to the response.
    pub(super) screen: Option<Screen>,
}

/// What the ruleset says of a request that it does not refuse.
#[expect(clippy::large_enum_variant, reason = "nearly every request is permitted; a box costs it")]
pub(crate) enum Ruling<'h> {
    Permitted(Permitted<'h>),
    /// What decides is in the body, which was not read yet.
    NeedsBody(Pending),
}

/// A request that waits for its body.
pub(crate) struct Pending {
    pub(crate) journal: Journal,
    pub(crate) framing: Framing,
    pub(crate) expects_continue: bool,
    /// The caller keeps its connection.
    pub(crate) keep_alive: bool,
    pub(crate) timeouts: Timeouts,
    /// A body with two readings is refused for that alone.
    pub(crate) refuses_ambiguity: bool,
}

impl Pending {
    pub(super) fn new(received: Received<'_>, refuses_ambiguity: bool) -> Self {
        Self {
            framing: received.fields.framing,
            expects_continue: received.fields.expects_continue,
            keep_alive: received.fields.keep_alive,
            timeouts: received.api.api().timeouts,
            journal: received.journal,
            refuses_ambiguity,
        }
    }
}

impl<'h> Permitted<'h> {
    pub(super) fn decide(authenticated: Authenticated<'h>) -> Result<Ruling<'h>, Refused> {
        let Authenticated { mut received, who } = authenticated;
        if let Some(body) = received.body.filter(|body| body.is_refused()) {
            return Err(ambiguous(received, body));
        }
        let now = received.journal.at();
        let reader = Reader::new(&received);
        let facts = Facts {
            source: Some(received.source),
            draw: draw_of(received.journal.request_id().as_str()),
            request: &reader,
        };
        let (api, operation) = (received.api, received.operation);
        let (decided, mark) = received.ruleset.decide_rolled_out(&who, api, operation, facts, now);
        let decided = decided.map_err(|refusal| refusal.reason);
        if mark.is_some() {
            received.journal.note(|record| record.rollout = mark);
        }
        let reason = match decided {
            Ok(Decided::Permit(permit)) => match Screen::of(permit.shows()) {
                Ok(screen) => {
                    return Ok(Ruling::Permitted(Self { received, who, permit, screen }));
                }
                Err(reason) => reason,
            },
            Ok(Decided::NeedsBody) if received.body.is_none() => {
                let enforced = received.api.api().mode == ApiMode::Enforce;
                return Ok(Ruling::NeedsBody(Pending::new(received, enforced)));
            }
            // Asked again with the body, the answer cannot be that it is needed.
            Ok(Decided::NeedsBody) => Reason::PolicyError,
            Err(reason) => reason,
        };
        let refused = Refused::new(received.journal, reason, &received.fields);
        Err(refused.for_api(received.api.api()))
    }
}

fn ambiguous(mut received: Received<'_>, body: &JudgedBody) -> Refused {
    let told: Vec<_> = body.value().err().map(|why| format!("body {why}")).into_iter().collect();
    let kept = body.value().err().map(|why| inspection::unreadable_request(&why));
    received.journal.note(|record| inspection::keep(&mut record.violations, kept));
    let refused = Refused::new(received.journal, Reason::AmbiguousBody, &received.fields);
    refused.for_api(received.api.api()).telling(told)
}

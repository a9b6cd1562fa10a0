//! Third stage: a request that the ruleset permits.

use catalog::Timeouts;
use policy::{Decided, Facts, Permit, draw_of};
use token::Verified;
use traffic::Reason;
use traffic::headers::Framing;

use super::facts::Reader;
use super::{Admitted, Authenticated, Journal, Received};
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
}

impl<'h> Permitted<'h> {
    pub(super) fn decide(authenticated: Authenticated<'h>) -> Result<Ruling<'h>, Refused> {
        let Authenticated { mut received, who } = authenticated;
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
                return Ok(Ruling::NeedsBody(Pending {
                    framing: received.fields.framing,
                    expects_continue: received.fields.expects_continue,
                    keep_alive: received.fields.keep_alive,
                    timeouts: received.api.api().timeouts,
                    journal: received.journal,
                }));
            }
            // Asked again with the body, the answer cannot be that it is needed.
            Ok(Decided::NeedsBody) => Reason::PolicyError,
            Err(reason) => reason,
        };
        let refused = Refused::new(received.journal, reason, &received.fields);
        Err(refused.for_api(received.api.api()))
    }

    /// Holds the request against the limits.
    pub(crate) fn limit(self) -> Result<Admitted, Refused> {
        Admitted::within_limits(self)
    }
}

//! Third stage: a request that the ruleset permits.

use policy::Permit;
use token::Verified;
use traffic::Reason;

use super::{Admitted, Authenticated, Received};
use crate::refusal::Refused;

/// A request that the ruleset permits.
pub(crate) struct Permitted<'h> {
    pub(super) received: Received<'h>,
    pub(super) who: Verified,
    pub(super) permit: Permit,
}

impl<'h> Permitted<'h> {
    pub(super) fn decide(authenticated: Authenticated<'h>) -> Result<Self, Refused> {
        let Authenticated { received, who } = authenticated;
        let now = received.journal.at();
        let decision = received
            .ruleset
            .decide(&who, received.api, received.operation, now)
            .map_err(|refusal| refusal.reason)
            .and_then(fulfillable);
        match decision {
            Ok(permit) => Ok(Self { received, who, permit }),
            Err(reason) => {
                let refused = Refused::new(received.journal, reason, &received.fields);
                Err(refused.for_api(received.api.api()))
            }
        }
    }

    /// Holds the request against the limits.
    pub(crate) fn limit(self) -> Result<Admitted, Refused> {
        Admitted::within_limits(self)
    }
}

/// A permit whose obligations the gate can fulfil. Responses are not filtered here, so a permit
/// that shows only some fields must not let the whole response pass.
fn fulfillable(permit: Permit) -> Result<Permit, Reason> {
    match permit.fields() {
        None => Ok(permit),
        Some(_) => Err(Reason::PolicyError),
    }
}

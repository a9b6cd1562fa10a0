//! portreeve's own question to the gate: may this identity still use this operation?
//!
//! The question is asked of what the gate decides by, not of what the store says it should decide
//! by. Who runs the gate in the same process can ask it over the wire instead, with an
//! implementation of [`Probe`].

use std::sync::Arc;

use arc_swap::ArcSwap;
use base::Clock;
use catalog::ApiMode;
use futures_util::future::BoxFuture;
use policy::Ruleset;
use review::ProbeOutcome;
use traffic::Reason;

/// Asks the gate.
pub trait Probe: Send + Sync {
    /// What the gate answers to one identity calling one operation.
    fn probe<'a>(&'a self, question: &'a review::Probe) -> BoxFuture<'a, ProbeOutcome>;
}

/// Asks the live ruleset of this node: the decision engine that the gate itself uses, in the
/// version that it uses, with the credential taken as proved.
pub(crate) struct LiveRuleset {
    pub(crate) ruleset: Arc<ArcSwap<Ruleset>>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Probe for LiveRuleset {
    fn probe<'a>(&'a self, question: &'a review::Probe) -> BoxFuture<'a, ProbeOutcome> {
        let (ruleset, now) = (self.ruleset.load(), self.clock.now());
        let review::Probe { identity, api, operation } = question;
        let answer = ruleset.probe_grants(identity, api, operation, now);
        let observes = ruleset.api(api).is_some_and(|api| api.mode == ApiMode::Observe);
        let outcome = match answer {
            Ok(grants) => ProbeOutcome::Allowed { grants },
            // Observe mode refuses nobody for want of a grant, so nothing is gone there yet.
            Err(Reason::NoGrant | Reason::UnknownOperation) if observes => {
                ProbeOutcome::Allowed { grants: Vec::new() }
            }
            Err(reason) => ProbeOutcome::Refused { reason: reason.to_string() },
        };
        Box::pin(std::future::ready(outcome))
    }
}

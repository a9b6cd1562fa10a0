//! External authorization: a gateway that stays in front asks whether it may forward a request, as
//! nginx (`auth_request`), Traefik (`forwardAuth`) and Envoy (`ext_authz` over HTTP) do. The request
//! that it asks about goes through the stages like one that came itself, and leaves its one record;
//! only the forwarding is somebody else's.
//!
//! What is forwarded is not seen here, and so nothing may pass that has to be read or changed on its
//! way: a decision that depends on the body, an answer that is not shown whole.

use traffic::Reason;
use traffic::headers::Version;

use super::{Arrival, Journal, Needs, Peer, Resumed, Verdict};
use crate::gate::Worker;
use crate::refusal::Refused;

mod original;

use original::{Form, Original};

const INCOMPLETE: &str = "send the method and the target of the request: in `X-Original-Method` and \
                          `X-Original-URI`, or behind the path of this endpoint";
const HALF: &str = "if the request's body has to be read or its answer filtered, send it through the \
                    gate itself; else tell who operates the gate, and give the request id";

/// The question of a gateway in front; `None` when this is a request like any other.
pub(super) fn question<'h>(
    worker: &Worker,
    peer: &Peer,
    arrival: &Arrival<'h>,
) -> Option<Form<'h>> {
    let config = worker.core().config.ext_auth.as_ref()?;
    let form = Form::of(arrival.target, &config.path)?;
    let asker = peer.ip.to_canonical();
    config.trusted.iter().any(|network| network.contains(&asker)).then_some(form)
}

/// The answer to it, or what has to be known first.
pub(super) fn answer(
    worker: &Worker,
    peer: &Peer,
    arrival: &Arrival<'_>,
    form: Form<'_>,
    resumed: Option<Resumed<'_>>,
) -> Verdict {
    match Original::read(arrival, form) {
        Ok(original) => decide(worker, peer, &original, resumed),
        Err(reason) => {
            let journal = worker.open_journal(peer.ip);
            let hint = (reason == Reason::MalformedRequest).then_some(INCOMPLETE);
            Verdict::Refused(Refused::and_close(journal, reason).for_front(hint))
        }
    }
}

fn decide(
    worker: &Worker,
    peer: &Peer,
    original: &Original<'_>,
    resumed: Option<Resumed<'_>>,
) -> Verdict {
    let arrival = Arrival {
        version: Version::Http11,
        method: original.method,
        target: original.target,
        authority: original.authority,
        fields: &original.fields,
        // Whether there is one is not known, so whatever depends on it asks for it.
        streams_body: true,
    };
    // The name that the front's own connection was opened for is no part of the caller's request, nor
    // is the front's certificate the caller's.
    let peer = Peer { server_name: None, certificate: None, ..peer.clone() };
    let answer = match super::judge(worker, &peer, &arrival, resumed) {
        Verdict::Admitted(admitted) if admitted.is_whole() => {
            Refused::not_at_all(admitted.into_journal())
        }
        Verdict::Admitted(admitted) => half(admitted.into_journal()),
        Verdict::Waits(pending) => match pending.needs {
            Needs::Body { .. } => half(pending.journal),
            Needs::Relations(..) => return Verdict::Waits(pending),
        },
        Verdict::Refused(refused) => {
            let hint = (refused.reason() == Reason::PolicyError).then_some(HALF);
            refused.for_front(hint)
        }
    };
    Verdict::Refused(answer.after_body(original.keep_alive))
}

/// The front could not do all that the permission asks for.
fn half(mut journal: Journal) -> Refused {
    journal.note(|record| record.grant_ids.clear());
    Refused::and_close(journal, Reason::PolicyError).for_front(Some(HALF))
}

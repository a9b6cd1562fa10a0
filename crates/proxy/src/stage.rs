//! The way of a request, one stage after the other:
//!
//! `Received → Authenticated → Permitted → Checked → Admitted → Answered`
//!
//! Each stage is a type whose fields are private to its module and whose only constructor takes the
//! stage before, so that code which skips a stage does not compile: forwarding takes an
//! [`Admitted`], an `Admitted` is made of a [`Checked`] alone, and so on. Each carries the
//! [`Journal`], which leaves exactly one record however the way ends.
//!
//! Up to `Admitted` no stage waits: the ruleset that a request is judged by is read once, at its
//! start. Where a body or what a source says decides, the stages end with a [`Verdict::Waits`]; whoever
//! carries the request waits, and the request begins again.

mod admitted;
mod answered;
mod authenticated;
mod checked;
mod ext_auth;
mod facts;
mod journal;
mod lease;
mod permitted;
mod received;

pub(crate) use admitted::{Admitted, Traits, UnderWay};
pub(crate) use answered::{Answered, End};
pub(crate) use authenticated::Authenticated;
pub(crate) use checked::{Checked, Conformity};
pub(crate) use facts::JudgedBody;
pub(crate) use journal::{Journal, Tally};
pub(crate) use lease::Lease;
pub(crate) use permitted::{Needs, Pending, Permitted, Resumed, Ruling};
pub(crate) use received::{Arrival, Peer, Received};

use crate::gate::Worker;
use crate::refusal::Refused;

/// What became of a request before anything was forwarded.
pub(crate) enum Verdict {
    Admitted(Admitted),
    Refused(Refused),
    /// Something has to be known first. The request begins again with it, under the same journal.
    Waits(Pending),
}

/// Takes a request through every stage up to the permission to forward it; or answers the question
/// of a gateway in front, which forwards itself. `resumed`: it began before, and waited for
/// something.
pub(crate) fn admit(
    worker: &Worker,
    peer: &Peer,
    arrival: &Arrival<'_>,
    resumed: Option<Resumed<'_>>,
) -> Verdict {
    match ext_auth::question(worker, peer, arrival) {
        Some(form) => ext_auth::answer(worker, peer, arrival, form, resumed),
        None => judge(worker, peer, arrival, resumed),
    }
}

fn judge(
    worker: &Worker,
    peer: &Peer,
    arrival: &Arrival<'_>,
    resumed: Option<Resumed<'_>>,
) -> Verdict {
    let ruleset = worker.core().ruleset.load();
    let received = Received::accept(worker, peer, arrival, &ruleset, resumed);
    let ruling = received.and_then(Received::authenticate).and_then(Authenticated::authorize);
    match ruling {
        Ok(Ruling::Waits(pending)) => Verdict::Waits(pending),
        Ok(Ruling::Permitted(permitted)) => match permitted.check() {
            Ok(Conformity::Waits(pending)) => Verdict::Waits(pending),
            Ok(Conformity::Checked(checked)) => match checked.limit() {
                Ok(admitted) => Verdict::Admitted(admitted),
                Err(refused) => Verdict::Refused(refused),
            },
            Err(refused) => Verdict::Refused(refused),
        },
        Err(refused) => Verdict::Refused(refused),
    }
}

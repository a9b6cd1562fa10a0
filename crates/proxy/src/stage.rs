//! The way of a request, one stage after the other:
//!
//! `Received → Authenticated → Permitted → Admitted → Answered`
//!
//! Each stage is a type whose fields are private to its module and whose only constructor takes the
//! stage before, so that code which skips a stage does not compile: forwarding takes an
//! [`Admitted`], an `Admitted` is made of a [`Permitted`] alone, and so on. Each carries the
//! [`Journal`], which leaves exactly one record however the way ends.
//!
//! Up to `Admitted` nothing waits: the ruleset that a request is judged by is read once, at its
//! start.

mod admitted;
mod answered;
mod authenticated;
mod journal;
mod lease;
mod permitted;
mod received;

pub(crate) use admitted::{Admitted, Traits, UnderWay};
pub(crate) use answered::{Answered, End};
pub(crate) use authenticated::Authenticated;
pub(crate) use journal::{Journal, Tally};
pub(crate) use lease::Lease;
pub(crate) use permitted::Permitted;
pub(crate) use received::{Arrival, Peer, Received};

use crate::gate::Worker;
use crate::refusal::Refused;

/// Takes a request through every stage up to the permission to forward it.
pub(crate) fn admit(
    worker: &Worker,
    peer: &Peer,
    arrival: &Arrival<'_>,
) -> Result<Admitted, Refused> {
    let ruleset = worker.core().ruleset.load();
    Received::accept(worker, peer, arrival, &ruleset)?.authenticate()?.authorize()?.limit()
}

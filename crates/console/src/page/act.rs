//! Acts on one object outside a review: suspend and resume an identity, end a key or a grant. Each
//! asks for a reason, is enforced before the page comes back, and says so.

use axum::Form;
use axum::extract::{Path, State};
use serde::Deserialize;

use super::{Shown, local};
use crate::desk::Act;
use crate::failure::see_other;
use crate::shell::Visit;
use crate::{Console, Desk};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Reason {
    reason: String,
    back: String,
}

macro_rules! acts {
    ($($(#[$doc:meta])* $name:ident = $act:expr;)*) => {$(
        $(#[$doc])*
        pub(crate) async fn $name<D: Desk>(
            visit: Visit,
            State(console): State<Console<D>>,
            Path(id): Path<String>,
            Form(form): Form<Reason>,
        ) -> Shown {
            perform(&console, &visit, $act, &id, &form).await
        }
    )*};
}

acts! {
    /// `POST /identities/{id}/suspend`
    suspend = Act::SuspendIdentity;
    /// `POST /identities/{id}/resume`
    resume = Act::ResumeIdentity;
    /// `POST /keys/{id}/revoke`
    revoke_key = Act::RevokeKey;
    /// `POST /grants/{id}/revoke`
    revoke_grant = Act::RevokeGrant;
}

async fn perform<D: Desk>(
    console: &Console<D>,
    visit: &Visit,
    act: Act,
    id: &str,
    form: &Reason,
) -> Shown {
    let reason = form.reason.trim();
    if reason.is_empty() {
        let problem = base::Problem::invalid("reason_required", "Say why, so that it stays known.");
        return Err(problem.at("reason").into());
    }
    console.desk.act(visit.actor(), act, id, reason).await?;
    Ok(see_other(local(&form.back)))
}

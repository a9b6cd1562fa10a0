//! A small made-up company. Page tests and the gallery render every page from it, in every state;
//! [`SampleDesk`] answers the console like the application does, so that a review can be walked
//! through without a database.

mod access;
mod activity;
mod desk;
mod review;

use std::sync::Arc;

use app::{Actor, Channel, Role};
use base::{Clock, IdentityId, Timestamp};

use crate::shell::{Choices, Section, Shell, Viewer};

pub use access::{api_detail, apis, credential, grant, identities, identity, identity_detail};
pub use activity::{
    audit_events, call, calls, chain_broken, chain_intact, explanation, explanation_of_refusal,
    explanation_of_written, explanation_without_credential, findings, today, today_quiet,
};
pub use desk::SampleDesk;
pub use review::{
    items, review, reviews, sign_off, signed_items, status_completed, status_verifying,
};

/// Sunday, 22 November 2026, 09:00 UTC: the present of the sample world.
pub const NOW: Timestamp = Timestamp::from_secs(1_795_338_000);

/// A clock that stands at [`NOW`].
#[derive(Debug, Clone, Copy)]
pub struct SampleClock;

impl Clock for SampleClock {
    fn now(&self) -> Timestamp {
        NOW
    }
}

/// A console configuration for the sample world.
pub fn config() -> crate::ConsoleConfig {
    let gate_url = "https://api.example.com".to_owned();
    crate::ConsoleConfig { secure_cookies: false, gate_url, clock: Arc::new(SampleClock) }
}

/// Robin, with a role.
pub fn viewer(role: Role) -> Viewer {
    // `robin` is a valid id; were it not, the system actor would show up in every snapshot.
    let actor = match IdentityId::parse("robin") {
        Ok(id) => Actor { id, name: "Robin Hale".to_owned(), role, channel: Channel::Console },
        Err(_) => Actor::system(IdentityId::generate(NOW, &mut Zeros)),
    };
    Viewer { actor, csrf: "sample-form-token".to_owned() }
}

struct Zeros;

impl base::Entropy for Zeros {
    fn fill(&mut self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

/// What surrounds a page that Robin, an administrator, looks at.
pub fn shell(section: Section) -> Shell {
    Shell {
        viewer: Some(viewer(Role::Admin)),
        choices: Choices::default(),
        now: NOW,
        here: "/".to_owned(),
        section,
    }
}

/// [`NOW`] some hours back, as the wire form writes it.
pub(crate) fn hours_ago(hours: i64) -> String {
    (NOW - base::Span::from_secs(hours * 3_600)).to_string()
}

/// [`NOW`] some days back.
pub(crate) fn days_ago(days: i64) -> String {
    hours_ago(days * 24)
}

//! Identity: everything on one.

use app::view::IdentityDetail;
use askama::Template;
use axum::extract::{Path, State};

use super::Shown;
use crate::shell::{Section, Shell, Visit};
use crate::{Console, Desk, words};

/// The page.
#[derive(Template)]
#[template(path = "identity.html")]
pub struct IdentityPage {
    /// Surroundings.
    pub shell: Shell,
    /// Everything.
    pub detail: IdentityDetail,
}

impl IdentityPage {
    /// The other people-words of its status, for the heading.
    fn suspended(&self) -> bool {
        self.detail.identity.status == "suspended"
    }
}

/// `GET /identities/{id}`
pub(crate) async fn show<D: Desk>(
    visit: Visit,
    State(console): State<Console<D>>,
    Path(id): Path<String>,
) -> Shown {
    let detail = console.desk.identity(visit.actor(), &id).await?;
    super::show(&IdentityPage { shell: visit.shell(Section::Access), detail })
}

//! APIs: what is protected.

use app::view::ApiView;
use askama::Template;
use axum::extract::State;

use super::Shown;
use crate::shell::{Section, Shell, Visit};
use crate::{Console, Desk, words};

/// The page.
#[derive(Template)]
#[template(path = "apis.html")]
pub struct ApisPage {
    /// Surroundings.
    pub shell: Shell,
    /// The rows.
    pub apis: Vec<ApiView>,
}

/// `GET /apis`
pub(crate) async fn show<D: Desk>(visit: Visit, State(console): State<Console<D>>) -> Shown {
    let apis = console.desk.apis(visit.actor()).await?;
    super::show(&ApisPage { shell: visit.shell(Section::Apis), apis })
}

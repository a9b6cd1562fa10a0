//! Sign-off: what signing would do, the choices against the recommendation, the statement to accept.

use app::view::SignOffView;
use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::Deserialize;

use super::review::Row;
use super::{Shown, encode};
use crate::failure::see_other;
use crate::shell::{Section, Shell, Visit};
use crate::{Console, Desk, words};

/// The page.
#[derive(Template)]
#[template(path = "sign_off.html")]
pub struct SignOffPage {
    /// Surroundings.
    pub shell: Shell,
    /// What signing would do.
    pub sign_off: SignOffView,
    /// Drafts that narrow or remove.
    pub changes: Vec<Row>,
    /// Drafts against the recommendation.
    pub against: Vec<Row>,
    /// Why the last attempt was refused.
    pub refused: Option<String>,
}

impl SignOffPage {
    /// The page, with the reason when an attempt was refused.
    pub fn new(shell: Shell, mut sign_off: SignOffView, refused: Option<String>) -> Self {
        let rows = |items: &mut Vec<_>| std::mem::take(items).into_iter().map(Row::new).collect();
        let changes = rows(&mut sign_off.changes);
        let against = rows(&mut sign_off.against);
        Self { shell, sign_off, changes, against, refused }
    }

    fn drafts(&self) -> u64 {
        self.sign_off.keep + self.sign_off.narrow + self.sign_off.remove
    }

    fn signer(&self) -> &str {
        self.shell.viewer.as_ref().map_or("", |viewer| &viewer.actor.name)
    }
}

/// `GET /reviews/{id}/sign-off`
pub(crate) async fn show<D: Desk>(
    visit: Visit,
    State(console): State<Console<D>>,
    Path(id): Path<String>,
) -> Shown {
    let sign_off = console.desk.sign_off(visit.actor(), &id).await?;
    super::show(&SignOffPage::new(visit.shell(Section::Reviews), sign_off, None))
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
pub(crate) struct Signature {
    drafts_digest: String,
    accept: String,
}

/// `POST /reviews/{id}/sign-off`
pub(crate) async fn sign<D: Desk>(
    visit: Visit,
    State(console): State<Console<D>>,
    Path(id): Path<String>,
    Form(signature): Form<Signature>,
) -> Shown {
    let refused = if signature.accept != "yes" {
        "Accept the statement to sign.".to_owned()
    } else {
        match console.desk.sign(visit.actor(), &id, &signature.drafts_digest).await {
            Ok(_) => return Ok(see_other(&format!("/reviews/{}/result", encode(&id)))),
            Err(problem) if problem.kind == base::problem::ProblemKind::Conflict => {
                words::sentence(&problem.detail)
            }
            Err(problem) => return Err(problem.into()),
        }
    };
    let sign_off = console.desk.sign_off(visit.actor(), &id).await?;
    let page = SignOffPage::new(visit.shell(Section::Reviews), sign_off, Some(refused));
    Ok((StatusCode::CONFLICT, super::show(&page)?).into_response())
}

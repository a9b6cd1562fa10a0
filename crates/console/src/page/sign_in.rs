//! Arriving and leaving. A person arrives with a one-time link from the command line; the code is
//! exchanged for a session cookie and leaves the address bar at once.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use base::problem::ProblemKind;
use std::sync::Arc;

use super::Shown;
use crate::failure::see_other;
use crate::shell::{RequestFacts, Section, Shell, Visit};
use crate::{Console, Desk, cookie, words};

/// The page.
#[derive(Template)]
#[template(path = "sign_in.html")]
pub struct SignInPage {
    /// Surroundings; nobody is signed in.
    pub shell: Shell,
    /// A link was tried and did not work.
    pub refused: bool,
    /// The person has just left.
    pub left: bool,
}

/// `GET /sign-in`, with `?link=refused` after a link that did not work.
pub(crate) async fn show(Extension(facts): Extension<Arc<RequestFacts>>) -> Shown {
    let here = facts.here.as_str();
    super::show(&SignInPage {
        shell: facts.shell(Section::Elsewhere),
        refused: here.ends_with("?link=refused"),
        left: here.ends_with("?left=yes"),
    })
}

/// Exchanges a one-time code for a session. The redirect replaces the address with the code in the
/// browser's history, and no referrer ever holds it, because no page was shown under it.
///
/// Who is signed in already and opens a link that no longer works arrives all the same.
pub(crate) async fn redeem<D: Desk>(console: &Console<D>, code: &str, signed_in: bool) -> Shown {
    let session = match console.desk.redeem(code).await {
        Ok(session) => session,
        Err(problem)
            if matches!(problem.kind, ProblemKind::Internal | ProblemKind::Unavailable) =>
        {
            return Err(problem.into());
        }
        Err(_) if signed_in => return Ok(see_other("/")),
        Err(_) => return Ok(see_other("/sign-in?link=refused")),
    };
    let config = &console.config;
    let cookie = cookie::open_session(
        &session.cookie,
        session.expires_at,
        config.clock.now(),
        config.secure_cookies,
    );
    let mut response = see_other("/");
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// `POST /sign-out`
pub(crate) async fn leave<D: Desk>(
    _: Visit,
    State(console): State<Console<D>>,
    headers: HeaderMap,
) -> Shown {
    let secure = console.config.secure_cookies;
    if let Some(value) = cookie::read(&headers, cookie::session_name(secure)) {
        console.desk.sign_out(value).await?;
    }
    let mut response = see_other("/sign-in?left=yes");
    if let Some(cookie) = cookie::close_session(secure) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

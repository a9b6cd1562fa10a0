//! What a person reads when a page is not shown: words, what to do, whom to ask.

use askama::Template;
use base::Problem;

use crate::shell::Shell;
use crate::words;

/// The page.
#[derive(Template)]
#[template(path = "error.html")]
pub struct ErrorPage {
    /// Surroundings.
    pub shell: Shell,
    /// HTTP status.
    pub status: u16,
    /// The heading.
    pub heading: &'static str,
    /// What happened.
    pub detail: String,
    /// What to do.
    pub hint: String,
    /// The stable reason code.
    pub reason: String,
}

impl ErrorPage {
    /// The page of a problem. A fault of portreeve's own keeps its details to the log.
    pub fn new(shell: Shell, status: u16, problem: &Problem) -> Self {
        let internal = status >= 500;
        let detail = if internal && status != 503 {
            "Something failed on our side. Nothing you sent was half applied.".to_owned()
        } else {
            words::sentence(&problem.detail)
        };
        let hint = problem.hint.as_deref().filter(|_| !internal).map(words::sentence);
        Self {
            shell,
            status,
            heading: heading(status),
            detail,
            hint: hint.unwrap_or_else(|| advice(status).to_owned()),
            reason: problem.reason.clone(),
        }
    }
}

fn heading(status: u16) -> &'static str {
    match status {
        401 => "You are not signed in",
        403 => "This is not yours to do",
        404 => "There is nothing here",
        409 => "That no longer fits",
        400..=499 => "That could not be read",
        503 => "Not available right now",
        _ => "This page failed",
    }
}

fn advice(status: u16) -> &'static str {
    match status {
        401 => "Ask for a new sign-in link.",
        403 => "Ask an administrator if you think it should be.",
        404 => {
            "It may be gone, or it may not be for you to see. Ask its owner or an administrator."
        }
        409 => "Reload the page to see how things stand now.",
        400..=499 => "Go back, check what you entered and try again.",
        503 => "Traffic through the gate is not affected. Try again in a moment.",
        _ => "Try again; if it stays, tell an administrator the reason code and the time.",
    }
}

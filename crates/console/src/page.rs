//! One module per page: its template's data and the thin handler that fills it.

pub mod act;
pub mod api;
pub mod apis;
pub mod audit;
pub mod calls;
pub mod choices;
pub mod error;
pub mod explain;
pub mod findings;
pub mod identities;
pub mod identity;
pub mod part;
pub mod result;
pub mod review;
pub mod reviews;
pub mod search;
pub mod sign_in;
pub mod sign_off;
pub mod states;
pub mod today;

use askama::Template;
use axum::response::{Html, IntoResponse, Response};

use crate::failure::Failure;

/// What a page's handler gives.
pub(crate) type Shown = Result<Response, Failure>;

/// Renders a page.
pub(crate) fn show(page: &impl Template) -> Shown {
    Ok(Html(page.render()?).into_response())
}

/// `Some` when the visitor gave a value.
pub(crate) fn given(text: String) -> Option<String> {
    let trimmed = text.trim();
    (!trimmed.is_empty()).then(|| trimmed.to_owned())
}

/// The path to go back to after a form; anything that could leave this console becomes `/`.
pub(crate) fn local(path: &str) -> &str {
    let stays = path.starts_with('/')
        && !path.starts_with("//")
        && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if stays { path } else { "/" }
}

/// A query string from names and values, without the empty ones; `?` included when not empty.
pub(crate) fn query(pairs: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
        out.push(if out.is_empty() { '?' } else { '&' });
        out.push_str(name);
        out.push('=');
        out.push_str(&encode(value));
    }
    out
}

/// Percent-encodes everything but unreserved characters (RFC 3986 §2.3).
pub(crate) fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push_str(&base::encoding::to_hex(&[byte]).to_uppercase());
        }
        out
    })
}

#[cfg(test)]
mod tests;

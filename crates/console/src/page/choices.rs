//! Remembers how a person likes the console: colours and keyboard shortcuts.

use axum::Form;
use axum::extract::State;
use axum::http::header;
use serde::Deserialize;

use super::{Shown, local};
use crate::failure::see_other;
use crate::shell::{Theme, Visit};
use crate::{Console, Desk, cookie};

#[derive(Deserialize)]
pub(crate) struct Choice {
    theme: Option<String>,
    shortcuts: Option<String>,
    #[serde(default)]
    back: String,
}

/// `POST /choices`. Words that are not a choice are ignored: the page stays as it was.
pub(crate) async fn save<D: Desk>(
    _: Visit,
    State(console): State<Console<D>>,
    Form(choice): Form<Choice>,
) -> Shown {
    let secure = console.config.secure_cookies;
    let theme = choice.theme.and_then(|word| word.parse::<Theme>().ok());
    let keys = choice.shortcuts.as_deref().filter(|word| ["on", "off"].contains(word));
    let cookies = [
        theme.and_then(|theme| cookie::remember("portreeve-theme", theme.as_str(), secure)),
        keys.and_then(|word| cookie::remember("portreeve-keys", word, secure)),
    ];
    let mut response = see_other(local(&choice.back));
    for cookie in cookies.into_iter().flatten() {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

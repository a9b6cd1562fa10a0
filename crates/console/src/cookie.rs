//! The console's cookies: the session, and three choices that survive without script. Only the
//! session is a secret; the choices are read back as one of a few words, never echoed.

use axum::http::{HeaderMap, HeaderValue, header};
use base::Timestamp;

/// The browser keeps a choice for a year.
const CHOICE_SECONDS: i64 = 31_536_000;

/// The name of the session cookie. With `secure` the `__Host-` prefix makes browsers refuse one
/// that another host or a plain connection set (RFC 6265bis §4.1.3.2).
pub(crate) fn session_name(secure: bool) -> &'static str {
    if secure { "__Host-portreeve" } else { "portreeve" }
}

/// The value of a cookie. When the header names it twice the value is ambiguous and ignored.
pub(crate) fn read<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers
        .get_all(header::COOKIE)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(key, _)| *key == name)
        .map(|(_, value)| value);
    let first = values.next();
    if values.next().is_some() { None } else { first }
}

/// `Set-Cookie` that opens a session. `Lax`, because the sign-in link and links in mail come from
/// elsewhere; forms are guarded by origin and token besides.
pub(crate) fn open_session(
    value: &str,
    expires_at: Timestamp,
    now: Timestamp,
    secure: bool,
) -> Option<HeaderValue> {
    set(session_name(secure), value, expires_at.since(now).as_secs().max(0), secure)
}

/// `Set-Cookie` that ends it.
pub(crate) fn close_session(secure: bool) -> Option<HeaderValue> {
    set(session_name(secure), "", 0, secure)
}

/// `Set-Cookie` that remembers a choice.
pub(crate) fn remember(name: &str, value: &str, secure: bool) -> Option<HeaderValue> {
    set(name, value, CHOICE_SECONDS, secure)
}

fn set(name: &str, value: &str, seconds: i64, secure: bool) -> Option<HeaderValue> {
    let flag = if secure { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{flag}");
    HeaderValue::try_from(text).ok()
}

#[cfg(test)]
mod tests;

use axum::http::{HeaderMap, HeaderValue, header};
use base::Timestamp;

use super::*;

fn headers(lines: &[&'static str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(header::COOKIE, HeaderValue::from_static(line));
    }
    headers
}

#[test]
fn a_cookie_named_twice_is_nobody() {
    assert_eq!(read(&headers(&["portreeve=a; portreeve=b"]), "portreeve"), None);
    assert_eq!(read(&headers(&["portreeve=a", "portreeve=b"]), "portreeve"), None);
}

#[test]
fn names_match_whole() {
    let headers = headers(&["x-portreeve=a; portreeve-theme=dark; portreeve=s=1"]);
    assert_eq!(read(&headers, "portreeve"), Some("s=1"));
    assert_eq!(read(&headers, "theme"), None);
}

#[test]
fn a_session_cookie_is_bound_to_the_host_when_secure() {
    let now = Timestamp::from_secs(1_000);
    let cookie = open_session("abc", Timestamp::from_secs(1_600), now, true).unwrap();
    assert_eq!(cookie, "__Host-portreeve=abc; Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure");
    let plain = open_session("abc", Timestamp::from_secs(0), now, false).unwrap();
    assert_eq!(plain, "portreeve=abc; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
}

#[test]
fn a_value_that_could_break_out_of_the_header_is_not_set() {
    assert!(open_session("a\r\nb", Timestamp::MAX, Timestamp::from_secs(0), true).is_none());
}

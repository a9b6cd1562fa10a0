use super::*;

#[test]
fn what_is_not_known_to_be_json_has_no_mode() {
    for value in [
        "",
        "text/html",
        "text/plain",
        "application/xml",
        "application/octet-stream",
        "application/json5",
        "application/json-seq",
        "application/jsonp",
        "application/javascript",
        "application/+json",
        "/+json",
        "a b/c+json",
        "+json",
        "application/vnd.a+jsonx",
        "multipart/mixed; boundary=x",
        "application/json, text/html",
    ] {
        assert_eq!(Mode::for_content_type(value), None, "{value}");
    }
}

#[test]
fn another_charset_has_no_mode() {
    for value in [
        "application/json; charset=iso-8859-1",
        "application/json;charset=\"utf-16\"",
        "application/json; Charset = UTF-7",
        "application/json; charset=utf-8; charset=latin1",
        "text/event-stream; charset=",
        "application/json; charset=\"utf-8",
    ] {
        assert_eq!(Mode::for_content_type(value), None, "{value}");
    }
}

#[test]
fn json_types_have_the_mode_of_their_framing() {
    for (value, mode) in [
        ("application/json", Mode::Document),
        ("Application/JSON ; charset=UTF-8", Mode::Document),
        ("application/json;charset=\"utf-8\"; profile=x", Mode::Document),
        ("application/problem+json", Mode::Document),
        ("application/vnd.example.v2+json; version=3", Mode::Document),
        ("application/x-ndjson", Mode::Lines),
        ("application/ndjson", Mode::Lines),
        ("application/jsonl; charset=utf-8", Mode::Lines),
        ("text/event-stream", Mode::Events),
        ("text/event-stream;charset=utf-8", Mode::Events),
    ] {
        assert_eq!(Mode::for_content_type(value), Some(mode), "{value}");
    }
}

use proptest::prelude::*;

use super::*;

fn refused(raw: &str) -> Reason {
    Target::parse(raw.as_bytes()).expect_err(raw)
}

#[rustfmt::skip]
const TWO_READINGS: &[&str] = &[
    "", "orders", "/.", "/..", "/a/./b", "/a/../b", "/a/..", "/%2e", "/%2E%2e/a", "/a/%2e./b",
    "//", "//a", "/a//b", "/a//", "/a\\b", "/a;b", "/a;", "/a%3Bb", "/a%2fb", "/a%2Fb",
    "/a%5cb", "/a%00", "/a%0a", "/a%7f", "/a b", "/a\tb", "/a#b", "/a\0", "/%", "/%4", "/%4g",
    "/%%41", "/%252f", "/%252F", "/%252e", "/%255c", "/%2500", "/%2541", "/%25%32%66",
    "/%c0%af", "/%e0%80%af", "/%f8", "/%ff", "/é", "/<a>", "/a|b", "/{a}", "/a^b", "/a`b",
    "/\"a\"", "/a?b#c", "/a?b\\c", "/a?b c", "/a?%", "/a?%0", "/a?%00", "/a?<b>", "*/a", "**",
    "ftp://a/b", "//a/b", "http:/a/b", "http//a/b", "a:80",
];

#[test]
fn spellings_with_two_readings_are_refused() {
    for path in TWO_READINGS {
        assert_eq!(refused(path), Reason::NonCanonicalTarget, "{path}");
    }
}

#[test]
fn an_absolute_target_needs_an_authority_that_can_be_read() {
    for target in
        ["http://", "http:///a", "http://u@a/b", "http://a:b/c", "http://a b/c", "http://?a"]
    {
        assert_eq!(refused(target), Reason::MalformedRequest, "{target}");
    }
}

#[test]
fn parameters_that_replace_the_method_are_refused() {
    for query in [
        "_method=x",
        "a&_METHOD=x",
        "a;_method",
        ".method=DELETE",
        "%20_method=DELETE",
        "+_method=DELETE",
        "[method=DELETE",
        "%5Bmethod=DELETE",
        "_method[]=DELETE",
        "x[http-method-override=DELETE",
        "x.http.method.override=DELETE",
        "%5Fmethod=x",
        "_%6dethod",
        "X-HTTP-Method-Override=x",
    ] {
        assert_eq!(refused(&format!("/a?{query}")), Reason::ForbiddenHeader, "{query}");
    }
    for query in ["method=x", "a=_method", "my_method=x", "_methods=x"] {
        assert!(Target::parse(format!("/a?{query}").as_bytes()).is_ok(), "{query}");
    }
}

#[test]
fn equal_spellings_become_one() {
    let pairs = [
        ("/%6f%72ders", "/orders"),
        ("/a%2Db%2e%5f%7E", "/a-b._~"),
        ("/%c3%A9", "/%C3%A9"),
        ("/a%20b", "/a%20b"),
        ("/a%40b:%3a", "/a@b::"),
        ("/%2B%2c%3d", "/%2B%2C%3D"),
        ("/100%25", "/100%25"),
        ("/a/", "/a/"),
        ("/", "/"),
        ("/...", "/..."),
        ("http://A/b?c", "/b?c"),
        ("HTTPS://a", "/"),
        ("http://a?b", "/?b"),
        ("*", "*"),
    ];
    for (raw, canonical) in pairs {
        let target = Target::parse(raw.as_bytes()).expect(raw);
        assert_eq!(str::from_utf8(target.as_bytes()).unwrap(), canonical, "{raw}");
    }
}

#[test]
fn path_and_query_are_told_apart_at_the_first_mark() {
    let target = Target::parse(b"/a?b?c=/d").unwrap();
    assert_eq!((target.path(), target.query()), ("/a", Some("b?c=/d")));
    assert_eq!(Target::parse(b"/a?").unwrap().query(), Some(""));
    assert_eq!(Target::parse(b"/a").unwrap().query(), None);
    assert_eq!(target.into_path(), "/a");
}

#[test]
fn the_asterisk_is_for_options_and_connect_is_for_nobody() {
    assert!(Target::parse_for("OPTIONS", b"*").is_ok());
    assert_eq!(Target::parse_for("GET", b"*"), Err(Reason::NonCanonicalTarget));
    assert_eq!(Target::parse_for("CONNECT", b"a:80"), Err(Reason::MalformedRequest));
    assert_eq!(Target::parse_for("CONNECT", b"/a"), Err(Reason::MalformedRequest));
}

/// Everything that some reader makes of a path: undoing escapes once or twice, dropping parameters,
/// taking backslashes for slashes, merging slashes, resolving dots.
fn careless_reading(path: &str) -> String {
    let once = unescaped(path.as_bytes());
    let twice = unescaped(&once);
    let text = String::from_utf8_lossy(&twice).replace('\\', "/");
    let mut segments: Vec<&str> = Vec::new();
    for segment in text.split('/').map(|segment| segment.split(';').next().unwrap()) {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            segment => segments.push(segment),
        }
    }
    segments.join("/")
}

fn plain_reading(path: &str) -> String {
    let once = unescaped(path.as_bytes());
    String::from_utf8_lossy(&once).trim_matches('/').to_owned()
}

fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let octet = (text[at] == b'%' && at + 2 < text.len())
            .then(|| octet(text[at + 1], text[at + 2]))
            .flatten();
        out.push(octet.unwrap_or(text[at]));
        at += if octet.is_some() { 3 } else { 1 };
    }
    out
}

/// Texts full of what makes trouble.
fn troublesome() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-c]{1,2}",
        4 => Just("/".to_owned()),
        2 => Just(".".to_owned()),
        3 => "%[0-9a-fA-F]{2}",
        2 => prop::sample::select(vec!["%2e", "%2f", "%5c", "%25", "%00", "%3b", "%c3%a9", "%c0%af"])
            .prop_map(str::to_owned),
        1 => "[ -~]",
        1 => prop::sample::select(vec!["..", ";", "\\", "?", "#", "%", "//"]).prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| format!("/{}", pieces.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_024))]

    #[test]
    fn what_is_accepted_is_canonical(raw in troublesome()) {
        if let Ok(target) = Target::parse(raw.as_bytes()) {
            prop_assert_eq!(Target::parse(target.as_bytes()), Ok(target));
        }
    }

    #[test]
    fn what_is_accepted_has_one_reading(raw in troublesome()) {
        if let Ok(target) = Target::parse(raw.as_bytes()) {
            let path = target.path();
            prop_assert_eq!(careless_reading(path), plain_reading(path));
            // Raw and canonical form are the same to whoever decides.
            let raw_path = raw.split('?').next().unwrap();
            prop_assert_eq!(unescaped(raw_path.as_bytes()), unescaped(path.as_bytes()));
        }
    }

    #[test]
    fn no_bytes_are_too_strange_to_refuse(raw in prop::collection::vec(any::<u8>(), 0..40)) {
        if let Ok(target) = Target::parse(&raw) {
            prop_assert!(target.as_bytes().iter().all(u8::is_ascii_graphic));
        }
    }

    #[test]
    fn plain_paths_pass_unchanged(path in "(/[a-zA-Z0-9_~!$&'()*+,=:@-]{1,8}){1,5}/?(\\?[a-z=&%2F]{0,9})?") {
        if let Ok(target) = Target::parse(path.as_bytes()) {
            prop_assert_eq!(target.as_bytes(), path.as_bytes());
        } else {
            prop_assert!(path.contains('%') || path.contains("_method"));
        }
    }
}

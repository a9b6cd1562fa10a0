use proptest::prelude::*;

use super::*;

const PAIRS: &str = "application/x-www-form-urlencoded; charset=utf-8";
const PARTS: &str = "multipart/form-data; boundary=\"a b\"";

/// All at once, and a byte at a time: the same answer.
fn judge(content_type: &str, body: &[u8]) -> Result<(), Reason> {
    let watch = || FormWatch::of(content_type.as_bytes()).unwrap().unwrap();
    let whole = watch().see(body);
    let mut bytes = watch();
    let each = body.iter().try_for_each(|byte| bytes.see(&[*byte]));
    assert_eq!(whole, each, "{}", String::from_utf8_lossy(body));
    whole
}

fn part(head: &str) -> String {
    format!(
        "--a b\r\ncontent-disposition: form-data; name=\"x\"\r\n\r\n1\r\n--a b\r\n{head}\r\n\r\nDELETE\r\n--a b--\r\n"
    )
}

#[test]
fn a_field_that_names_a_method_is_refused_in_each_spelling() {
    for form in [
        "_method=DELETE",
        "id=1&_method=DELETE",
        "a=b;_method=DELETE",
        "_METHOD=put",
        "%5fmethod=DELETE",
        "++%20%09_method=DELETE",
        "_method[]=DELETE",
        ".method=DELETE",
        "X-HTTP-Method-Override=DELETE",
        "_method&a=1",
        "_method%00x=DELETE",
        "_method\0x=DELETE",
        "[_method]=DELETE",
        "_method]=DELETE",
    ] {
        assert_eq!(judge(PAIRS, form.as_bytes()), Err(Reason::ForbiddenHeader), "{form}");
    }
    let blanks = format!("a=1&{}_method=DELETE", "%20".repeat(2_000));
    assert_eq!(judge(PAIRS, blanks.as_bytes()), Err(Reason::ForbiddenHeader));
    let brackets = format!("a=1&{}_method]=DELETE", "[%5B%5d".repeat(200));
    assert_eq!(judge(PAIRS, brackets.as_bytes()), Err(Reason::ForbiddenHeader));
    let index = format!("_method[{}]=DELETE", "a".repeat(2_000));
    assert_eq!(judge(PAIRS, index.as_bytes()), Err(Reason::ForbiddenHeader));
    for head in [
        "Content-Disposition: form-data; name=\"_method\"",
        "content-disposition: form-data; NAME=_method",
        "content-disposition: form-data; name = \"_method\"; filename=\"x\"",
        "content-disposition: form-data; filename=\"name\"; name=\"_method\"",
        "content-disposition: form-data;\r\n name=\"_method\"",
        "content-disposition: form-data; name*=utf-8''%5fmethod",
        "content-disposition: form-data; name=\"\\_method\"",
        "content-disposition: form-data; name='_method'",
        "x: y\r\ncontent-disposition: form-data; name=\"_method\"",
        "content-disposition: form-data; name=\"_method\0x\"",
        "Content-ID: <_method>",
    ] {
        assert_eq!(judge(PARTS, part(head).as_bytes()), Err(Reason::ForbiddenHeader), "{head}");
    }
    for of in ["", "application/x-www-form-urlencoded x"] {
        assert_eq!(judge(of, b"_method=DELETE"), Err(Reason::ForbiddenHeader), "{of}");
    }
    let mixed = PARTS.replace("form-data", "mixed");
    let body = part("content-disposition: form-data; name=\"_method\"");
    assert_eq!(judge(&mixed, body.as_bytes()), Err(Reason::ForbiddenHeader));
}

#[test]
fn parts_that_cannot_be_told_apart_are_refused() {
    for of in [
        "",
        "; boundary",
        "; boundary=",
        "; boundary=a; boundary=b",
        "; boundary=a\\b",
        "; boundary= a",
        "; boundary =a",
        "; boundary=a ; x=1",
        "; boundary=\"a\"b",
        "; boundary=\"a",
        "; x=boundary=a; boundary=b",
    ] {
        let content_type = format!("multipart/form-data{of}");
        let judged = FormWatch::of(content_type.as_bytes());
        assert_eq!(judged.err(), Some(Reason::MalformedRequest), "{of}");
    }
    let lines = part("x: y").replace("\r\n", "\n");
    assert_eq!(judge(PARTS, lines.as_bytes()), Err(Reason::MalformedRequest));
    let two = part("x: y\n\ncontent-disposition: form-data; name=\"_method\"");
    assert_eq!(judge(PARTS, two.as_bytes()), Err(Reason::MalformedRequest));
    let long = part(&format!("x: {}", "y".repeat(PART_HEAD_BYTES_MAX)));
    assert_eq!(judge(PARTS, long.as_bytes()), Err(Reason::MalformedRequest));
}

#[test]
fn other_forms_pass_and_other_bodies_are_not_looked_at() {
    let json = format!("{{\"a\":\"{}\"}}", "b".repeat(5_000));
    for form in ["", "a=1&b=_method", "method=x&my_method=2&_methods=3", "a", "&&=;", &json] {
        assert_eq!(judge(PAIRS, form.as_bytes()), Ok(()), "{form}");
    }
    for head in [
        "content-disposition: form-data; name=\"method\"",
        "content-disposition: form-data; name=\"file\"; filename=\"a.txt\"",
    ] {
        assert_eq!(judge(PARTS, part(head).as_bytes()), Ok(()), "{head}");
    }
    let content = "content-disposition: form-data; name=\"x\"\r\n\r\nname=\"_method\"";
    assert_eq!(judge(PARTS, part(content).as_bytes()), Ok(()), "it is content");
    // As browsers send them.
    for boundary in ["----WebKitFormBoundaryAbC0123456789xyz", "----geckoformboundary7f"] {
        let content_type = format!("multipart/form-data; boundary={boundary}");
        let body = part("content-disposition: form-data; name=\"f\"; filename=\"a\"");
        let body = body.replace("--a b", &format!("--{boundary}"));
        assert_eq!(judge(&content_type, body.as_bytes()), Ok(()), "{boundary}");
        let body = body.replace("\"f\"", "\"_method\"");
        assert_eq!(judge(&content_type, body.as_bytes()), Err(Reason::ForbiddenHeader));
    }
    for other in ["application/json", "text/plain", "application/x-www-form-urlencoded-not"] {
        assert!(FormWatch::of(other.as_bytes()).unwrap().is_none(), "{other}");
    }
}

proptest! {
    #[test]
    fn how_it_comes_in_pieces_makes_no_difference_and_memory_is_bounded(
        pieces in prop::collection::vec("[-a b\r\n&=;_%05fmethodDELETE\"]{0,40}", 0..20),
        parts in any::<bool>(),
    ) {
        let content_type = if parts { PARTS } else { PAIRS };
        let mut watch = FormWatch::of(content_type.as_bytes()).unwrap().unwrap();
        let split = pieces.iter().try_for_each(|piece| watch.see(piece.as_bytes()));
        let kept = match &watch.0 {
            State::Name(name) => name.len(),
            State::Value => 0,
            State::Parts(parts) => parts.kept.len(),
        };
        prop_assert!(kept <= PART_HEAD_BYTES_MAX + 1);
        prop_assert_eq!(split, judge(content_type, pieces.concat().as_bytes()));
    }
}

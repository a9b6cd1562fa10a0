use proptest::prelude::*;
use serde_json::json;

use super::*;

fn read(text: &str) -> Result<Value, Trouble> {
    parse(text.as_bytes(), Limits::default())
}

#[test]
fn a_name_that_occurs_twice_is_refused_however_it_is_spelled() {
    for (text, pointer) in [
        (r#"{"role":"user","role":"admin"}"#, "/role"),
        (r#"{"role":"user","r\u006fle":"admin"}"#, "/role"),
        (r#"{"r\u006Fle":1,"r\u006fle":2}"#, "/role"),
        (r#"{"a":[{},{"b":{"c":1,"d":2,"c":1}}]}"#, "/a/1/b/c"),
        (r#"{"":1,"":2}"#, "/"),
        (r#"{"a/b~":1,"a\/b~":2}"#, "/a~1b~0"),
        (r#"{"\ud83d\ude00":1,"😀":2}"#, "/😀"),
        (r#"{"a\u0000":1,"a\u0000":2}"#, "/a\u{fffd}"),
    ] {
        assert_eq!(read(text), Err(Trouble::NameTwice(pointer.to_owned())), "{text}");
    }
}

#[test]
fn what_lies_too_deep_is_refused() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let limits = Limits { depth: 3, nodes: 100 };
    assert!(parse(nested(3).as_bytes(), limits).is_ok());
    let pointer = "/0/0/0".to_owned();
    assert_eq!(parse(nested(4).as_bytes(), limits), Err(Trouble::TooDeep { depth: 3, pointer }));
    let objects = r#"{"a":{"b":{"c":{"d":1}}}}"#;
    let pointer = "/a/b/c".to_owned();
    assert_eq!(parse(objects.as_bytes(), limits), Err(Trouble::TooDeep { depth: 3, pointer }));
    // More than the reader can do is not more than it does.
    let endless = Limits { depth: usize::MAX, nodes: usize::MAX };
    assert!(parse(nested(DEPTH_MAX).as_bytes(), endless).is_ok());
    for depth in [DEPTH_MAX + 1, 100_000] {
        let refused = parse(nested(depth).as_bytes(), endless);
        assert!(matches!(refused, Err(Trouble::TooDeep { depth: DEPTH_MAX, .. })), "{depth}");
    }
    // Nothing but openings is as deep as it is wide.
    assert!(matches!(read(&"[".repeat(100_000)), Err(Trouble::TooDeep { .. })));
}

#[test]
fn too_many_values_are_refused() {
    let limits = Limits { depth: 5, nodes: 4 };
    assert!(parse(b"[1,2,3]", limits).is_ok());
    assert_eq!(parse(b"[1,2,3,4]", limits), Err(Trouble::TooManyNodes(4)));
    assert_eq!(parse(br#"{"a":[1],"b":[2]}"#, limits), Err(Trouble::TooManyNodes(4)));
}

#[test]
fn what_is_no_json_is_refused() {
    for text in [
        "",
        " ",
        "{",
        "[1,]",
        "{\"a\":1,}",
        "{a:1}",
        "{'a':1}",
        "01",
        "+1",
        ".5",
        "1.",
        "NaN",
        "Infinity",
        "-Infinity",
        "1e999",
        "-1e999",
        "nul",
        "True",
        "// x\n1",
        "/* x */1",
        "\"\u{1}\"",
        "\"a\nb\"",
        r#""\x41""#,
        r#""\ud800""#,
        r#""\udc00\ud800""#,
        "\u{feff}1",
        "1 2",
        "{}{}",
        "{}x",
        "[] ]",
        "1\u{0}",
        "\u{a0}1",
    ] {
        assert!(matches!(read(text), Err(Trouble::NotJson { .. })), "{text:?}: {:?}", read(text));
    }
    assert_eq!(read("{\"a\":\n  nul}"), Err(Trouble::NotJson { line: 2, column: 6 }));
    for bytes in [&b"\"\xff\""[..], b"{\"\xc0\xaf\":1}", b"\"\xed\xa0\x80\"", b"\xff\xfe1\x00"] {
        assert!(matches!(parse(bytes, Limits::default()), Err(Trouble::NotUtf8(_))), "{bytes:?}");
    }
}

#[test]
fn a_refusal_does_not_repeat_values() {
    let text = r#"{"user":"hunter2","user":"hunter2"}"#;
    assert_eq!(read(text).unwrap_err().to_string(), "a name occurs twice: /user");
    assert!(!read("[\"hunter2\",").unwrap_err().to_string().contains("hunter2"));
}

#[test]
fn a_long_name_is_told_by_its_beginning() {
    let name = "x".repeat(10_000);
    let why = read(&format!("{{\"{name}\":1,\"{name}\":2}}")).unwrap_err();
    assert!(why.to_string().len() < 200, "{why}");
}

#[test]
fn large_integers_are_kept() {
    assert_eq!(read("18446744073709551615").unwrap(), json!(u64::MAX));
    assert_eq!(read("-9223372036854775808").unwrap(), json!(i64::MIN));
    assert_eq!(read("9007199254740993").unwrap(), json!(9_007_199_254_740_993_u64));
    // Beyond 64 bits as the nearest double.
    assert_eq!(read("18446744073709551616").unwrap(), json!(18_446_744_073_709_551_616.0));
    assert_eq!(read("1e308").unwrap(), json!(1e308));
}

proptest! {
    /// What is written without repeated names is read as the usual reader reads it.
    #[test]
    fn what_it_takes_it_reads_as_others_do(text in "[\\[\\]{}:,\"a-c0-9 \\\\u.e-]{0,40}") {
        if let Ok(value) = read(&text) {
            prop_assert_eq!(value, serde_json::from_str::<Value>(&text).unwrap());
        }
    }

    #[test]
    fn bytes_of_any_kind_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        drop(parse(&bytes, Limits { depth: 4, nodes: 9 }));
    }
}

use super::*;

#[test]
fn what_two_readers_could_read_differently_is_refused() {
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(DEPTH_MAX), "]".repeat(DEPTH_MAX));
    let cases: [&[u8]; 10] = [
        b"",
        b"null",
        b"[]",
        b"\"x\"",
        br#"{"a":1}{"a":2}"#,
        br#"{"a":1,"a":1}"#,
        br#"{"a":{"b":1,"b":2}}"#,
        // The same name, escaped in one place.
        br#"{"alg":"RS256","\u0061lg":"none"}"#,
        b"{\"a\":\"\xff\"}",
        deep.as_bytes(),
    ];
    for case in cases {
        assert!(object(case).is_err(), "{}", String::from_utf8_lossy(case));
    }
}

#[test]
fn values_keep_their_types() {
    let read = object(br#" {"t":"x","n":-3,"u":7,"f":1.0,"b":true,"z":null,"l":[{}]} "#).unwrap();
    let expected = serde_json::json!({
        "t": "x", "n": -3, "u": 7, "f": 1.0, "b": true, "z": null, "l": [{}]
    });
    assert_eq!(Value::Object(read), expected);
}

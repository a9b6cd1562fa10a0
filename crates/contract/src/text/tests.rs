use serde_json::json;

use super::*;

#[test]
fn what_cannot_be_decoded_is_nothing() {
    for text in ["%", "%4", "%zz", "%4g", "a%", "%ff", "%C3", "%ED%A0%80", "%+1"] {
        assert_eq!(decoded(text, true), None, "{text}");
    }
    assert_eq!(decoded("a+b%20c%C3%BC", true).as_deref(), Some("a b cü"));
    assert_eq!(decoded("a+b%2B", false).as_deref(), Some("a+b+"));
}

#[test]
fn numbers_are_those_of_json() {
    for text in
        ["", " 1", "1 ", "+1", "01", "1.", ".5", "0x10", "1_000", "NaN", "inf", "1e999", "--1"]
    {
        assert!(readings(Types::NUMBER, text).is_empty(), "{text}");
    }
    for text in ["1.0", "1e3", "1.5"] {
        assert!(readings(Types::INTEGER, text).is_empty(), "{text}");
    }
    assert_eq!(readings(Types::INTEGER, "-12"), [json!(-12)]);
    assert_eq!(readings(Types::NUMBER, "1.5e3"), [json!(1500.0)]);
    assert_eq!(readings(Types::FRACTION, "1.5"), [json!(1.5)]);
}

#[test]
fn a_text_is_read_by_the_narrowest_type_first() {
    let all = [json!(true), json!("true")];
    assert_eq!(readings(Types::ALL, "true"), all);
    assert_eq!(readings(Types::ALL, "1"), [json!(1), json!("1")]);
    assert_eq!(readings(Types::NULL.or(Types::STRING), ""), [json!(null), json!("")]);
    assert!(readings(Types::NULL, "x").is_empty());
    assert!(readings(Types::ARRAY.or(Types::OBJECT), "1").is_empty());
}

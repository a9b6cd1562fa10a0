use super::*;

#[test]
fn every_body_has_the_same_length_and_names_its_target() {
    let (one, other) = (body(b"/orders/1"), body(b"/orders/2"));
    assert_eq!((one.len(), other.len()), (BODY_LEN, BODY_LEN));
    assert_ne!(one[fingerprint_range()], other[fingerprint_range()]);
    let rest = fingerprint_range().end..;
    assert_eq!(one[rest.clone()], other[rest]);
    serde_json::from_slice::<serde_json::Value>(&one).unwrap();
}

#[test]
fn the_target_is_the_second_word() {
    assert_eq!(target(b"GET /a?b HTTP/1.1\r\nHost: x\r\n\r\n"), b"/a?b");
    assert_eq!(target(b""), b"");
}

use super::*;

#[test]
fn a_copy_beyond_its_bound_is_given_up_and_never_taken_for_whole() {
    let mut copied = Copied::new(4);
    copied.add(b"abc");
    copied.add(b"de");
    assert_eq!((copied.bytes.capacity(), copied.is_cut), (0, true));
    copied.add(b"f");
    assert_eq!(copied.whole(), None);
    let mut copied = Copied::new(4);
    copied.add(b"abcd");
    assert_eq!(copied.whole(), Some(b"abcd".to_vec()));
}

#[test]
fn a_record_keeps_so_many_violations_and_each_so_long() {
    let mut kept = Vec::new();
    keep(&mut kept, (0..30).map(|_| "ä".repeat(200)));
    assert_eq!(kept.len(), VIOLATIONS_MAX);
    assert!(kept.iter().all(|text| text.len() == VIOLATION_BYTES_MAX));
}

#[test]
fn media_types_that_are_said_in_two_ways_are_none_that_a_document_lists() {
    assert_eq!(content_type(&[]), None);
    assert_eq!(content_type(&[b"text/plain"]), Some("text/plain".to_owned()));
    assert_eq!(content_type(&[b"text/plain", b"text/plain"]), Some(String::new()));
    assert_eq!(content_type(&[b"\xff"]), Some(String::new()));
}

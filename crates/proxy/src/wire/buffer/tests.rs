use super::*;

/// A peer that takes what comes, but is always a byte behind.
fn bytes_kept(pieces: usize) -> usize {
    let mut out = Outgoing::default();
    for _ in 0..pieces {
        if !out.is_full() {
            out.bytes_mut().extend_from_slice(&[0; 8 * 1024]);
        }
        out.sent = out.bytes.len() - 1;
    }
    out.bytes.len()
}

#[test]
fn a_peer_that_is_always_behind_does_not_make_the_output_grow() {
    assert!(bytes_kept(10_000) <= 2 * GROWN_BYTES_MAX, "{}", bytes_kept(10_000));
}

#[test]
fn what_waits_is_kept_when_room_is_made() {
    let mut out = Outgoing::default();
    let bytes: Vec<u8> = (0..2 * GROWN_BYTES_MAX).map(|n| (n % 251) as u8).collect();
    out.bytes_mut().extend_from_slice(&bytes);
    out.sent = GROWN_BYTES_MAX;
    out.bytes_mut().push(7);
    assert_eq!(out.unsent(), GROWN_BYTES_MAX + 1);
    let waiting = &out.bytes[out.sent..];
    assert_eq!(
        (&waiting[..GROWN_BYTES_MAX], waiting.last()),
        (&bytes[GROWN_BYTES_MAX..], Some(&7))
    );
}

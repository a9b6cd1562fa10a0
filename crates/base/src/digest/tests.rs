use super::*;

#[test]
fn other_text_is_not_a_digest() {
    for bad in ["", "00", &"0".repeat(63), &"0".repeat(65), &"g".repeat(64)] {
        assert_eq!(Digest::from_hex(bad), None, "{bad}");
    }
}

#[test]
fn sha_256_of_abc_is_the_published_one() {
    // FIPS 180-4, example B.1.
    let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(Digest::of(&[b"a", b"bc"]).to_hex(), expected);
    assert_eq!(Digest::from_hex(expected), Some(Digest::of(&[b"abc"])));
}

#[test]
fn hmac_is_the_published_one() {
    // RFC 4231, test case 2.
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"Jefe");
    let tag = Digest::keyed(&key, b"what do ya want for nothing?");
    assert_eq!(tag.to_hex(), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

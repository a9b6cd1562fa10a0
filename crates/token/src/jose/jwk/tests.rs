use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};

use super::*;

/// A good EC key, as the JSON of its members.
fn key() -> Map<String, Value> {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let point = pair.public_key().as_ref();
    let encode = |bytes: &[u8]| Value::String(URL_SAFE_NO_PAD.encode(bytes));
    let mut key = Map::new();
    key.insert("kty".to_owned(), "EC".into());
    key.insert("crv".to_owned(), "P-256".into());
    key.insert("x".to_owned(), encode(&point[1..33]));
    key.insert("y".to_owned(), encode(&point[33..65]));
    key
}

fn parse(keys: &[Map<String, Value>]) -> Result<JwkSet, Problem> {
    JwkSet::parse(&serde_json::json!({ "keys": keys }).to_string())
}

fn with(changes: &[(&str, Value)]) -> Map<String, Value> {
    let mut key = key();
    for (name, value) in changes {
        key.insert((*name).to_owned(), value.clone());
    }
    key
}

#[test]
fn keys_that_must_not_verify_are_left_out_and_named() {
    let refused = [
        with(&[("use", "enc".into())]),
        with(&[("use", 1.into())]),
        with(&[("key_ops", serde_json::json!(["sign"]))]),
        with(&[("key_ops", "verify".into())]),
        with(&[("alg", "HS256".into())]),
        with(&[("alg", "none".into())]),
        with(&[("alg", "RS256".into())]),
        with(&[("alg", "ES384".into())]),
        with(&[("kid", 7.into())]),
        with(&[("kty", "RSA".into())]),
        with(&[("kty", "oct".into()), ("k", "c2VjcmV0".into())]),
        with(&[("crv", "P-384".into())]),
        with(&[("crv", "P-521".into())]),
        with(&[("crv", "secp256k1".into())]),
        with(&[("kty", "OKP".into()), ("crv", "X25519".into())]),
        with(&[("d", "c2VjcmV0".into())]),
        // Not on the curve.
        with(&[("x", URL_SAFE_NO_PAD.encode([1; 32]).into())]),
        with(&[("x", URL_SAFE_NO_PAD.encode([1; 31]).into())]),
        with(&[("x", "not base64!".into())]),
    ];
    for bad in refused {
        let set = parse(&[bad.clone(), key()]).unwrap();
        assert_eq!((set.len(), set.skipped().len()), (1, 1), "{bad:?}");
        assert!(set.skipped()[0].starts_with("key 0: "));
        assert_eq!(parse(&[bad]).unwrap_err().reason, "bad_key_set");
    }
}

#[test]
fn rsa_keys_that_are_weak_or_no_keys_are_left_out() {
    let rsa = |modulus: &[u8], exponent: &[u8]| {
        serde_json::json!({"keys": [{
            "kty": "RSA",
            "n": URL_SAFE_NO_PAD.encode(modulus),
            "e": URL_SAFE_NO_PAD.encode(exponent),
        }]})
        .to_string()
    };
    let strong = [0xC5; 256];
    let cases: [(&[u8], &[u8]); 8] = [
        (&strong[..128], &[1, 0, 1]),
        (&strong[..255], &[1, 0, 1]),
        (&[0x01; 256], &[1, 0, 1]),
        (&strong, &[1]),
        (&strong, &[2]),
        (&strong, &[]),
        (&strong, &[0, 1, 0, 1]),
        (&[&[0], &strong[..]].concat(), &[1, 0, 1]),
    ];
    for (modulus, exponent) in cases {
        assert!(JwkSet::parse(&rsa(modulus, exponent)).is_err(), "{exponent:?}");
    }
    assert!(JwkSet::parse(&rsa(&strong, &[1, 0, 1])).is_ok());
}

#[test]
fn texts_that_are_no_key_sets_are_refused() {
    let many = serde_json::json!({ "keys": vec![key(); KEYS_MAX + 1] }).to_string();
    let long = format!("{{\"keys\":[],\"x\":\"{}\"}}", "x".repeat(SET_BYTES_MAX));
    for text in ["", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[]}"#, &many, &long] {
        assert_eq!(JwkSet::parse(text).unwrap_err().reason, "bad_key_set");
    }
    assert!(JwkSet::parse(r#"{"keys":[],"keys":[]}"#).unwrap_err().detail.contains("twice"));
}

#[test]
fn two_keys_with_one_id_are_refused() {
    let named = || with(&[("kid", "k1".into())]);
    assert!(parse(&[named(), named()]).unwrap_err().detail.contains("k1"));
    assert_eq!(parse(&[named(), key(), key()]).unwrap().len(), 3);
}

#[test]
fn the_fingerprint_of_factorable_keys_is_recognised() {
    // 65537 squared: a power of 65537 modulo every prime, as the flawed keys are.
    assert!(roca::has_fingerprint(&[1, 0, 2, 0, 1]));
    assert!(!roca::has_fingerprint(&[1, 0, 2, 0, 3]));
    assert!(!roca::has_fingerprint(&[0xC5; 256]));
}

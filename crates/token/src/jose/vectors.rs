//! Published vectors of others, read where they lie: `PORTREEVE_VECTORS`, or `../shared/vectors`
//! beside the workspace. Nothing of them is part of this project. Where the folder is absent the
//! tests say that they did not run.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{Algorithm, Compact, JwkSet, verify_signature};

#[expect(clippy::disallowed_methods, reason = "a test finds data that is not in the project")]
fn folder() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors");
    let folder = std::env::var("PORTREEVE_VECTORS").map_or(beside, PathBuf::from);
    if !folder.is_dir() {
        println!("DID NOT RUN: no test vectors at {}", folder.display());
        return None;
    }
    Some(folder)
}

fn read(folder: &Path, file: &str) -> Value {
    let path = folder.join(file);
    let text = std::fs::read_to_string(&path);
    serde_json::from_str(&text.unwrap_or_else(|why| panic!("{}: {why}", path.display()))).unwrap()
}

/// The signature is accepted with these keys by an issuer that allows every algorithm on offer.
fn accepts(token: &str, keys: &Value) -> bool {
    let Ok(keys) = JwkSet::parse(&keys.to_string()) else { return false };
    Compact::parse(token)
        .is_some_and(|token| verify_signature(&token, &keys, Algorithm::ALL).is_some())
}

fn is_on_offer(key: &Value) -> bool {
    key["alg"].as_str().is_none_or(|word| word.parse::<Algorithm>().is_ok())
        && key["kty"] != "oct"
        && key["crv"] != "P-521"
}

/// Each group's key, whether the vectors give it as the public or the only one.
fn key_of(group: &Value) -> &Value {
    if group["public"].is_object() { &group["public"] } else { &group["private"] }
}

/// Figure 20 of RFC 7520 uses PS384; the vectors give its key with `"alg": "PS256"`. Elsewhere
/// they require that a key is not used beyond its `alg` (tcId 340), so these two are refused.
const KEY_SAYS_OTHERWISE: [u64; 2] = [346, 350];

#[test]
fn wycheproof_signatures() {
    let Some(folder) = folder() else { return };
    let suite = read(&folder, "wycheproof/json_web_signature_test.json");
    let mut seen = BTreeSet::new();
    let mut accepted = 0;
    for group in suite["testGroups"].as_array().unwrap() {
        let key = key_of(group);
        for test in group["tests"].as_array().unwrap() {
            let id = test["tcId"].as_u64().unwrap();
            // Vectors in the JSON serialisation are objects or text; neither is a compact token.
            let token = test["jws"].as_str().map_or_else(|| test["jws"].to_string(), str::to_owned);
            let expected =
                test["result"] == "valid" && is_on_offer(key) && !KEY_SAYS_OTHERWISE.contains(&id);
            let outcome = accepts(&token, &json!({ "keys": [key] }));
            assert_eq!(outcome, expected, "tcId {id}: {}", test["comment"]);
            seen.insert(id);
            accepted += u32::from(outcome);
        }
    }
    assert!(seen.contains(&367) && seen.contains(&370));
    assert_eq!((seen.len(), accepted), (401, 32));
}

#[test]
fn wycheproof_keys() {
    let Some(folder) = folder() else { return };
    let suite = read(&folder, "wycheproof/json_web_key_test.json");
    let mut seen = 0;
    for group in suite["testGroups"].as_array().unwrap() {
        let keys = key_of(group);
        let offered = keys["keys"].as_array().is_some_and(|keys| keys.iter().all(is_on_offer));
        for test in group["tests"].as_array().unwrap() {
            let outcome = accepts(test["jws"].as_str().unwrap_or_default(), keys);
            let expected = test["result"] == "valid" && offered;
            assert_eq!(outcome, expected, "tcId {}: {}", test["tcId"], test["comment"]);
            seen += 1;
        }
    }
    assert_eq!(seen, 26);
}

#[test]
fn rfc_7520_examples() {
    let Some(folder) = folder() else { return };
    let examples = [
        ("4_1.rsa_v15_signature", true),
        ("4_2.rsa-pss_signature", true),
        // P-521 is not on offer.
        ("4_3.ecdsa_signature", false),
        // Neither are symmetric algorithms.
        ("4_4.hmac-sha2_integrity_protection", false),
    ];
    for (name, expected) in examples {
        let example = read(&folder, &format!("rfc7520/jws/{name}.json"));
        let mut key = example["input"]["key"].clone();
        for secret in ["d", "p", "q", "dp", "dq", "qi"] {
            key.as_object_mut().unwrap().remove(secret);
        }
        let token = example["output"]["compact"].as_str().unwrap();
        assert_eq!(accepts(token, &json!({ "keys": [key] })), expected, "{name}");
    }
    // A detached payload and the JSON serialisations are no compact tokens.
    for name in ["4_6.protecting_specific_header_fields", "4_8.multiple_signatures"] {
        let example = read(&folder, &format!("rfc7520/jws/{name}.json"));
        assert!(Compact::parse(&example["output"].to_string()).is_none(), "{name}");
    }
}

#[test]
fn rfc_7520_keys() {
    let Some(folder) = folder() else { return };
    let usable = |name: &str| {
        let key = read(&folder, &format!("rfc7520/jwk/{name}.json"));
        JwkSet::parse(&json!({ "keys": [key] }).to_string()).is_ok()
    };
    assert!(usable("3_3.rsa_public_key"));
    for refused in [
        "3_1.ec_public_key",
        "3_2.ec_private_key",
        "3_4.rsa_private_key",
        "3_5.symmetric_key_mac_computation",
        "3_6.symmetric_key_encryption",
    ] {
        assert!(!usable(refused), "{refused}");
    }
}

//! Key sets (RFC 7517), of which only public signature keys of the offered kinds are kept.

use base::{Digest, Problem};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::Algorithm;
use super::Compact;
use super::algorithm::KeyType;
use super::json;
use super::roca;
use super::signature::PublicKey;

/// The longest key set that is read, in bytes.
const SET_BYTES_MAX: usize = 256 * 1024;
/// The most keys that a set may have.
const KEYS_MAX: usize = 64;
/// RSA moduli, in bits.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// The public keys of an issuer.
#[derive(Debug, Clone, Default)]
pub struct JwkSet {
    keys: Vec<Jwk>,
    skipped: Vec<String>,
}

/// One usable key.
#[derive(Debug, Clone)]
pub(super) struct Jwk {
    pub(super) id: Option<String>,
    /// The only algorithm it may be used with, if it says one.
    algorithm: Option<Algorithm>,
    pub(super) public: PublicKey,
}

impl Jwk {
    /// The key may verify signatures of `algorithm`.
    pub(super) fn serves(&self, algorithm: Algorithm) -> bool {
        self.public.key_type() == algorithm.key_type()
            && self.algorithm.is_none_or(|only| only == algorithm)
    }
}

impl JwkSet {
    /// A set without keys: its issuer's tokens are all refused.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Reads a key set. Keys that must not verify signatures here are left out and listed in
    /// [`JwkSet::skipped`]; a set of which nothing remains is an error, so that an issuer never
    /// loses its last key to a broken download.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let bad = |detail: String| {
            Problem::invalid("bad_key_set", detail)
                .hint("give the issuer's JSON Web Key Set: an object with a `keys` array")
        };
        if text.len() > SET_BYTES_MAX {
            return Err(bad(format!("a key set has at most {SET_BYTES_MAX} bytes")));
        }
        let set = json::object(text.as_bytes())
            .map_err(|why| bad(format!("the key set is not acceptable JSON: {why}")))?;
        let keys = set.get("keys").and_then(Value::as_array);
        let keys = keys.ok_or_else(|| bad("the key set has no array `keys`".to_owned()))?;
        if keys.len() > KEYS_MAX {
            return Err(bad(format!("a key set has at most {KEYS_MAX} keys, not {}", keys.len())));
        }
        let mut out = Self::default();
        for (index, key) in keys.iter().enumerate() {
            match read(key) {
                Ok(key) if out.has_id(key.id.as_deref()) => {
                    let id = key.id.unwrap_or_default();
                    return Err(bad(format!("two keys have the `kid` `{id}`")));
                }
                Ok(key) => out.keys.push(key),
                Err(why) => out.skipped.push(format!("key {index}: {why}")),
            }
        }
        if out.keys.is_empty() {
            let why = out.skipped.join("; ");
            return Err(bad(format!("the key set has no key to verify signatures with: {why}")));
        }
        Ok(out)
    }

    /// How many keys can verify signatures.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// No key can verify anything.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Which keys were left out, and why.
    pub fn skipped(&self) -> &[String] {
        &self.skipped
    }

    /// The token names a key that is not in the set. Says nothing about who made the token.
    pub(crate) fn lacks_key_of(&self, token: &Compact<'_>) -> bool {
        token.key_id().is_some_and(|id| !self.has_id(Some(id)))
    }

    fn has_id(&self, id: Option<&str>) -> bool {
        id.is_some() && self.keys.iter().any(|known| known.id.as_deref() == id)
    }

    pub(super) fn keys(&self) -> &[Jwk] {
        &self.keys
    }
}

/// A key that came with what it signs. Such a key proves nothing by itself: its thumbprint (RFC 7638)
/// says whether it is the one that somebody else vouched for.
pub(crate) struct OwnKey(Jwk);

impl OwnKey {
    /// `None` unless it is a public signature key of an offered kind.
    pub(crate) fn read(value: &Value) -> Option<Self> {
        read(value).ok().map(Self)
    }

    /// SHA-256 of the required members of a key of an offered kind (RFC 7638 §3), which was not read
    /// yet: they need no escapes in one that can be.
    pub(crate) fn thumbprint(value: &Value) -> Option<Digest> {
        let key = value.as_object()?;
        let kind = match (text(key, "kty").ok()?, optional_text(key, "crv").ok()?) {
            ("RSA", _) => KeyType::Rsa,
            ("EC", Some("P-256")) => KeyType::P256,
            ("EC", Some("P-384")) => KeyType::P384,
            ("OKP", Some("Ed25519")) => KeyType::Ed25519,
            _ => return None,
        };
        thumbprint(key, kind)
    }

    /// Whether it made the signature.
    pub(crate) fn signed(&self, token: &Compact<'_>) -> bool {
        let algorithm = token.algorithm();
        self.0.serves(algorithm)
            && self.0.public.verify(algorithm, token.signed(), token.signature()).is_some()
    }
}

/// The required members of its kind by name in order, without spaces (RFC 7638 §3.2, §3.3; RFC
/// 8037 §2).
fn thumbprint(key: &Map<String, Value>, kind: KeyType) -> Option<Digest> {
    let names: &[&str] = match kind {
        KeyType::Rsa => &["e", "kty", "n"],
        KeyType::P256 | KeyType::P384 => &["crv", "kty", "x", "y"],
        KeyType::Ed25519 => &["crv", "kty", "x"],
    };
    let members: Option<Vec<String>> = names
        .iter()
        .map(|name| Some(format!("\"{name}\":\"{}\"", text(key, name).ok()?)))
        .collect();
    let canonical = format!("{{{}}}", members?.join(","));
    Some(Digest::of(&[canonical.as_bytes()]))
}

fn read(value: &Value) -> Result<Jwk, String> {
    let key = value.as_object().ok_or("not an object")?;
    if ["d", "k", "p", "q", "dp", "dq", "qi", "oth"].iter().any(|part| key.contains_key(*part)) {
        return Err("has secret parts: whoever reads the set could sign".to_owned());
    }
    check_use(key)?;
    let id = optional_text(key, "kid")?.map(str::to_owned);
    let algorithm = match optional_text(key, "alg")? {
        Some(word) => {
            Some(word.parse().map_err(|_| format!("algorithm `{word}` is not on offer"))?)
        }
        None => None,
    };
    let public = match (text(key, "kty")?, optional_text(key, "crv")?) {
        ("RSA", _) => rsa(key)?,
        ("EC", Some("P-256")) => point(key, KeyType::P256, 32)?,
        ("EC", Some("P-384")) => point(key, KeyType::P384, 48)?,
        ("OKP", Some("Ed25519")) => PublicKey::new(KeyType::Ed25519, fixed(key, "x", 32)?),
        (kind, curve) => {
            return Err(format!("kind `{kind}` {} is not on offer", curve.unwrap_or_default()));
        }
    };
    let public = public.ok_or("not a valid public key")?;
    if algorithm.is_some_and(|only: Algorithm| only.key_type() != public.key_type()) {
        return Err("its `alg` does not fit its `kty` and `crv`".to_owned());
    }
    Ok(Jwk { id, algorithm, public })
}

/// `use` and `key_ops` (RFC 7517 §4.2, §4.3) must allow verification where they are given.
fn check_use(key: &Map<String, Value>) -> Result<(), String> {
    if optional_text(key, "use")?.is_some_and(|used| used != "sig") {
        return Err("its `use` is not `sig`".to_owned());
    }
    match key.get("key_ops") {
        None => Ok(()),
        Some(Value::Array(ops)) if ops.iter().any(|op| op == "verify") => Ok(()),
        Some(_) => Err("its `key_ops` do not include `verify`".to_owned()),
    }
}

fn rsa(key: &Map<String, Value>) -> Result<Option<PublicKey>, String> {
    let modulus = bytes(key, "n")?;
    let exponent = bytes(key, "e")?;
    let bits = modulus.first().map_or(0, |first| {
        (modulus.len() * 8).saturating_sub(usize::try_from(first.leading_zeros()).unwrap_or(8))
    });
    if modulus.first() == Some(&0) || !RSA_BITS.contains(&bits) {
        return Err(format!("an RSA modulus of {bits} bits; 2048 to 8192 are accepted"));
    }
    // An even exponent, or 1, makes no RSA key; with 1 everybody could sign.
    let is_odd = exponent.last().is_some_and(|last| last % 2 == 1);
    if exponent.first() == Some(&0) || exponent.len() > 4 || !is_odd || exponent == [1] {
        return Err("not an acceptable RSA exponent".to_owned());
    }
    if roca::has_fingerprint(&modulus) {
        return Err("an RSA key whose factors can be found (CVE-2017-15361)".to_owned());
    }
    Ok(PublicKey::rsa(&modulus, &exponent))
}

fn point(
    key: &Map<String, Value>,
    kind: KeyType,
    size: usize,
) -> Result<Option<PublicKey>, String> {
    let uncompressed = [vec![4], fixed(key, "x", size)?, fixed(key, "y", size)?].concat();
    Ok(PublicKey::new(kind, uncompressed))
}

fn fixed(key: &Map<String, Value>, name: &str, size: usize) -> Result<Vec<u8>, String> {
    let bytes = bytes(key, name)?;
    if bytes.len() != size {
        return Err(format!("`{name}` has {} bytes, not {size}", bytes.len()));
    }
    Ok(bytes)
}

fn bytes(key: &Map<String, Value>, name: &str) -> Result<Vec<u8>, String> {
    URL_SAFE_NO_PAD.decode(text(key, name)?).map_err(|_| format!("`{name}` is not base64url"))
}

fn text<'k>(key: &'k Map<String, Value>, name: &str) -> Result<&'k str, String> {
    optional_text(key, name)?.ok_or_else(|| format!("`{name}` is missing"))
}

fn optional_text<'k>(key: &'k Map<String, Value>, name: &str) -> Result<Option<&'k str>, String> {
    match key.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("`{name}` is not text")),
    }
}

#[cfg(test)]
mod tests;

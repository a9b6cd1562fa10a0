//! The compact serialisation (RFC 7515 §3.1), read so that one token has one spelling.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::Algorithm;
use super::json;

/// The longest token that is looked at, in bytes.
const TOKEN_BYTES_MAX: usize = 16 * 1024;

/// A token whose form is right and of which nothing is proved.
pub(crate) struct Compact<'t> {
    algorithm: Algorithm,
    header: Map<String, Value>,
    signed: &'t [u8],
    payload: Vec<u8>,
    signature: Vec<u8>,
}

impl<'t> Compact<'t> {
    /// `None` unless the text is three segments of canonical base64url (RFC 4648 §5: no padding,
    /// no other characters, unused bits zero) with a header that this crate understands whole.
    pub(crate) fn parse(text: &'t str) -> Option<Self> {
        if text.len() > TOKEN_BYTES_MAX {
            return None;
        }
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        // An empty payload is a legal signature over nothing; no claims are in it, so it is never
        // a JWT, but that is not for this function to say. A dot inside `payload` is not base64.
        if header.is_empty() || signature.is_empty() {
            return None;
        }
        let header = json::object(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
        Some(Self {
            algorithm: algorithm(&header)?,
            header,
            signed: signed.as_bytes(),
            payload: URL_SAFE_NO_PAD.decode(payload).ok()?,
            signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
        })
    }

    /// The algorithm that the header names; it must be one that the issuer's list allows.
    pub(super) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Which of the issuer's keys the header hints at.
    pub(super) fn key_id(&self) -> Option<&str> {
        self.text("kid")
    }

    /// What the header says it is (`typ`); media types are compared without regard to case
    /// (RFC 7515 §4.1.9).
    pub(crate) fn is_type(&self, wanted: &str) -> bool {
        self.text("typ").is_some_and(|typ| typ.eq_ignore_ascii_case(wanted))
    }

    /// The key that the header brings along. To be believed of nobody but whoever is asked to prove
    /// that they hold it.
    pub(crate) fn own_key(&self) -> Option<&Value> {
        self.header.get("jwk")
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.header.get(name).and_then(Value::as_str)
    }

    /// The bytes under the signature.
    pub(super) fn signed(&self) -> &[u8] {
        self.signed
    }

    /// The signature.
    pub(super) fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// The payload as a JSON object, not yet to be believed.
    pub(crate) fn payload_object(&self) -> Option<Map<String, Value>> {
        json::object(&self.payload).ok()
    }
}

/// Checks the header. Members that bring keys along (`jwk`, `jku`, `x5c`, `x5u`) are not looked at
/// for a token: keys come from the configured issuer. `crit` (RFC 7515 §4.1.11) and `b64` (RFC 7797)
/// change what the signature means; no extension is understood here, so either refuses.
fn algorithm(header: &Map<String, Value>) -> Option<Algorithm> {
    if header.contains_key("crit") || header.contains_key("b64") {
        return None;
    }
    text_member(header, "typ")?;
    text_member(header, "cty")?;
    text_member(header, "kid")?;
    header.get("alg")?.as_str()?.parse().ok()
}

/// A member that may be absent but must not have another type.
fn text_member<'h>(header: &'h Map<String, Value>, name: &str) -> Option<Option<&'h str>> {
    header.get(name).map_or(Some(None), |value| value.as_str().map(Some))
}

#[cfg(test)]
mod tests;

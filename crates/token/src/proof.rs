//! Proofs of possession (DPoP, RFC 9449): whoever sends a request holds the private key that its
//! token is bound to.

use base::{Digest, Span, Timestamp, words};
use serde_json::{Map, Value};
use traffic::{Authority, Scheme, Target};

use crate::confirmation;
use crate::jose::{Compact, OwnKey};

/// The type that a proof says it has (RFC 9449 §4.2).
const TYPE: &str = "dpop+jwt";
/// How far a sender's clock may be ahead.
const AHEAD: Span = Span::from_secs(30);
/// The longest `jti`, in bytes. A UUID has 36.
const ID_BYTES_MAX: usize = 256;

/// How long proofs are good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProofRule {
    /// How old a proof may be.
    pub lifetime: Span,
}

impl ProofRule {
    /// For how long a proof that was used has to be remembered: as long as it could be used again.
    pub fn remembered(&self) -> Span {
        Span::from_micros(self.lifetime.as_micros() + AHEAD.as_micros())
    }
}

/// The request that a proof must be for.
#[derive(Debug, Clone, Copy)]
pub struct ProofFor<'p> {
    /// Its method.
    pub method: &'p str,
    /// What callers may have called it by: behind a proxy that ends TLS also `https`.
    pub schemes: &'p [Scheme],
    /// Its host, and port if one was given.
    pub authority: &'p Authority,
    /// Its path, in the canonical form.
    pub path: &'p str,
    /// The token that came along.
    pub token: &'p str,
    /// The thumbprint of the key that the token is bound to.
    pub key: Digest,
}

/// A proof that is good, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof {
    /// The thumbprint of the key (RFC 7638).
    pub key: Digest,
    /// Tells it from every other proof of the key: whoever accepts it has to remember it for
    /// [`ProofRule::remembered`], and to refuse it then.
    pub id: Digest,
    /// When its sender says that it was made.
    pub issued_at: Timestamp,
}

words! {
    /// Why a proof is not accepted (RFC 9449 §4.3).
    ProofFault {
        /// It is no JWT, of another type, or signed in a way that is not offered.
        Malformed = "malformed",
        /// A claim is missing or has the wrong type.
        Incomplete = "incomplete",
        /// It is by another key than the token is bound to.
        OtherKey = "other_key",
        /// It is for another method.
        OtherMethod = "other_method",
        /// It is for another URL.
        OtherUrl = "other_url",
        /// It is for another token.
        OtherToken = "other_token",
        /// It is too old, or from the future.
        NotFresh = "not_fresh",
        /// The key did not sign it.
        BadSignature = "bad_signature",
    }
}

impl ProofFault {
    /// For whoever sent it.
    pub const fn told(self) -> &'static str {
        match self {
            Self::Malformed => {
                "the proof is no signed JWT of type `dpop+jwt` with its key in `jwk`"
            }
            Self::Incomplete => "the proof needs `jti`, `htm`, `htu`, `iat` and `ath`",
            Self::OtherKey => "the proof is by another key than the token is bound to",
            Self::OtherMethod => "`htm` of the proof is not the method of this request",
            Self::OtherUrl => "`htu` of the proof is not the URL of this request",
            Self::OtherToken => "`ath` of the proof is not the hash of this token",
            Self::NotFresh => "`iat` of the proof is too old, or in the future",
            Self::BadSignature => "the signature of the proof is not by its key",
        }
    }
}

/// Verifies a proof for a request. All that is cheap comes before the signature, so that only whoever
/// holds the bound token can make it be verified.
pub fn verify_proof(
    text: &str,
    asked: &ProofFor<'_>,
    rule: ProofRule,
    now: Timestamp,
) -> Result<Proof, ProofFault> {
    let token = Compact::parse(text).filter(|token| token.is_type(TYPE));
    let token = token.ok_or(ProofFault::Malformed)?;
    // To read a key can cost as much as to verify by it: first, whether it is the one.
    let key = token.own_key().ok_or(ProofFault::Malformed)?;
    if OwnKey::thumbprint(key).ok_or(ProofFault::Malformed)? != asked.key {
        return Err(ProofFault::OtherKey);
    }
    let payload = token.payload_object().ok_or(ProofFault::Malformed)?;
    let (id, issued_at) = check(&payload, asked, rule, now)?;
    let key = OwnKey::read(key).ok_or(ProofFault::Malformed)?;
    if !key.signed(&token) {
        return Err(ProofFault::BadSignature);
    }
    let key = asked.key;
    Ok(Proof { key, id: Digest::of(&[&key.0, id.as_bytes()]), issued_at })
}

/// Holds the claims against the request, and gives `jti` and `iat`.
fn check<'c>(
    claims: &'c Map<String, Value>,
    asked: &ProofFor<'_>,
    rule: ProofRule,
    now: Timestamp,
) -> Result<(&'c str, Timestamp), ProofFault> {
    let text = |name: &str| claims.get(name)?.as_str().filter(|text| !text.is_empty());
    let need = |name: &str| text(name).ok_or(ProofFault::Incomplete);
    let (id, method, url) = (need("jti")?, need("htm")?, need("htu")?);
    let hash = confirmation::digest(need("ath")?).ok_or(ProofFault::OtherToken)?;
    let issued = claims.get("iat").and_then(Value::as_i64).ok_or(ProofFault::Incomplete)?;
    if id.len() > ID_BYTES_MAX {
        return Err(ProofFault::Incomplete);
    }
    if method != asked.method {
        return Err(ProofFault::OtherMethod);
    }
    if !is_for(url, asked) {
        return Err(ProofFault::OtherUrl);
    }
    if hash != Digest::of(&[asked.token.as_bytes()]) {
        return Err(ProofFault::OtherToken);
    }
    let issued = issued.checked_mul(1_000_000).ok_or(ProofFault::NotFresh)?;
    let age = now.as_micros().checked_sub(issued);
    let fresh = -AHEAD.as_micros()..=rule.lifetime.as_micros();
    match age {
        Some(age) if fresh.contains(&age) => Ok((id, Timestamp::from_micros(issued))),
        _ => Err(ProofFault::NotFresh),
    }
}

/// Query and fragment do not count, and spellings of one URL are one (RFC 9449 §4.3, RFC 3986 §6.2).
fn is_for(url: &str, asked: &ProofFor<'_>) -> bool {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    let Some((scheme, rest)) = url.get(..end).and_then(|url| url.split_once("://")) else {
        return false;
    };
    let same = |known: &&Scheme| scheme.eq_ignore_ascii_case(known.as_str());
    let Some(scheme) = asked.schemes.iter().find(same) else { return false };
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let path = if path.is_empty() { "/" } else { path };
    let (Ok(authority), Ok(target)) =
        (Authority::parse(host.as_bytes()), Target::parse(path.as_bytes()))
    else {
        return false;
    };
    authority.agrees_with(asked.authority, *scheme) && target.path() == asked.path
}

#[cfg(test)]
mod tests;

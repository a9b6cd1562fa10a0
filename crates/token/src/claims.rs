//! Tokens of trusted issuers: signature first, then types and values of the claims (RFC 7519,
//! RFC 8725). Every claim that is used is type-checked; a wrong type refuses and never counts as
//! absent.

mod values;

use std::sync::Arc;

use base::{Digest, Span, Timestamp};
use serde_json::{Map, Value};
use traffic::Reason;

use crate::ClaimValues;
use crate::confirmation::Confirmation;
use crate::issuer::{Issuer, ScopeRule};
use crate::jose::{Compact, verify_signature};

/// The claims of one token whose signature was verified. May be cached under the SHA-256 of the
/// token; whoever caches it asks [`Claims::is_trusted_by`] after the issuers changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    issuer_name: Arc<str>,
    generation: u64,
    leeway: Span,
    scope_rule: ScopeRule,
    lookup: Digest,
    subject: Arc<str>,
    expires_at: Timestamp,
    not_before: Option<Timestamp>,
    scopes: Arc<[String]>,
    confirmation: Confirmation,
    values: Arc<ClaimValues>,
}

/// Verifies a token: form, issuer, signature, claims, times. Costs a signature verification, so
/// callers budget it per source and cache the result.
///
/// The token chooses nothing but which of the *configured* issuers is tried (by `iss`); key and
/// algorithm come from that issuer alone.
pub fn verify_jwt(text: &str, issuers: &[Issuer], now: Timestamp) -> Result<Claims, Reason> {
    let token = Compact::parse(text).ok_or(Reason::InvalidCredential)?;
    let payload = token.payload_object().ok_or(Reason::InvalidCredential)?;
    let name = payload.get("iss").and_then(Value::as_str).ok_or(Reason::InvalidCredential)?;
    let issuer =
        issuers.iter().find(|known| known.issuer() == name).ok_or(Reason::InvalidCredential)?;
    verify_signature(&token, issuer.keys(), &issuer.settings().algorithms)
        .ok_or(Reason::InvalidCredential)?;
    let claims = Claims::read(&payload, issuer).ok_or(Reason::InvalidCredential)?;
    claims.check_times(now)?;
    Ok(claims)
}

/// Claims as conditions read them, of an object that has the form of a token's payload and that
/// nobody verified: for questions, which open nothing.
pub fn claim_values(payload: &Map<String, Value>) -> ClaimValues {
    values::of(payload)
}

/// The issuer of which a refused token names a key that its set does not have: perhaps the issuer
/// has a new one. The token proves nothing, so whoever reads a key set again for it must do that
/// seldom.
pub fn issuer_without_key<'i>(text: &str, issuers: &'i [Issuer]) -> Option<&'i Issuer> {
    let token = Compact::parse(text)?;
    let payload = token.payload_object()?;
    let name = payload.get("iss").and_then(Value::as_str)?;
    let issuer = issuers.iter().find(|known| known.issuer() == name)?;
    issuer.keys().lacks_key_of(&token).then_some(issuer)
}

impl Claims {
    /// Reads the claims of a payload whose signature is good. `None`: a claim is missing, has the
    /// wrong type, or is for somebody else.
    fn read(payload: &Map<String, Value>, issuer: &Issuer) -> Option<Self> {
        let settings = issuer.settings();
        let audiences = text_or_texts(payload.get("aud")?)?;
        if !audiences.iter().any(|aud| settings.audiences.contains(aud)) {
            return None;
        }
        let subject = payload.get("sub")?.as_str().filter(|sub| !sub.is_empty())?;
        let expires_at = moment(payload.get("exp")?)?;
        let not_before = optional(payload, "nbf", moment)?;
        // `iat` decides nothing, yet a token that lies about its types is not one to trust.
        optional(payload, "iat", moment)?;
        optional(payload, "jti", |value| value.as_str())?;
        Some(Self {
            issuer_name: Arc::from(issuer.name()),
            generation: issuer.generation(),
            leeway: settings.leeway,
            scope_rule: settings.scopes,
            lookup: Digest::of(&[settings.issuer.as_bytes(), &[0], subject.as_bytes()]),
            subject: Arc::from(subject),
            expires_at,
            not_before,
            scopes: scopes(payload)?.into(),
            confirmation: Confirmation::read(payload)?,
            values: Arc::new(values::of(payload)),
        })
    }

    /// Refuses a token that has ended or not begun, each with the issuer's leeway.
    pub(crate) fn check_times(&self, now: Timestamp) -> Result<(), Reason> {
        if self.expires_at() <= now {
            return Err(Reason::CredentialExpired);
        }
        if self.not_before.is_some_and(|begin| begin - self.leeway > now) {
            return Err(Reason::InvalidCredential);
        }
        Ok(())
    }

    /// The name of the issuer that vouches.
    pub fn issuer_name(&self) -> &str {
        &self.issuer_name
    }

    /// The generation of the key set that verified the signature.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The keys that verified this token are still the keys of its issuer.
    pub fn is_trusted_by(&self, issuers: &[Issuer]) -> bool {
        issuers.iter().any(|issuer| {
            issuer.name() == self.issuer_name() && issuer.generation() == self.generation
        })
    }

    /// The issuer's name for who calls.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// What the subject's credential is found by: SHA-256 of `iss NUL sub`.
    pub fn lookup(&self) -> Digest {
        self.lookup
    }

    /// When the token ends, leeway included.
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at + self.leeway
    }

    /// Its scopes: `scope` (RFC 8693 §4.2) or `scp`.
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// What it is bound to; who sends it has to prove that too.
    pub fn confirmation(&self) -> &Confirmation {
        &self.confirmation
    }

    pub(crate) fn scopes_shared(&self) -> &Arc<[String]> {
        &self.scopes
    }

    pub(crate) fn values(&self) -> &Arc<ClaimValues> {
        &self.values
    }

    pub(crate) fn scope_rule(&self) -> ScopeRule {
        self.scope_rule
    }
}

/// A claim that may be absent; `None` when it is there with the wrong type (`null` included).
fn optional<'v, T>(
    payload: &'v Map<String, Value>,
    name: &str,
    read: impl Fn(&'v Value) -> Option<T>,
) -> Option<Option<T>> {
    payload.get(name).map_or(Some(None), |value| read(value).map(Some))
}

/// A NumericDate (RFC 7519 §2) in whole seconds. Fractions are legal there but come from nobody's
/// issuer by intent; text never is.
fn moment(value: &Value) -> Option<Timestamp> {
    // The year 9999: far later than any token, and far from overflowing microseconds.
    const SECONDS_MAX: i64 = 253_402_300_799;
    value.as_i64().filter(|seconds| (0..=SECONDS_MAX).contains(seconds)).map(Timestamp::from_secs)
}

fn text_or_texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(items) => items.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
        _ => None,
    }
}

/// `scope` is one text with spaces, `scp` an array or such a text. Both at once must agree, or
/// the wider could be chosen by whoever reads first.
fn scopes(payload: &Map<String, Value>) -> Option<Vec<String>> {
    let words = |text: &str| text.split_ascii_whitespace().map(str::to_owned).collect();
    let scope: Option<Vec<String>> = optional(payload, "scope", |value| value.as_str().map(words))?;
    let scp = optional(payload, "scp", |value| match value {
        Value::String(text) => Some(words(text)),
        other => text_or_texts(other),
    })?;
    match (scope, scp) {
        (Some(scope), Some(scp)) => (scope == scp).then_some(scope),
        (one, other) => Some(one.or(other).unwrap_or_default()),
    }
}

#[cfg(test)]
pub(crate) mod tests;

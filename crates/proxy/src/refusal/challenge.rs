//! `WWW-Authenticate` (RFC 9110 §11.6.1): by which schemes the caller can prove itself, and what was
//! wrong with what it presented.

use token::Algorithm;
use traffic::Reason;

use super::About;

/// The challenge of a refusal. Without an error code when nothing was presented (RFC 6750 §3.1).
pub(super) fn of(reason: Reason, about: Option<&About>) -> Option<String> {
    let realm = realm(about);
    let bearer = |error: &str| Some(format!("Bearer realm=\"{realm}\"{error}"));
    match reason {
        Reason::NoCredential | Reason::CredentialNotAccepted => bearer(""),
        Reason::InvalidProof => Some(proof(&realm)),
        Reason::InsufficientScope => bearer(", error=\"insufficient_scope\""),
        reason if reason.status() == 401 => bearer(", error=\"invalid_token\""),
        _ => None,
    }
}

/// RFC 9449 §7.1.
fn proof(realm: &str) -> String {
    let algorithms: Vec<&str> = Algorithm::ALL.iter().map(|known| known.as_str()).collect();
    let algorithms = algorithms.join(" ");
    format!("DPoP realm=\"{realm}\", error=\"invalid_dpop_proof\", algs=\"{algorithms}\"")
}

/// Names of APIs are free text; a quoted string is not.
fn realm(about: Option<&About>) -> String {
    let name = about.map_or("portreeve", |about| about.name.as_str());
    name.chars().filter(|c| c.is_ascii_graphic() && !matches!(c, '"' | '\\')).collect()
}

//! The words of refusals.

use traffic::{Limit, Reason};

use super::About;

/// Where the documentation of problems lives (RFC 9457 §3.1.1).
const PROBLEMS: &str = "https://portreeve.dev/problems/";

/// The problem type.
pub(super) fn kind(reason: Reason) -> String {
    format!("{PROBLEMS}{}", reason.as_str().replace('_', "-"))
}

/// The same for every occurrence of a problem type.
pub(super) fn title(reason: Reason) -> &'static str {
    match reason {
        Reason::MalformedRequest => "Malformed request",
        Reason::NonCanonicalTarget => "Target has more than one reading",
        Reason::AuthorityMismatch => "Host does not match",
        Reason::ForbiddenHeader => "Header not allowed",
        Reason::TooLarge => "Too large",
        Reason::RequestTimeout => "Request took too long",
        Reason::UnknownApi => "No such API",
        Reason::UnknownOperation => "No such operation",
        Reason::NoCredential => "No credential",
        Reason::InvalidCredential => "Credential not valid",
        Reason::InvalidProof => "Proof of possession not valid",
        Reason::CertificateMismatch => "Other client certificate",
        Reason::CredentialExpired => "Credential expired",
        Reason::CredentialRevoked => "Credential revoked",
        Reason::CredentialNotAccepted => "Kind of credential not accepted",
        Reason::IdentityInactive => "Identity not active",
        Reason::NoGrant => "No grant",
        Reason::TermsNotMet => "Terms not met",
        Reason::ProofTooWeak => "Proof too weak",
        Reason::ObjectNotAllowed => "Object not allowed",
        Reason::InsufficientScope => "Scope too narrow",
        Reason::ForbiddenByPolicy => "Forbidden by policy",
        Reason::PolicyError => "Not decidable",
        Reason::RelationUnknown => "Relation not known",
        Reason::AmbiguousBody => "Body has no one reading",
        Reason::ContractViolation => "Request breaks the contract",
        Reason::RateLimited => "Too many requests",
        Reason::QuotaExceeded => "Quota used up",
        Reason::ConcurrencyLimited => "Too many requests at the same time",
        Reason::Overloaded => "Overloaded",
        Reason::UpstreamUnreachable => "Upstream unreachable",
        Reason::UpstreamTimeout => "Upstream too slow",
        Reason::DeadlineExceeded => "Deadline passed",
        Reason::UpstreamInvalid => "Upstream answer not valid",
        Reason::ResponseInvalid => "Upstream answer breaks the contract",
        Reason::ResponseUnreadable => "Answer not readable",
        Reason::LogUnavailable => "Not recordable",
        Reason::Stale => "Knowledge too old",
        Reason::ShuttingDown => "Shutting down",
        Reason::Cancelled => "Cancelled",
    }
}

const AMBIGUOUS: &str = "The body is no JSON that all readers take for the same: malformed, with a name \
                         twice in one object, nested too deep, or without a plain value where one \
                         is judged.";

const RELATION: &str = "Whether the caller has to do with this object could not be found out.";

/// What happened here, in one sentence.
pub(super) fn detail(reason: Reason, about: Option<&About>) -> String {
    let name = about.map_or("This API", |about| about.name.as_str());
    match reason {
        Reason::MalformedRequest => "The request is not well-formed HTTP.".to_owned(),
        Reason::NonCanonicalTarget => {
            "The target could be read in more than one way by those after the gate.".to_owned()
        }
        Reason::AuthorityMismatch => "The request names two different hosts.".to_owned(),
        Reason::ForbiddenHeader => {
            "A header came twice that must come once, or something replaces the method or target."
                .to_owned()
        }
        Reason::TooLarge => "The header block or the body is larger than allowed.".to_owned(),
        Reason::RequestTimeout => "The request was not complete in time.".to_owned(),
        Reason::UnknownApi => "No API is published under this host and path.".to_owned(),
        Reason::UnknownOperation => {
            format!("{name} has no such operation for this method and path.")
        }
        Reason::NoCredential | Reason::CredentialNotAccepted => accepted(name, about),
        Reason::InvalidCredential => "The credential proves nobody.".to_owned(),
        Reason::InvalidProof => {
            "Nothing proves, for this request, that you hold the key of the token.".to_owned()
        }
        Reason::CertificateMismatch => {
            "The token is bound to a client certificate that this connection does not have."
                .to_owned()
        }
        Reason::CredentialExpired => "The credential has expired.".to_owned(),
        Reason::CredentialRevoked => "The credential was revoked or suspended.".to_owned(),
        Reason::IdentityInactive => "The caller's identity may not act now.".to_owned(),
        Reason::NoGrant => format!("{name} is not granted to the caller for this operation."),
        Reason::TermsNotMet => {
            "The caller may use this operation, but not here, now or with this credential."
                .to_owned()
        }
        Reason::ProofTooWeak => {
            "The caller may use this operation with a stronger credential.".to_owned()
        }
        Reason::ObjectNotAllowed => {
            "The caller may use this operation, but not on this object or with these properties."
                .to_owned()
        }
        Reason::InsufficientScope => "The token's scope does not cover this operation.".to_owned(),
        Reason::ForbiddenByPolicy => "A policy forbids this request.".to_owned(),
        Reason::PolicyError => "The request could not be decided, so it is refused.".to_owned(),
        Reason::RelationUnknown => RELATION.to_owned(),
        Reason::AmbiguousBody => AMBIGUOUS.to_owned(),
        Reason::ContractViolation => {
            let api = about.map_or("the API", |about| about.name.as_str());
            format!("The request is not as the document of {api} says.")
        }
        Reason::RateLimited => "Too many requests came in too short a time.".to_owned(),
        Reason::QuotaExceeded => "What may be used in this time is used up.".to_owned(),
        Reason::ConcurrencyLimited => "Too many requests are open at the same time.".to_owned(),
        Reason::Overloaded => "The gate has more to do than it can.".to_owned(),
        Reason::UpstreamUnreachable
        | Reason::UpstreamTimeout
        | Reason::DeadlineExceeded
        | Reason::UpstreamInvalid
        | Reason::ResponseInvalid
        | Reason::ResponseUnreadable => behind(reason).to_owned(),
        Reason::LogUnavailable => "The request could not be recorded, so it is refused.".to_owned(),
        Reason::Stale => "What the gate knows is too old to decide by.".to_owned(),
        Reason::ShuttingDown => "The gate is shutting down.".to_owned(),
        Reason::Cancelled => "The request was cancelled.".to_owned(),
    }
}

/// What is the matter behind the gate.
fn behind(reason: Reason) -> &'static str {
    match reason {
        Reason::UpstreamTimeout => "The service behind the gate did not answer in time.",
        Reason::DeadlineExceeded => {
            "The call was not over when the deadline passed that its caller gave it."
        }
        Reason::UpstreamInvalid => {
            "The service behind the gate gave an answer that is not valid HTTP."
        }
        Reason::ResponseInvalid => {
            "The service behind the gate gave an answer that its document does not allow."
        }
        Reason::ResponseUnreadable => {
            "The service's answer cannot be shown in part, and the caller may see only part of it."
        }
        _ => "The service behind the gate cannot be reached.",
    }
}

/// Which limit was reached, in one sentence.
pub(super) fn reached(limit: Limit, about: Option<&About>) -> String {
    let name = about.map_or("this API", |about| about.name.as_str());
    format!("The limit `{}` of {name}, {limit}, is reached.", limit.name())
}

fn accepted(name: &str, about: Option<&About>) -> String {
    let kinds = about.map(|about| {
        let kinds = [
            (about.takes_tokens, "a token"),
            (about.takes_keys, "a key"),
            (about.takes_certificates, "a client certificate"),
        ];
        kinds.into_iter().filter(|(taken, _)| *taken).map(|(_, kind)| kind).collect::<Vec<_>>()
    });
    match kinds.unwrap_or_default().split_last() {
        None => format!("{name} takes no credential that you can present."),
        Some((last, [])) => format!("{name} takes {last}."),
        Some((last, others)) => format!("{name} takes {} or {last}.", others.join(", ")),
    }
}

/// What to do about it. Says nothing of others than the caller.
pub(super) fn hint(reason: Reason, about: Option<&About>, example: &str) -> String {
    let hint = match reason {
        Reason::NoCredential => return credential_hint(about, example),
        Reason::MalformedRequest => "send HTTP as RFC 9112 has it: one length, whole lines",
        Reason::NonCanonicalTarget => {
            "send the path without dot segments, empty segments and encoded slashes"
        }
        Reason::AuthorityMismatch => {
            "send one host: in `Host`, in the target and in the TLS server name"
        }
        Reason::ForbiddenHeader => "send one credential, and the method in the request line only",
        Reason::TooLarge => "send fewer and shorter headers, or the body in parts",
        Reason::RequestTimeout => {
            "send the request without pauses, and again if it may be repeated"
        }
        Reason::UnknownApi => "check host and path, or ask who publishes the API for its address",
        Reason::UnknownOperation => "check method and path against the API's document",
        Reason::InvalidCredential => {
            "check that it is whole and meant for this API; a token's issuer, audience and signature"
        }
        Reason::InvalidProof => {
            "make a proof for each request as RFC 9449 says, with the key that the token was got with"
        }
        Reason::CertificateMismatch => {
            "connect with the client certificate that the token was got with (RFC 8705)"
        }
        Reason::CredentialExpired | Reason::CredentialRevoked => {
            "ask the owner of the identity for a new credential"
        }
        Reason::CredentialNotAccepted => "present a credential of a kind that the API takes",
        Reason::IdentityInactive => "ask the owner of the identity, and give the request id",
        Reason::NoGrant
        | Reason::InsufficientScope
        | Reason::ForbiddenByPolicy
        | Reason::TermsNotMet => "ask the owner of the API, and give the request id",
        Reason::ProofTooWeak => {
            "present a token instead of a key, or one that is bound to a key or certificate of yours"
        }
        Reason::ObjectNotAllowed => {
            "check whose object it is and which properties you send, or ask the owner of the API"
        }
        Reason::AmbiguousBody => {
            "send plain JSON (`content-type: application/json`): each name once in an object, at most \
             64 objects and lists within each other"
        }
        Reason::ContractViolation => {
            "compare the request with the API's document, at the places that are named"
        }
        Reason::RateLimited => "wait as long as `Retry-After` says, and send less at once",
        Reason::QuotaExceeded => {
            "wait as long as `Retry-After` says, or ask the owner of the API for more"
        }
        Reason::ConcurrencyLimited => "send it again when another request has ended",
        Reason::Overloaded => "wait as long as `Retry-After` says, and send it again",
        Reason::ResponseInvalid => "tell the owner of the API, and give the request id",
        Reason::UpstreamUnreachable
        | Reason::UpstreamTimeout
        | Reason::UpstreamInvalid
        | Reason::ResponseUnreadable => {
            "try again later, or ask the owner of the API and give the request id"
        }
        Reason::DeadlineExceeded => "give the call more time, within what the API allows",
        Reason::PolicyError | Reason::RelationUnknown | Reason::LogUnavailable | Reason::Stale => {
            "try again later, or tell who operates the gate and give the request id"
        }
        Reason::ShuttingDown | Reason::Cancelled => "send it again over a new connection",
    };
    hint.to_owned()
}

fn credential_hint(about: Option<&About>, example: &str) -> String {
    match about {
        Some(about) if about.takes_keys => {
            format!("portreeve key issue {example} --api {}", about.name)
        }
        _ => "send a token of a trusted issuer as `Authorization: Bearer …`".to_owned(),
    }
}

/// The reason phrase of a status that the gate gives itself.
pub(super) fn phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        408 => "Request Timeout",
        413 => "Content Too Large",
        421 => "Misdirected Request",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "",
    }
}

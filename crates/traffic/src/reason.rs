//! Why the gate refused: one code per reason, with the status, title and hint it answers with.

use base::words;

words! {
    /// Why the gate answered a request itself instead of forwarding it.
    Reason {
        /// The request line, a header or the framing is not canonical HTTP.
        MalformedRequest = "malformed_request",
        /// The target has dot segments, encoded slashes, `//`, or other forms with two readings.
        NonCanonicalTarget = "non_canonical_target",
        /// Host, `:authority`, the absolute target and the TLS server name do not agree.
        AuthorityMismatch = "authority_mismatch",
        /// A header that must be single came more than once, or a method override came along.
        ForbiddenHeader = "forbidden_header",
        /// The header block or a body exceeds a limit.
        TooLarge = "too_large",
        /// The caller took too long to send its request.
        RequestTimeout = "request_timeout",
        /// No API has this host and path.
        UnknownApi = "unknown_api",
        /// The API has no operation with this method and path.
        UnknownOperation = "unknown_operation",
        /// Nothing was presented that could prove who calls.
        NoCredential = "no_credential",
        /// What was presented proves nobody.
        InvalidCredential = "invalid_credential",
        /// The token is bound to a key, and nothing proves that its sender holds it; or the proof is
        /// not for this request, not fresh, or was used before.
        InvalidProof = "invalid_proof",
        /// The token is bound to a client certificate that this connection did not present.
        CertificateMismatch = "certificate_mismatch",
        /// The credential has expired.
        CredentialExpired = "credential_expired",
        /// The credential was revoked or is suspended.
        CredentialRevoked = "credential_revoked",
        /// The API does not take this kind of credential.
        CredentialNotAccepted = "credential_not_accepted",
        /// The identity is suspended or disabled.
        IdentityInactive = "identity_inactive",
        /// No grant in force covers the operation.
        NoGrant = "no_grant",
        /// A grant covers the operation, under terms that this request does not meet.
        TermsNotMet = "terms_not_met",
        /// A grant covers the operation with a stronger proof than this one.
        ProofTooWeak = "proof_too_weak",
        /// A grant covers the operation on other objects, or lets other properties be written.
        ObjectNotAllowed = "object_not_allowed",
        /// The token's own scope is narrower than the operation.
        InsufficientScope = "insufficient_scope",
        /// A guardrail forbids it.
        ForbiddenByPolicy = "forbidden_by_policy",
        /// A policy could not be evaluated.
        PolicyError = "policy_error",
        /// A grant covers the operation on objects of a relation, and its source did not say whether
        /// this is one.
        RelationUnknown = "relation_unknown",
        /// The body has no one reading as JSON: malformed, a name twice in one object, nested too deep,
        /// or of a type that what is judged by it cannot read.
        AmbiguousBody = "ambiguous_body",
        /// The request does not keep to the API's document.
        ContractViolation = "contract_violation",
        /// Too many requests in too short a time: a limit in seconds, minutes or hours is reached.
        RateLimited = "rate_limited",
        /// What may be used in the day or month is used up.
        QuotaExceeded = "quota_exceeded",
        /// Too many requests at the same time.
        ConcurrencyLimited = "concurrency_limited",
        /// The gate has more to do than it can, and this request matters less than others.
        Overloaded = "overloaded",
        /// The upstream refused or broke the connection, or cannot be resolved.
        UpstreamUnreachable = "upstream_unreachable",
        /// The upstream did not answer in time.
        UpstreamTimeout = "upstream_timeout",
        /// The deadline that the caller gave its call has passed.
        DeadlineExceeded = "deadline_exceeded",
        /// The upstream's answer is not valid HTTP or ended early.
        UpstreamInvalid = "upstream_invalid",
        /// The upstream's answer does not keep to the API's document, or is too long to be checked.
        ResponseInvalid = "response_invalid",
        /// The caller may see only part of the upstream's answer, and it cannot be told which.
        ResponseUnreadable = "response_unreadable",
        /// The decision log is full and is set to refuse then.
        LogUnavailable = "log_unavailable",
        /// What the gate knows is older than it may be.
        Stale = "stale",
        /// The gate is shutting down.
        ShuttingDown = "shutting_down",
        /// The caller closed the connection before the answer was complete.
        Cancelled = "cancelled",
    }
}

impl Reason {
    /// The HTTP status that the gate answers with.
    pub const fn status(self) -> u16 {
        match self {
            Self::MalformedRequest
            | Self::NonCanonicalTarget
            | Self::ForbiddenHeader
            | Self::AmbiguousBody
            | Self::ContractViolation => 400,
            Self::AuthorityMismatch => 421,
            Self::TooLarge => 413,
            Self::RequestTimeout => 408,
            Self::UnknownApi => 404,
            Self::NoCredential
            | Self::InvalidCredential
            | Self::InvalidProof
            | Self::CertificateMismatch
            | Self::CredentialExpired
            | Self::CredentialRevoked
            | Self::CredentialNotAccepted
            | Self::IdentityInactive => 401,
            Self::UnknownOperation
            | Self::NoGrant
            | Self::TermsNotMet
            | Self::ProofTooWeak
            | Self::ObjectNotAllowed
            | Self::InsufficientScope
            | Self::ForbiddenByPolicy => 403,
            Self::PolicyError => 500,
            Self::RateLimited | Self::QuotaExceeded | Self::ConcurrencyLimited => 429,
            Self::UpstreamUnreachable
            | Self::UpstreamInvalid
            | Self::ResponseInvalid
            | Self::ResponseUnreadable => 502,
            Self::UpstreamTimeout | Self::DeadlineExceeded => 504,
            Self::RelationUnknown
            | Self::Overloaded
            | Self::LogUnavailable
            | Self::Stale
            | Self::ShuttingDown => 503,
            Self::Cancelled => 499,
        }
    }
}

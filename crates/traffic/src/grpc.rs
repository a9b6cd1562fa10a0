//! gRPC as far as the gate takes part in it: which requests are calls, how long a caller gives its
//! call, and how a refusal is said so that every gRPC client understands it
//! (<https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>). Messages are not read.

use base::Span;

use crate::Reason;

/// The fields of a status.
pub const STATUS: &str = "grpc-status";
/// See [`message`].
pub const MESSAGE: &str = "grpc-message";

/// Whether a `Content-Type` is that of a gRPC call: `application/grpc`, alone or with a `+format`,
/// and `application/grpc-web` with its formats.
pub fn is_call(content_type: &[u8]) -> bool {
    const PREFIX: &[u8] = b"application/grpc";
    let Some((prefix, rest)) = content_type.split_at_checked(PREFIX.len()) else { return false };
    prefix.eq_ignore_ascii_case(PREFIX) && matches!(rest.first(), None | Some(b'+' | b'-' | b';'))
}

/// Reads a `grpc-timeout`: one to eight digits and a unit. `None` = it is not one.
pub fn timeout(value: &[u8]) -> Option<Span> {
    let (unit, digits) = value.split_last()?;
    if !(1..=8).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number: i64 = str::from_utf8(digits).ok()?.parse().ok()?;
    Some(match unit {
        b'H' => Span::from_secs(number * 3_600),
        b'M' => Span::from_secs(number * 60),
        b'S' => Span::from_secs(number),
        b'm' => Span::from_millis(number),
        b'u' => Span::from_micros(number),
        // Shorter than anything here is measured in; not nothing, which would be no deadline.
        b'n' => Span::from_micros((number / 1_000).max(1)),
        _ => return None,
    })
}

/// Writes a `grpc-timeout`, in milliseconds; the shortest is one.
pub fn timeout_text(span: Span) -> String {
    let millis = (span.as_micros() / 1_000).clamp(1, 99_999_999);
    format!("{millis}m")
}

/// The `grpc-status` that says why the gate answers itself.
pub const fn status(reason: Reason) -> u8 {
    match reason {
        Reason::Cancelled => 1,
        Reason::DeadlineExceeded | Reason::RequestTimeout => 4,
        Reason::UnknownOperation
        | Reason::NoGrant
        | Reason::TermsNotMet
        | Reason::ProofTooWeak
        | Reason::ObjectNotAllowed
        | Reason::InsufficientScope
        | Reason::ForbiddenByPolicy => 7,
        Reason::AmbiguousBody | Reason::ContractViolation => 3,
        Reason::RateLimited
        | Reason::QuotaExceeded
        | Reason::ConcurrencyLimited
        | Reason::TooLarge => 8,
        Reason::UnknownApi => 12,
        Reason::MalformedRequest
        | Reason::NonCanonicalTarget
        | Reason::AuthorityMismatch
        | Reason::ForbiddenHeader
        | Reason::PolicyError
        // It would be the same the next time: no client is to try again by itself.
        | Reason::ResponseInvalid
        | Reason::ResponseUnreadable => 13,
        Reason::UpstreamUnreachable
        | Reason::UpstreamTimeout
        | Reason::UpstreamInvalid
        | Reason::RelationUnknown
        | Reason::Overloaded
        | Reason::LogUnavailable
        | Reason::Stale
        | Reason::ShuttingDown => 14,
        Reason::NoCredential
        | Reason::InvalidCredential
        | Reason::InvalidProof
        | Reason::CertificateMismatch
        | Reason::CredentialExpired
        | Reason::CredentialRevoked
        | Reason::CredentialNotAccepted
        | Reason::IdentityInactive => 16,
    }
}

/// The `grpc-status` that ends a call which has begun: whoever lost its permission on the way is
/// told so alike, whether a grant, a credential or an identity is gone.
pub const fn status_within(reason: Reason) -> u8 {
    match reason.status() {
        401 | 403 => 7,
        _ => status(reason),
    }
}

/// A `grpc-message`: the reason code and a sentence, percent-encoded but for printable ASCII.
pub fn message(reason: Reason, detail: &str) -> String {
    let mut text = String::new();
    for byte in reason.as_str().bytes().chain(*b": ").chain(detail.bytes()) {
        match byte {
            b'%' => text.push_str("%25"),
            b' '..=b'~' => text.push(char::from(byte)),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_timeout_is_refused() {
        for text in ["", "S", "1", "1s", "-1S", "+1S", "123456789S", " 1S", "1S ", "1.5S", "1SS"] {
            assert_eq!(timeout(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn a_timeout_is_read_in_each_unit_and_written_in_one() {
        let cases = [
            ("2H", Span::from_secs(7_200), "7200000m"),
            ("3M", Span::from_secs(180), "180000m"),
            ("5S", Span::from_secs(5), "5000m"),
            ("250m", Span::from_millis(250), "250m"),
            ("2500u", Span::from_micros(2_500), "2m"),
            ("1n", Span::from_micros(1), "1m"),
            ("99999999H", Span::from_secs(99_999_999 * 3_600), "99999999m"),
        ];
        for (text, span, written) in cases {
            assert_eq!(timeout(text.as_bytes()), Some(span), "{text}");
            assert_eq!(timeout_text(span), written);
        }
    }

    #[test]
    fn only_calls_are_calls() {
        for other in ["", "application/json", "application/grp", "application/grpcish", "text/grpc"]
        {
            assert!(!is_call(other.as_bytes()), "{other}");
        }
        let calls = ["application/grpc", "Application/gRPC+proto", "application/grpc;x=y"];
        for call in calls.into_iter().chain(["application/grpc-web+proto"]) {
            assert!(is_call(call.as_bytes()), "{call}");
        }
    }

    #[test]
    fn every_reason_has_a_status_and_none_says_that_all_is_well() {
        for reason in Reason::ALL {
            assert!((1..=16).contains(&status(*reason)), "{reason}");
            assert!((1..=16).contains(&status_within(*reason)), "{reason}");
        }
        let revoked = [Reason::NoGrant, Reason::CredentialRevoked, Reason::IdentityInactive];
        assert_eq!(revoked.map(status_within), [7, 7, 7]);
    }

    #[test]
    fn a_message_is_printable_whatever_the_sentence_holds() {
        let text = message(Reason::NoGrant, "100 % of söhne\r\n");
        assert_eq!(text, "no_grant: 100 %25 of s%C3%B6hne%0D%0A");
    }
}

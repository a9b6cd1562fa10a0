//! Fields after a body (trailers): only those travel on that may stand there (RFC 9110 §6.5.1). They
//! are never merged into a head, on either side, so that nothing can be said twice.

use super::is_well_formed;
use super::kind::{self, Kind};

/// What may not stand after a body although it would travel in a head: it controls how the message
/// is processed, and whoever reads it there has processed the message already. Folded as
/// [`kind::fold`] does.
const HEAD_ONLY: &[&[u8]] = &[
    // Of requests: conditions, controls (§13.1, RFC 9111 §5.2).
    b"ifmatch",
    b"ifnonematch",
    b"ifmodifiedsince",
    b"ifunmodifiedsince",
    b"ifrange",
    b"range",
    b"maxforwards",
    b"pragma",
    b"cachecontrol",
    // Of responses: control data, authentication, cookies (§10.2, §11.6.1, RFC 6265 §4.1).
    b"age",
    b"date",
    b"expires",
    b"location",
    b"retryafter",
    b"vary",
    b"warning",
    b"wwwauthenticate",
    b"setcookie",
    // How to read the content (§8.3, §8.4, §14.4).
    b"contenttype",
    b"contentencoding",
    b"contentrange",
    // What a browser is to enforce of the answer it has rendered by then.
    b"contentsecuritypolicy",
    b"stricttransportsecurity",
];

/// Whether a field may stand after a body. What is not well-formed may not.
pub fn may_trail(name: &[u8], value: &[u8]) -> bool {
    let mut buffer = kind::FOLD_SPACE;
    is_well_formed(name, value)
        && kind::of(name) == Kind::EndToEnd
        && !HEAD_ONLY.contains(&kind::fold(name, &mut buffer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_frames_routes_authenticates_or_controls_does_not_trail() {
        let names = [
            "Transfer-Encoding",
            "Content-Length",
            "content_length",
            "Host",
            "Connection",
            "Trailer",
            "TE",
            "Upgrade",
            "Authorization",
            "X-API-Key",
            "X_Api_Key",
            "Cookie",
            "Set-Cookie",
            "WWW-Authenticate",
            "Proxy-Authorization",
            "Portreeve-Identity",
            "X-Forwarded-For",
            "X-HTTP-Method-Override",
            "Content-Type",
            "Content-Encoding",
            "Content-Range",
            "Cache-Control",
            "If-None-Match",
            "Range",
            "Location",
            "Retry-After",
            "Expect",
            "Content-Security-Policy",
            "Strict-Transport-Security",
            "gr pc",
            "",
        ];
        for name in names {
            assert!(!may_trail(name.as_bytes(), b"x"), "{name}");
        }
        assert!(!may_trail(b"x-sum", b"a\nb"));
    }

    #[test]
    fn what_is_known_only_at_the_end_does() {
        let names =
            ["grpc-status", "grpc-message", "Digest", "ETag", "Server-Timing", "X-Checksum"];
        for name in names {
            assert!(may_trail(name.as_bytes(), b"x"), "{name}");
        }
    }
}

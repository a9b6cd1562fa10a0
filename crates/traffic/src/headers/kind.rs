//! What a field is to the gate, by its name.
//!
//! Names are compared folded: letters and digits only, in lower case. CGI-like upstreams read
//! `X-Api-Key`, `X_Api_Key` and `X.Api.Key` into the same variable, so an alias of a name that
//! means something here must not travel under its own spelling.

/// What a field is to the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Authorization,
    ApiKey,
    Connection,
    ContentLength,
    ContentType,
    Cookie,
    Expect,
    /// Says for whom another proxy forwards; only a trusted peer's is read.
    ForwardedFor,
    GrpcTimeout,
    Host,
    /// What the sender takes beside the body: meant for one hop, and removed.
    Te,
    TransferEncoding,
    Upgrade,
    UserAgent,
    /// Replaces the method or the target for some upstreams.
    Override,
    /// A proof that belongs to the token.
    Proof,
    /// Another spelling of a field that frames or routes the message.
    RoutingAlias,
    /// Ours to write, or meant for one hop: removed.
    Removed,
    /// Travels on as it is.
    EndToEnd,
}

/// Longer folded names are compared by what fits; no name below is longer.
const FOLDED_BYTES_MAX: usize = 24;

/// Room for a folded name.
pub(super) const FOLD_SPACE: [u8; FOLDED_BYTES_MAX] = [0; FOLDED_BYTES_MAX];

/// Classifies a field name.
pub(super) fn of(name: &[u8]) -> Kind {
    let mut buffer = FOLD_SPACE;
    let folded = fold(name, &mut buffer);
    let exact = |canonical: &[u8], kind: Kind, alias: Kind| {
        if name.eq_ignore_ascii_case(canonical) { kind } else { alias }
    };
    use Kind::{EndToEnd, Override, Removed, RoutingAlias};
    match folded {
        b"host" => exact(b"host", Kind::Host, RoutingAlias),
        b"contentlength" => exact(b"content-length", Kind::ContentLength, RoutingAlias),
        b"transferencoding" => exact(b"transfer-encoding", Kind::TransferEncoding, RoutingAlias),
        b"connection" => exact(b"connection", Kind::Connection, RoutingAlias),
        b"upgrade" => exact(b"upgrade", Kind::Upgrade, RoutingAlias),
        b"expect" => exact(b"expect", Kind::Expect, RoutingAlias),
        b"authorization" => exact(b"authorization", Kind::Authorization, Removed),
        b"xapikey" => exact(b"x-api-key", Kind::ApiKey, Removed),
        b"dpop" => exact(b"dpop", Kind::Proof, Removed),
        b"xforwardedfor" => exact(b"x-forwarded-for", Kind::ForwardedFor, Removed),
        b"contenttype" => exact(b"content-type", Kind::ContentType, EndToEnd),
        b"te" => exact(b"te", Kind::Te, Removed),
        b"grpctimeout" => exact(b"grpc-timeout", Kind::GrpcTimeout, EndToEnd),
        b"useragent" => exact(b"user-agent", Kind::UserAgent, EndToEnd),
        b"cookie" => exact(b"cookie", Kind::Cookie, EndToEnd),
        b"keepalive"
        | b"proxyconnection"
        | b"proxyauthenticate"
        | b"proxyauthorization"
        | b"trailer"
        | b"http2settings" => Removed,
        // CGI-like upstreams would read it as the variable HTTP_PROXY, and send their own calls there.
        b"proxy" => Removed,
        // A client certificate, as a proxy that ended TLS tells it (RFC 9440 §2).
        b"clientcert" | b"clientcertchain" => Removed,
        b"forwarded" | b"xrealip" | b"xclientip" | b"trueclientip" => Removed,
        b"xoriginalurl" | b"xrewriteurl" | b"xoriginaluri" | b"xoriginalmethod"
        | b"xoriginalhost" | b"xhost" => Override,
        _ if is_override(folded) => Override,
        _ if folded.starts_with(b"portreeve") || folded.starts_with(b"xforwarded") => Removed,
        _ => EndToEnd,
    }
}

/// Whether `found` is another spelling of `name`, which some application servers take for the same.
pub fn is_alias(found: &str, name: &str) -> bool {
    fn letters(name: &str) -> impl Iterator<Item = u8> {
        name.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| byte.to_ascii_lowercase())
    }
    !found.eq_ignore_ascii_case(name) && letters(found).eq(letters(name))
}

/// Whether a header or parameter of this name replaces the method for some frameworks.
pub fn is_method_override(name: &[u8]) -> bool {
    let mut buffer = FOLD_SPACE;
    is_override(fold(name, &mut buffer))
}

fn is_override(folded: &[u8]) -> bool {
    matches!(
        folded,
        b"xhttpmethodoverride"
            | b"httpmethodoverride"
            | b"xhttpmethod"
            | b"xmethodoverride"
            | b"methodoverride"
    )
}

/// Letters and digits of a name, in lower case, as far as they fit.
pub(super) fn fold<'b>(name: &[u8], buffer: &'b mut [u8; FOLDED_BYTES_MAX]) -> &'b [u8] {
    let letters = name.iter().filter(|byte| byte.is_ascii_alphanumeric());
    let mut length = 0;
    for (slot, byte) in buffer.iter_mut().zip(letters) {
        *slot = byte.to_ascii_lowercase();
        length += 1;
    }
    buffer.get(..length).unwrap_or_default()
}

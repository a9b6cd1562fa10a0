//! Writes the head of the request that the upstream gets, straight from the caller's bytes, in the
//! protocol that the upstream is spoken to in.
//!
//! Order: first the caller's fields that travel on, then the gate's own. The removal was decided
//! before this starts, so nothing the caller wrote can touch what is added here.

use std::fmt::Display;
use std::io::Write;
use std::net::IpAddr;

use base::{CredentialId, IdentityId, RequestId, Span};
use bytes::Bytes;
use catalog::Protocol;
use http::Request;
use http::header::{HeaderName, HeaderValue};
use traffic::headers::{Framing, RequestFields};
use traffic::{Authority, Reason, Scheme, Target, grpc};

use super::Upstream;
use crate::h1::body::write_decimal;
use crate::screen::asks_for_other_forms;
use crate::stage::Arrival;

/// Everything that goes into the head.
pub(crate) struct Rewrite<'r> {
    pub(crate) arrival: &'r Arrival<'r>,
    pub(crate) fields: &'r RequestFields<'r>,
    pub(crate) target: &'r Target,
    /// The API's prefix, which a base path of the upstream replaces.
    pub(crate) prefix: &'r str,
    pub(crate) upstream: &'r Upstream,
    /// The response will be filtered: it is asked for whole and unpacked.
    pub(crate) screened: bool,
    /// The response will be checked: it is asked for unpacked.
    pub(crate) unencoded: bool,
    /// What is left of the time that the caller gives its call.
    pub(crate) deadline: Option<Span>,
    /// The body, where it was read before the decision: it stands behind the head.
    pub(crate) body: Option<&'r [u8]>,
    pub(crate) caller: Caller<'r>,
}

/// A head as the upstream gets it.
pub(crate) enum Head {
    /// Up to and with the empty line.
    Http1(Vec<u8>),
    Http2(Box<Http2Head>),
}

/// A head in HTTP/2.
#[derive(Debug, Clone)]
pub(crate) struct Http2Head {
    pub(crate) request: Request<()>,
    /// The whole body, where it was read before.
    pub(crate) body: Option<Bytes>,
}

/// What the gate says about the caller.
pub(crate) struct Caller<'r> {
    pub(crate) source: IpAddr,
    pub(crate) scheme: Scheme,
    pub(crate) authority: &'r Authority,
    pub(crate) identity: &'r IdentityId,
    pub(crate) credential: &'r CredentialId,
    pub(crate) request_id: &'r RequestId,
}

impl Rewrite<'_> {
    /// The answer is asked for unpacked, whatever the caller takes.
    fn is_for_plain(&self) -> bool {
        self.screened || self.unencoded
    }

    /// Whether a field asks for a form of the answer that cannot be read here.
    fn asks_otherwise(&self, name: &str) -> bool {
        let packed = self.unencoded && name.eq_ignore_ascii_case("accept-encoding");
        packed || (self.screened && asks_for_other_forms(name))
    }
}

/// The head. A target that HTTP/2 cannot carry refuses.
pub(crate) fn write(rewrite: &Rewrite<'_>, protocol: Protocol) -> Result<Head, Reason> {
    match protocol {
        Protocol::Http1 => Ok(Head::Http1(http1(rewrite))),
        Protocol::Http2 => http2(rewrite).map(|head| Head::Http2(Box::new(head))),
    }
}

fn http1(rewrite: &Rewrite<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(1024);
    write_request_line(rewrite, &mut out);
    write_travelling(rewrite, &mut out);
    write_framing(rewrite, &mut out);
    write_own(rewrite, &mut |name, value| {
        // Writing to a Vec cannot fail.
        let _ = write!(out, "{name}: {value}\r\n");
    });
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(rewrite.body.unwrap_or_default());
    out
}

/// No framing and nothing of one hop but `te`, which says that trailers are welcome (RFC 9113
/// §8.2.2).
fn http2(rewrite: &Rewrite<'_>) -> Result<Http2Head, Reason> {
    let mut target = Vec::with_capacity(256);
    write_target(rewrite, &mut target);
    let (scheme, authority) = (rewrite.upstream.scheme, &rewrite.upstream.authority);
    let uri = http::Uri::builder().scheme(scheme.as_str()).authority(authority.to_string());
    let uri = uri.path_and_query(target).build().map_err(|_| Reason::NonCanonicalTarget)?;
    let mut request = Request::new(());
    *request.version_mut() = http::Version::HTTP_2;
    *request.uri_mut() = uri;
    *request.method_mut() = http::Method::from_bytes(rewrite.arrival.method.as_bytes())
        .map_err(|_| Reason::MalformedRequest)?;
    let fields = request.headers_mut();
    // Judged well-formed before; what the library still refuses does not travel.
    let mut put = |name: &[u8], value: &[u8]| {
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name), HeaderValue::from_bytes(value))
        {
            fields.append(name, value);
        }
    };
    for (index, field) in rewrite.arrival.fields.iter().enumerate() {
        if rewrite.fields.travels(index) && !rewrite.asks_otherwise(field.name) {
            put(field.name.as_bytes(), field.value);
        }
    }
    if rewrite.is_for_plain() {
        put(b"accept-encoding", b"identity");
    }
    if rewrite.fields.takes_trailers {
        put(b"te", b"trailers");
    }
    if let Framing::Length(length) = rewrite.fields.framing {
        put(b"content-length", length.to_string().as_bytes());
    }
    write_own(rewrite, &mut |name, value| put(name.as_bytes(), value.to_string().as_bytes()));
    // An empty one goes with the head.
    let body = rewrite.body.filter(|body| !body.is_empty()).map(Bytes::copy_from_slice);
    Ok(Http2Head { request, body })
}

fn write_request_line(rewrite: &Rewrite<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(rewrite.arrival.method.as_bytes());
    out.push(b' ');
    write_target(rewrite, out);
    // Writing to a Vec cannot fail.
    let _ = write!(out, " HTTP/1.1\r\nhost: {}\r\n", rewrite.upstream.authority);
}

fn write_target(rewrite: &Rewrite<'_>, out: &mut Vec<u8>) {
    let whole = rewrite.target.as_bytes();
    let Some(base) = &rewrite.upstream.base_path else {
        return out.extend_from_slice(whole);
    };
    let prefix = rewrite.prefix.trim_end_matches('/');
    let rest = whole.strip_prefix(prefix.as_bytes()).unwrap_or(whole);
    out.extend_from_slice(base.as_bytes());
    // No slash that the caller did not send: `/base/` may be another resource than `/base`.
    if base.is_empty() && !rest.starts_with(b"/") {
        out.push(b'/');
    }
    out.extend_from_slice(rest);
}

fn write_travelling(rewrite: &Rewrite<'_>, out: &mut Vec<u8>) {
    let joins_cookies = rewrite.fields.cookies > 1;
    for (index, field) in rewrite.arrival.fields.iter().enumerate() {
        let joined = joins_cookies && field.name.eq_ignore_ascii_case("cookie");
        if rewrite.fields.travels(index) && !joined && !rewrite.asks_otherwise(field.name) {
            write_field(field.name.as_bytes(), field.value, out);
        }
    }
    if joins_cookies {
        write_cookies(rewrite, out);
    }
    if rewrite.is_for_plain() {
        out.extend_from_slice(b"accept-encoding: identity\r\n");
    }
}

/// HTTP/2 splits `Cookie`; towards HTTP/1.1 it is one field (RFC 9113 §8.2.3).
fn write_cookies(rewrite: &Rewrite<'_>, out: &mut Vec<u8>) {
    let fields = rewrite.arrival.fields.iter().enumerate();
    let cookies = fields.filter(|(index, field)| {
        rewrite.fields.travels(*index) && field.name.eq_ignore_ascii_case("cookie")
    });
    let mut separator: &[u8] = b"cookie: ";
    for (_, field) in cookies {
        out.extend_from_slice(separator);
        out.extend_from_slice(field.value);
        separator = b"; ";
    }
    if separator == b"; " {
        out.extend_from_slice(b"\r\n");
    }
}

fn write_framing(rewrite: &Rewrite<'_>, out: &mut Vec<u8>) {
    match rewrite.fields.framing {
        Framing::Length(length) => {
            out.extend_from_slice(b"content-length: ");
            write_decimal(length, out);
            out.extend_from_slice(b"\r\n");
        }
        Framing::Chunked | Framing::UntilClose => {
            out.extend_from_slice(b"transfer-encoding: chunked\r\n");
        }
        Framing::None => {}
    }
    if rewrite.fields.websocket {
        out.extend_from_slice(b"connection: upgrade\r\nupgrade: websocket\r\n");
    }
}

/// What the gate says itself, last of all.
fn write_own(rewrite: &Rewrite<'_>, put: &mut dyn FnMut(&str, &dyn Display)) {
    let caller = &rewrite.caller;
    put("x-forwarded-for", &caller.source);
    put("x-forwarded-proto", &caller.scheme.as_str());
    put("x-forwarded-host", caller.authority);
    put("portreeve-identity", caller.identity);
    put("portreeve-credential", caller.credential);
    put("portreeve-request-id", caller.request_id);
    if let Some(deadline) = rewrite.deadline {
        put("grpc-timeout", &grpc::timeout_text(deadline));
    }
}

fn write_field(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

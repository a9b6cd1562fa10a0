//! Writes the head of the request that the upstream gets, straight from the caller's bytes.
//!
//! Order: first the caller's fields that travel on, then the gate's own. The removal was decided
//! before this starts, so nothing the caller wrote can touch what is added here.

use std::io::Write;
use std::net::IpAddr;

use base::{CredentialId, IdentityId, RequestId};
use traffic::headers::{Framing, RequestFields};
use traffic::{Authority, Scheme, Target};

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
    pub(crate) caller: Caller<'r>,
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

/// The head, up to and with the empty line.
pub(crate) fn write(rewrite: &Rewrite<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(1024);
    write_request_line(rewrite, &mut out);
    write_travelling(rewrite, &mut out);
    write_framing(rewrite, &mut out);
    write_caller(&rewrite.caller, &mut out);
    out.extend_from_slice(b"\r\n");
    out
}

fn write_request_line(rewrite: &Rewrite<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(rewrite.arrival.method.as_bytes());
    out.push(b' ');
    write_target(rewrite, out);
    out.extend_from_slice(b" HTTP/1.1\r\nhost: ");
    write_display(&rewrite.upstream.authority, out);
    out.extend_from_slice(b"\r\n");
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
        let packed = rewrite.unencoded && field.name.eq_ignore_ascii_case("accept-encoding");
        let other_form = packed || (rewrite.screened && asks_for_other_forms(field.name));
        if rewrite.fields.travels(index) && !joined && !other_form {
            write_field(field.name.as_bytes(), field.value, out);
        }
    }
    if joins_cookies {
        write_cookies(rewrite, out);
    }
    if rewrite.screened || rewrite.unencoded {
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

fn write_caller(caller: &Caller<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"x-forwarded-for: ");
    write_display(&caller.source, out);
    out.extend_from_slice(b"\r\nx-forwarded-proto: ");
    out.extend_from_slice(caller.scheme.as_str().as_bytes());
    out.extend_from_slice(b"\r\nx-forwarded-host: ");
    write_display(caller.authority, out);
    out.extend_from_slice(b"\r\n");
    write_field(b"portreeve-identity", caller.identity.as_str().as_bytes(), out);
    write_field(b"portreeve-credential", caller.credential.as_str().as_bytes(), out);
    write_field(b"portreeve-request-id", caller.request_id.as_str().as_bytes(), out);
}

fn write_field(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

fn write_display(value: &impl std::fmt::Display, out: &mut Vec<u8>) {
    // Writing to a Vec cannot fail.
    let _ = write!(out, "{value}");
}

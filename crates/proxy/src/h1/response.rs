//! Reads the head of an upstream's response and writes the head of the answer.

use std::io::Write;

use httparse::Header;
use traffic::Reason;
use traffic::headers::{FIELDS_MAX, Framing, ResponseFields, Version};
use traffic::limit::Standing;

use super::body::{Encoder, write_decimal};
use super::head::{FieldSpace, has_bare_line_feed};
use crate::screen::is_about_the_whole;
use crate::upstream::passage::ReplyHead;

/// The longest response head that is taken, in bytes.
const HEAD_BYTES_MAX: usize = 60 * 1024;

/// The head of an upstream's response.
#[derive(Debug)]
pub(crate) struct ResponseHead<'h> {
    pub(crate) status: u16,
    pub(crate) phrase: &'h str,
    pub(crate) fields: &'h [Header<'h>],
    pub(crate) judged: ResponseFields,
    /// Bytes up to the end of the empty line.
    pub(crate) bytes: usize,
}

/// Reads a head. `Ok(None)` = the input ends before the head does.
pub(crate) fn read<'h>(
    input: &'h [u8],
    to_head: bool,
    space: &'h mut FieldSpace<'h>,
) -> Result<Option<ResponseHead<'h>>, Reason> {
    let mut response = httparse::Response::new(&mut []);
    let parsed = httparse::ParserConfig::default().parse_response_with_uninit_headers(
        &mut response,
        input,
        space,
    );
    let bytes = match parsed {
        Ok(httparse::Status::Complete(bytes)) if bytes <= HEAD_BYTES_MAX => bytes,
        Ok(httparse::Status::Partial) if input.len() < HEAD_BYTES_MAX => return Ok(None),
        _ => return Err(Reason::UpstreamInvalid),
    };
    if has_bare_line_feed(input.get(..bytes).unwrap_or_default()) {
        return Err(Reason::UpstreamInvalid);
    }
    let version = match response.version {
        Some(0) => Version::Http10,
        Some(1) => Version::Http11,
        _ => return Err(Reason::UpstreamInvalid),
    };
    let status = response.code.filter(|code| (100..600).contains(code));
    let status = status.ok_or(Reason::UpstreamInvalid)?;
    let fields = response.headers as &[Header<'h>];
    let judged = ResponseFields::judge(version, status, to_head, pairs(fields))?;
    let phrase = response.reason.unwrap_or_default();
    Ok(Some(ResponseHead { status, phrase, fields, judged, bytes }))
}

/// The fields as the judges take them.
pub(crate) fn pairs<'h>(
    fields: &'h [Header<'h>],
) -> impl Iterator<Item = (&'h [u8], &'h [u8])> + Clone {
    fields.iter().map(|field| (field.name.as_bytes(), field.value))
}

/// How an answer leaves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Departure {
    pub(crate) version: Version,
    pub(crate) keep_alive: bool,
}

/// The framing towards the caller, and whether the connection must close to end the body.
pub(crate) fn reframe(framing: Framing, version: Version) -> (Encoder, bool) {
    match framing {
        Framing::None | Framing::Length(_) => (Encoder::Plain, false),
        Framing::Chunked | Framing::UntilClose if version == Version::Http10 => {
            (Encoder::Plain, true)
        }
        Framing::Chunked | Framing::UntilClose => (Encoder::Chunked, false),
    }
}

/// Appends the head of a final response as the caller gets it. `framing` is that of the body as it
/// leaves, `screened` says that it is not the upstream's whole one.
pub(crate) fn write_final(
    head: &ResponseHead<'_>,
    (framing, screened, standing): (Framing, bool, Option<Standing>),
    departure: Departure,
    request_id: &str,
    out: &mut Vec<u8>,
) {
    write_status(head, out);
    write_fields(head, screened, standing.is_some(), out);
    match framing {
        Framing::Length(length) => {
            out.extend_from_slice(b"content-length: ");
            write_decimal(length, out);
            out.extend_from_slice(b"\r\n");
        }
        Framing::Chunked | Framing::UntilClose if departure.version == Version::Http11 => {
            out.extend_from_slice(b"transfer-encoding: chunked\r\n");
        }
        _ => {}
    }
    write_connection(departure, out);
    write_standing(standing, out);
    write_request_id(request_id, out);
}

/// Appends the head of a final response that came over HTTP/2; `framing` = what its fields do not say
/// yet of the body.
pub(crate) fn write_reply(
    head: &ReplyHead,
    (framing, standing): (&[u8], Option<Standing>),
    departure: Departure,
    request_id: &str,
    out: &mut Vec<u8>,
) {
    out.extend_from_slice(b"HTTP/1.1 ");
    write_decimal(u64::from(head.status.as_u16()), out);
    out.push(b' ');
    out.extend_from_slice(head.status.canonical_reason().unwrap_or_default().as_bytes());
    out.extend_from_slice(b"\r\n");
    for (name, value) in &head.fields {
        if standing.is_some() && is_standing(name.as_str()) {
            continue;
        }
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            out.extend_from_slice(part);
        }
    }
    out.extend_from_slice(framing);
    write_connection(departure, out);
    write_standing(standing, out);
    write_request_id(request_id, out);
}

/// Ends a head.
fn write_request_id(request_id: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"portreeve-request-id: ");
    out.extend_from_slice(request_id.as_bytes());
    out.extend_from_slice(b"\r\n\r\n");
}

/// Appends an interim response (1xx). One that switches protocols says so.
pub(crate) fn write_interim(head: &ResponseHead<'_>, out: &mut Vec<u8>) {
    write_status(head, out);
    write_fields(head, false, false, out);
    if head.status == 101 {
        out.extend_from_slice(b"connection: upgrade\r\nupgrade: websocket\r\n");
    }
    out.extend_from_slice(b"\r\n");
}

/// Appends what the answer says of the connection, unless it is the default of HTTP/1.1.
pub(crate) fn write_connection(departure: Departure, out: &mut Vec<u8>) {
    match (departure.version, departure.keep_alive) {
        (_, false) => out.extend_from_slice(b"connection: close\r\n"),
        (Version::Http10, true) => out.extend_from_slice(b"connection: keep-alive\r\n"),
        _ => {}
    }
}

fn write_status(head: &ResponseHead<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"HTTP/1.1 ");
    write_decimal(u64::from(head.status), out);
    out.push(b' ');
    out.extend_from_slice(head.phrase.as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// Appends how the limits of the caller stand. Two fields by one name would be two readings, so
/// the upstream's own do not travel then.
fn write_standing(standing: Option<Standing>, out: &mut Vec<u8>) {
    let Some(standing) = standing else { return };
    // Writing to a Vec cannot fail.
    let _ = write!(out, "ratelimit-policy: {}\r\n", standing.policy());
    let _ = write!(out, "ratelimit: {}\r\n", standing.service());
}

fn is_standing(name: &str) -> bool {
    name.eq_ignore_ascii_case("ratelimit") || name.eq_ignore_ascii_case("ratelimit-policy")
}

fn write_fields(head: &ResponseHead<'_>, screened: bool, tells_standing: bool, out: &mut Vec<u8>) {
    for (index, field) in head.fields.iter().enumerate().take(FIELDS_MAX) {
        let outdated =
            screened && is_about_the_whole(field.name) || tells_standing && is_standing(field.name);
        if head.judged.travels(index) && !outdated {
            out.extend_from_slice(field.name.as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(field.value);
            out.extend_from_slice(b"\r\n");
        }
    }
}

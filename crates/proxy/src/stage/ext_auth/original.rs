//! The caller's request, as the gateway in front tells it. Only what the gateway itself wrote may
//! count, so every way to say the same thing twice is refused: callers can send any of these fields.

use httparse::Header;
use smallvec::SmallVec;
use traffic::Reason;
use traffic::headers::{Framing, RequestFields};

use super::super::Arrival;
use crate::h1::response::pairs;

/// Longest method.
const METHOD_BYTES_MAX: usize = 32;

/// How the gateway tells the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::stage) enum Form<'h> {
    /// In fields.
    Fields,
    /// By the method of its own request, and the target behind the path.
    Behind(&'h [u8]),
}

impl<'h> Form<'h> {
    /// `None`: not asked of this path.
    pub(super) fn of(target: &'h [u8], path: &str) -> Option<Self> {
        match target.strip_prefix(path.as_bytes())? {
            [] => Some(Self::Fields),
            rest @ [b'/', ..] => Some(Self::Behind(rest)),
            _ => None,
        }
    }
}

/// The caller's request.
pub(super) struct Original<'h> {
    pub(super) method: &'h str,
    pub(super) target: &'h [u8],
    pub(super) authority: Option<&'h [u8]>,
    /// What the caller sent, without what belongs to the gateway's own request.
    pub(super) fields: SmallVec<[Header<'h>; 32]>,
    /// The gateway keeps its connection, and sent no body that would have to be read first.
    pub(super) keep_alive: bool,
}

impl<'h> Original<'h> {
    pub(super) fn read(arrival: &Arrival<'h>, form: Form<'h>) -> Result<Self, Reason> {
        let mut told = Told::default();
        let mut rest: SmallVec<[Header<'h>; 32]> = SmallVec::new();
        for field in arrival.fields {
            if form != Form::Fields || !told.take(field)? {
                rest.push(*field);
            }
        }
        let outer = RequestFields::judge(arrival.version, pairs(&rest))?;
        let bodiless = matches!(outer.framing, Framing::None | Framing::Length(0));
        let keep_alive = outer.keep_alive && bodiless && !arrival.streams_body;
        let Line { method, target, host } = match form {
            Form::Behind(target) => Line { method: arrival.method, target, host: None },
            Form::Fields => told.conclude()?,
        };
        rest.retain(|field| !is_of_hop(field.name));
        let mut authority = arrival.authority;
        if let Some(host) = host {
            rest.retain(|field| !field.name.eq_ignore_ascii_case("host"));
            rest.push(Header { name: "host", value: host });
            authority = None;
        }
        Ok(Self { method, target, authority, fields: rest, keep_alive })
    }
}

/// What the caller's request line said.
struct Line<'h> {
    method: &'h str,
    target: &'h [u8],
    host: Option<&'h [u8]>,
}

/// Fields that are about the connection between the gateway and here.
fn is_of_hop(name: &str) -> bool {
    ["connection", "content-length", "expect", "transfer-encoding", "upgrade"]
        .iter()
        .any(|own| name.eq_ignore_ascii_case(own))
}

/// The two sets of fields in use: nginx's by custom, and Traefik's.
#[derive(Default)]
struct Told<'h> {
    original: Set<'h>,
    forwarded: Set<'h>,
}

#[derive(Default)]
struct Set<'h> {
    method: Option<&'h [u8]>,
    target: Option<&'h [u8]>,
    host: Option<&'h [u8]>,
}

impl<'h> Told<'h> {
    /// Whether it is one of these fields.
    fn take(&mut self, field: &Header<'h>) -> Result<bool, Reason> {
        let is = |name: &str| field.name.eq_ignore_ascii_case(name);
        let slot = if is("x-original-method") {
            &mut self.original.method
        } else if is("x-original-uri") {
            &mut self.original.target
        } else if is("x-original-host") {
            &mut self.original.host
        } else if is("x-forwarded-method") {
            &mut self.forwarded.method
        } else if is("x-forwarded-uri") {
            &mut self.forwarded.target
        } else if is("x-forwarded-host") {
            &mut self.forwarded.host
        } else {
            return Ok(false);
        };
        match slot.replace(field.value) {
            None => Ok(true),
            Some(_) => Err(Reason::ForbiddenHeader),
        }
    }

    /// The set that the gateway wrote. With parts of both, one of them is the caller's.
    fn conclude(self) -> Result<Line<'h>, Reason> {
        let Self { original, forwarded } = self;
        let is_original =
            original.method.is_some() || original.target.is_some() || original.host.is_some();
        let is_forwarded = forwarded.method.is_some() || forwarded.target.is_some();
        let set = match (is_original, is_forwarded) {
            (true, true) => return Err(Reason::ForbiddenHeader),
            (true, false) => original,
            (false, _) => forwarded,
        };
        let (Some(method), Some(target)) = (set.method, set.target) else {
            return Err(Reason::MalformedRequest);
        };
        let method = method_of(method).ok_or(Reason::MalformedRequest)?;
        Ok(Line { method, target, host: set.host })
    }
}

/// A token (RFC 9110 §9.1).
fn method_of(value: &[u8]) -> Option<&str> {
    let is_tchar = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let is_method = (1..=METHOD_BYTES_MAX).contains(&value.len()) && value.iter().all(is_tchar);
    is_method.then(|| str::from_utf8(value).ok())?
}

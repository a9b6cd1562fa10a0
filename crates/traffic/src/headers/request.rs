//! The fields of a request.

use base::Span;

use super::framing::FramingFields;
use super::kind::{self, Kind};
use super::{
    ConnectionOptions, FIELDS_MAX, Framing, Positions, Version, elements, is_well_formed,
    remove_nominated,
};
use crate::{Reason, grpc};

/// What the caller presented to prove who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presented<'h> {
    /// Nothing.
    Nothing,
    /// `Authorization: Bearer …` (RFC 6750).
    Bearer(&'h str),
    /// `Authorization: DPoP …` (RFC 9449 §7.1): a token that is bound to a key.
    Bound(&'h str),
    /// `X-API-Key: …`.
    ApiKey(&'h str),
    /// An `Authorization` of another scheme, or one that cannot be read.
    Unreadable,
}

/// What the gate needs of the fields of a request.
#[derive(Debug)]
pub struct RequestFields<'h> {
    /// `Host`.
    pub host: Option<&'h [u8]>,
    /// The credential.
    pub presented: Presented<'h>,
    /// The proof that the sender holds the key that its token is bound to (`DPoP`).
    pub proof: Option<&'h str>,
    /// Where the body ends.
    pub framing: Framing,
    /// The caller wants to use the connection again.
    pub keep_alive: bool,
    /// The caller asks to switch to WebSocket (RFC 6455); no other upgrade is carried.
    pub websocket: bool,
    /// The caller waits for `100 Continue` before it sends the body.
    pub expects_continue: bool,
    /// `User-Agent`.
    pub user_agent: Option<&'h [u8]>,
    /// Where `X-Forwarded-For` stands; to be believed only from a trusted peer.
    pub forwarded_for: Positions,
    /// The caller takes trailers (`TE`); to be said again by the gate, for its own hop.
    pub takes_trailers: bool,
    /// A gRPC call.
    pub grpc: bool,
    /// How long the caller gives its gRPC call; to be said again by the gate, which may give less.
    pub deadline: Option<Span>,
    /// There are several `Cookie` fields (HTTP/2 splits them, RFC 9113 §8.2.3).
    pub cookies: usize,
    removed: Positions,
}

impl<'h> RequestFields<'h> {
    /// Judges the fields in their order of arrival.
    pub fn judge(
        version: Version,
        fields: impl Iterator<Item = (&'h [u8], &'h [u8])> + Clone,
    ) -> Result<Self, Reason> {
        let mut pass = Pass::default();
        for (index, (name, value)) in fields.clone().enumerate() {
            if index >= FIELDS_MAX {
                return Err(Reason::TooLarge);
            }
            pass.take(index, name, value)?;
        }
        if pass.connection.nominates() {
            remove_nominated(fields, &mut pass.removed);
        }
        pass.conclude(version)
    }

    /// Whether the field at `index` travels on.
    pub fn travels(&self, index: usize) -> bool {
        !self.removed.contains(index)
    }
}

#[derive(Default)]
struct Pass<'h> {
    host: Option<&'h [u8]>,
    authorization: Option<&'h [u8]>,
    api_key: Option<&'h [u8]>,
    proof: Option<&'h [u8]>,
    upgrade: Option<&'h [u8]>,
    expect: Option<&'h [u8]>,
    user_agent: Option<&'h [u8]>,
    forwarded_for: Positions,
    takes_trailers: bool,
    content_type: Option<&'h [u8]>,
    grpc_timeout: Option<(usize, &'h [u8])>,
    cookies: usize,
    framing: FramingFields,
    connection: ConnectionOptions,
    hop_by_hop: bool,
    removed: Positions,
}

impl<'h> Pass<'h> {
    fn take(&mut self, index: usize, name: &'h [u8], value: &'h [u8]) -> Result<(), Reason> {
        if !is_well_formed(name, value) {
            return Err(Reason::MalformedRequest);
        }
        let removed = match kind::of(name) {
            Kind::EndToEnd => false,
            Kind::ContentType => {
                self.content_type.get_or_insert(value);
                false
            }
            Kind::GrpcTimeout => {
                single(&mut self.grpc_timeout, (index, value), Reason::MalformedRequest)?;
                false
            }
            Kind::UserAgent => {
                self.user_agent = Some(value);
                false
            }
            Kind::Cookie => {
                self.cookies += 1;
                false
            }
            // The caller's expectation is the upstream's to meet or to refuse.
            Kind::Expect => {
                single(&mut self.expect, value, Reason::MalformedRequest)?;
                false
            }
            Kind::ForwardedFor => {
                self.forwarded_for.insert(index);
                true
            }
            Kind::Override => return Err(Reason::ForbiddenHeader),
            Kind::RoutingAlias => return Err(Reason::MalformedRequest),
            removed => {
                self.take_removed(removed, value)?;
                true
            }
        };
        if removed {
            self.removed.insert(index);
        }
        Ok(())
    }

    fn take_removed(&mut self, kind: Kind, value: &'h [u8]) -> Result<(), Reason> {
        match kind {
            Kind::Host => single(&mut self.host, value, Reason::MalformedRequest)?,
            Kind::Authorization => {
                single(&mut self.authorization, value, Reason::ForbiddenHeader)?;
            }
            Kind::ApiKey => single(&mut self.api_key, value, Reason::ForbiddenHeader)?,
            Kind::Proof => single(&mut self.proof, value, Reason::ForbiddenHeader)?,
            Kind::Upgrade => self.upgrade = Some(value),
            Kind::Te => {
                self.takes_trailers |=
                    elements(value).any(|coding| coding.eq_ignore_ascii_case(b"trailers"));
            }
            Kind::ContentLength => self.framing.add_length(value),
            Kind::TransferEncoding => {
                self.framing.add_coding(value);
                self.hop_by_hop = true;
            }
            Kind::Connection => {
                self.connection.add(value)?;
                self.hop_by_hop = true;
            }
            _ => {}
        }
        Ok(())
    }

    /// What a gRPC call gives itself; in other requests the field means nothing here.
    fn take_deadline(&mut self, grpc: bool) -> Result<Option<Span>, Reason> {
        let Some((index, value)) = self.grpc_timeout.filter(|_| grpc) else { return Ok(None) };
        self.removed.insert(index);
        grpc::timeout(value).map(Some).ok_or(Reason::MalformedRequest)
    }

    fn conclude(mut self, version: Version) -> Result<RequestFields<'h>, Reason> {
        if version == Version::Http2 && (self.hop_by_hop || self.upgrade.is_some()) {
            return Err(Reason::MalformedRequest);
        }
        let framing = self.framing.judge(version, Framing::None).ok_or(Reason::MalformedRequest)?;
        let expects_continue = match self.expect {
            None => false,
            Some(value) if value.eq_ignore_ascii_case(b"100-continue") => true,
            Some(_) => return Err(Reason::MalformedRequest),
        };
        let websocket = version == Version::Http11
            && self.connection.upgrade
            && self.upgrade.is_some_and(|value| value.eq_ignore_ascii_case(b"websocket"));
        if websocket && framing != Framing::None {
            // Which bytes would be body and which the new protocol's depends on the reader.
            return Err(Reason::MalformedRequest);
        }
        let grpc = self.content_type.is_some_and(grpc::is_call);
        let deadline = self.take_deadline(grpc)?;
        Ok(RequestFields {
            host: self.host,
            presented: presented(self.authorization, self.api_key)?,
            proof: self.proof.and_then(credential_text),
            framing,
            keep_alive: self.connection.persists(version),
            websocket,
            expects_continue,
            user_agent: self.user_agent,
            forwarded_for: self.forwarded_for,
            takes_trailers: self.takes_trailers,
            grpc,
            deadline,
            cookies: self.cookies,
            removed: self.removed,
        })
    }
}

fn single<T>(slot: &mut Option<T>, value: T, reason: Reason) -> Result<(), Reason> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(reason),
    }
}

/// Two credentials are refused: which of them was judged would be a guess for everybody after us.
fn presented<'h>(
    authorization: Option<&'h [u8]>,
    api_key: Option<&'h [u8]>,
) -> Result<Presented<'h>, Reason> {
    match (authorization, api_key) {
        (Some(_), Some(_)) => Err(Reason::ForbiddenHeader),
        (None, None) => Ok(Presented::Nothing),
        (Some(value), None) => {
            let bearer = token_of(b"bearer", value).map(Presented::Bearer);
            let bound = || token_of(b"dpop", value).map(Presented::Bound);
            Ok(bearer.or_else(bound).unwrap_or(Presented::Unreadable))
        }
        (None, Some(value)) => {
            Ok(credential_text(value).map_or(Presented::Unreadable, Presented::ApiKey))
        }
    }
}

/// The scheme, spaces, one token (RFC 6750 §2.1, RFC 9449 §7.1).
fn token_of<'h>(wanted: &[u8], value: &'h [u8]) -> Option<&'h str> {
    let (scheme, rest) = value.split_at_checked(wanted.len())?;
    let rest = scheme.eq_ignore_ascii_case(wanted).then_some(rest)?;
    let token = rest.strip_prefix(b" ")?.trim_ascii_start();
    credential_text(token)
}

/// Visible ASCII without separators that could join two credentials into one field.
fn credential_text(value: &[u8]) -> Option<&str> {
    let readable = !value.is_empty()
        && value.iter().all(|byte| byte.is_ascii_graphic() && !b",;\"".contains(byte));
    readable.then(|| str::from_utf8(value).ok())?
}

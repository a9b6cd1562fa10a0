//! First stage: a request with one reading.

use std::net::IpAddr;
use std::sync::Arc;

use base::Timestamp;
use catalog::Operation;
use httparse::Header;
use policy::{Answers, ApiEntry, Ruleset};
use traffic::headers::{Framing, RequestFields, Version};
use traffic::{Authority, Reason, Scheme, Target, authority, forwarded};

use super::{Journal, JudgedBody, Resumed};
use crate::gate::Worker;
use crate::h1::response::pairs;
use crate::refusal::Refused;
use crate::tls::ClientCertificate;

/// Who is at the other end of a connection.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    pub(crate) ip: IpAddr,
    pub(crate) scheme: Scheme,
    /// The name that the TLS session was opened for.
    pub(crate) server_name: Option<Arc<str>>,
    /// The client certificate that it proved to hold.
    pub(crate) certificate: Option<ClientCertificate>,
}

/// A request as either protocol delivers it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival<'h> {
    pub(crate) version: Version,
    pub(crate) method: &'h str,
    /// The target of the request line, or `:path`.
    pub(crate) target: &'h [u8],
    /// `:authority`.
    pub(crate) authority: Option<&'h [u8]>,
    pub(crate) fields: &'h [Header<'h>],
    /// HTTP/2: a body follows, whatever the fields say.
    pub(crate) streams_body: bool,
}

/// A request with one reading, and what it is for.
pub(crate) struct Received<'h> {
    pub(super) worker: &'h Worker,
    pub(super) ruleset: &'h Ruleset,
    pub(super) peer: &'h Peer,
    pub(super) arrival: &'h Arrival<'h>,
    pub(super) fields: RequestFields<'h>,
    pub(super) target: Target,
    pub(super) authority: Authority,
    pub(super) source: IpAddr,
    pub(super) api: &'h ApiEntry,
    pub(super) operation: Option<&'h Operation>,
    /// The body, where it was read before the decision.
    pub(super) body: Option<&'h JudgedBody>,
    /// What sources said, where they were asked before the decision.
    pub(super) answers: Answers,
    /// How often they were asked.
    pub(super) asked: u8,
    /// When it is judged: when it came, or when its body had been read.
    pub(super) now: Timestamp,
    pub(super) journal: Journal,
}

impl<'h> Received<'h> {
    /// Judges the head and finds the API that it is for.
    pub(crate) fn accept(
        worker: &'h Worker,
        peer: &'h Peer,
        arrival: &'h Arrival<'h>,
        ruleset: &'h Ruleset,
        resumed: Option<Resumed<'h>>,
    ) -> Result<Self, Refused> {
        let resumed = resumed.unwrap_or_else(|| Resumed::not(worker.open_journal(peer.ip)));
        let Resumed { mut journal, body, answers, asked, now } = resumed;
        journal.note(|record| {
            arrival.method.clone_into(&mut record.method);
            record.ruleset_version = ruleset.version();
        });
        let fields = match RequestFields::judge(arrival.version, pairs(arrival.fields)) {
            Ok(fields) => reconciled(fields, arrival),
            Err(reason) => return Err(Refused::and_close(journal, reason)),
        };
        let trusted = &worker.core().config.trusted_peers;
        let claimed = arrival.fields.iter().enumerate();
        let claimed = claimed.filter(|(index, _)| fields.forwarded_for.contains(*index));
        let source = forwarded::source(peer.ip, claimed.map(|(_, field)| field.value), trusted);
        journal.note(|record| record.source_ip = source);
        if let Some(agent) = fields.user_agent {
            journal.note_user_agent(agent);
        }
        let (target, authority) = match read_target(peer, arrival, &fields) {
            Ok(read) => read,
            Err(reason) => return Err(Refused::and_close(journal, reason)),
        };
        journal.note_path(target.path());
        if let Framing::Length(length) = fields.framing
            && length > worker.core().config.limits.body_bytes
        {
            return Err(Refused::and_close(journal, Reason::TooLarge));
        }
        let located = ruleset.locate(arrival.method, Some(authority.host()), target.path());
        let Some(api) = located.api else {
            return Err(Refused::new(journal, Reason::UnknownApi, &fields));
        };
        let operation = located.operation;
        journal.note(|record| {
            record.api_id = Some(api.api().id.clone());
            record.operation = operation.map(|operation| operation.id.clone());
        });
        Ok(Self {
            worker,
            ruleset,
            peer,
            arrival,
            fields,
            target,
            authority,
            source,
            api,
            operation,
            body,
            answers,
            asked,
            now,
            journal,
        })
    }
}

fn read_target(
    peer: &Peer,
    arrival: &Arrival<'_>,
    fields: &RequestFields<'_>,
) -> Result<(Target, Authority), Reason> {
    let target = Target::parse_for(arrival.method, arrival.target)?;
    let pseudo = arrival.authority.map(Authority::parse).transpose()?;
    if arrival.version == Version::Http2 && target.authority().is_some() {
        // `:path` has origin-form only (RFC 9113 §8.3.1).
        return Err(Reason::NonCanonicalTarget);
    }
    let claimed = authority::Claimed {
        host: fields.host,
        target: pseudo.as_ref().or(target.authority()),
        server_name: peer.server_name.as_deref(),
    };
    let authority = authority::agree(peer.scheme, claimed)?;
    Ok((target, authority))
}

/// What the fields mean under this method and protocol. HTTP/2 needs no framing field: a body of
/// unknown length is chunked towards the upstream. A WebSocket is opened by GET (RFC 6455 §4.1).
fn reconciled<'h>(mut fields: RequestFields<'h>, arrival: &Arrival<'_>) -> RequestFields<'h> {
    if arrival.streams_body && fields.framing == Framing::None {
        fields.framing = Framing::Chunked;
    }
    fields.websocket &= arrival.method == "GET";
    fields
}

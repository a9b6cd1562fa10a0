//! Call records as bytes: a batch as columns over a dictionary, and one record on its own for the
//! Merkle tree.
//!
//! Words and ids go into the dictionary as text, never as an enum's position: a log outlives the
//! order in which a release lists its words.

mod decode;
mod dictionary;
mod encode;
pub(crate) mod request_id;

use std::net::IpAddr;

use traffic::{CallRecord, FieldsSeen};

pub(crate) use decode::{Decoder, decode};
pub(crate) use encode::Encoder;

use crate::wire::{put_bytes, put_varint, put_zigzag};

/// Members that a release added later, by their numbers: columns of a batch and parts of a leaf that
/// are written where some record has the member, so that what has none reads as it always did.
const VIOLATIONS: u64 = 1;
const FIELDS_SEEN: u64 = 2;
const ROLLOUT: u64 = 3;
const BINDING: u64 = 4;
const GUARDRAILS: u64 = 5;

/// The form of a leaf with such members: `would_refuse`, then each member after its number, by
/// rising numbers.
const MEMBERS_FORM: u8 = 3;

/// The bytes of one record that its Merkle leaf is made of. They depend on nothing but the
/// record; their first byte is the version of this form: 2 where observe mode says something, and
/// [`MEMBERS_FORM`] where there are members that older releases did not know.
pub(crate) fn leaf_bytes(record: &CallRecord, out: &mut Vec<u8>) {
    out.clear();
    out.push(match (has_members(record), record.would_refuse) {
        (false, None) => 1,
        (false, Some(_)) => 2,
        (true, _) => MEMBERS_FORM,
    });
    put_bytes(out, record.request_id.as_str().as_bytes());
    put_zigzag(out, record.at.as_micros());
    put_varint(out, record.duration_us);
    let optional = [
        record.identity_id.as_ref().map(|id| id.as_str()),
        record.credential_id.as_ref().map(|id| id.as_str()),
        record.api_id.as_ref().map(|id| id.as_str()),
        record.operation.as_ref().map(|id| id.as_str()),
        record.user_agent.as_deref(),
        record.reason.map(|reason| reason.as_str()),
    ];
    for text in optional {
        put_optional(out, text);
    }
    for text in [record.method.as_str(), &record.path, record.outcome.as_str()] {
        put_bytes(out, text.as_bytes());
    }
    put_address(out, record.source_ip);
    put_varint(out, record.status.into());
    put_varint(out, record.grant_ids.len() as u64);
    record.grant_ids.iter().for_each(|id| put_bytes(out, id.as_str().as_bytes()));
    put_varint(out, record.fields_removed.len() as u64);
    record.fields_removed.iter().for_each(|field| put_bytes(out, field.as_bytes()));
    for number in [record.bytes_in, record.bytes_out, record.ruleset_version] {
        put_varint(out, number);
    }
    let observed = record.would_refuse.map(|reason| reason.as_str());
    if !has_members(record) {
        observed.into_iter().for_each(|reason| put_bytes(out, reason.as_bytes()));
        return;
    }
    put_optional(out, observed);
    if !record.violations.is_empty() {
        put_varint(out, VIOLATIONS);
        put_varint(out, record.violations.len() as u64);
        record.violations.iter().for_each(|violation| put_bytes(out, violation.as_bytes()));
    }
    if let Some(seen) = &record.fields_seen {
        put_varint(out, FIELDS_SEEN);
        put_varint(out, marks(seen));
        put_varint(out, seen.paths.len() as u64);
        seen.paths.iter().for_each(|path| put_bytes(out, path.as_bytes()));
    }
    if let Some(mark) = &record.rollout {
        put_varint(out, ROLLOUT);
        put_bytes(out, mark.id.as_str().as_bytes());
        put_bytes(out, mark.governed_by.as_str().as_bytes());
        put_optional(out, mark.difference.map(|difference| difference.as_str()));
        put_optional(out, mark.reason.map(|reason| reason.as_str()));
    }
    if let Some(binding) = record.binding {
        put_varint(out, BINDING);
        put_bytes(out, binding.as_str().as_bytes());
    }
    if !record.guardrails.is_empty() {
        put_varint(out, GUARDRAILS);
        put_varint(out, record.guardrails.len() as u64);
        record.guardrails.iter().for_each(|id| put_bytes(out, id.as_bytes()));
    }
}

/// Whether it has a member that older releases did not know.
fn has_members(record: &CallRecord) -> bool {
    !record.violations.is_empty()
        || record.fields_seen.is_some()
        || record.rollout.is_some()
        || record.binding.is_some()
        || !record.guardrails.is_empty()
}

/// What is known beside the paths, as bits: 1, then whether there were others, and more.
fn marks(seen: &FieldsSeen) -> u64 {
    1 | u64::from(seen.other) << 1 | u64::from(seen.more) << 2
}

fn put_optional(out: &mut Vec<u8>, text: Option<&str>) {
    match text {
        None => out.push(0),
        Some(text) => {
            out.push(1);
            put_bytes(out, text.as_bytes());
        }
    }
}

fn put_address(out: &mut Vec<u8>, address: IpAddr) {
    match address {
        IpAddr::V4(address) => put_bytes(out, &address.octets()),
        IpAddr::V6(address) => put_bytes(out, &address.octets()),
    }
}

#[cfg(test)]
pub(crate) mod tests;

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

use traffic::CallRecord;

pub(crate) use decode::{Decoder, decode};
pub(crate) use encode::Encoder;

use crate::wire::{put_bytes, put_varint, put_zigzag};

/// The bytes of one record that its Merkle leaf is made of. They depend on nothing but the
/// record; their first byte is the version of this form: 2 where observe mode says something, 3 where a
/// rollout does.
pub(crate) fn leaf_bytes(record: &CallRecord, out: &mut Vec<u8>) {
    out.clear();
    out.push(match (&record.rollout, record.would_refuse) {
        (Some(_), _) => 3,
        (None, Some(_)) => 2,
        (None, None) => 1,
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
    match (&record.rollout, record.would_refuse) {
        (None, None) => {}
        (None, Some(reason)) => put_bytes(out, reason.as_str().as_bytes()),
        (Some(mark), would_refuse) => {
            put_optional(out, would_refuse.map(|reason| reason.as_str()));
            put_bytes(out, mark.id.as_str().as_bytes());
            put_bytes(out, mark.governed_by.as_str().as_bytes());
            put_optional(out, mark.difference.map(|difference| difference.as_str()));
            put_optional(out, mark.reason.map(|reason| reason.as_str()));
        }
    }
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
mod tests;

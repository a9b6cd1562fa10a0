//! Writing a batch.

use std::net::IpAddr;

use traffic::CallRecord;

use super::dictionary::Numbering;
use super::{
    BINDING, FIELDS_SEEN, GUARDRAILS, ROLLOUT, VIOLATIONS, marks, put_address, request_id,
};
use crate::wire::{put_bytes, put_varint, put_zigzag};

/// Columns of numbers, in the order in which they are written.
const COLUMNS: usize = 21;

/// Writes batches, keeping its buffers from one to the next.
#[derive(Debug, Default)]
pub(crate) struct Encoder {
    columns: [Vec<u8>; COLUMNS],
    violations: Vec<u8>,
    /// What callers received.
    seen: Vec<u8>,
    /// Rollouts; only in batches with a record that has one.
    rollouts: Vec<u8>,
    /// What bound proofs to their senders, likewise.
    bindings: Vec<u8>,
    /// The guardrails that forbade, likewise.
    guardrails: Vec<u8>,
    raw: Vec<u8>,
    packed: Vec<u8>,
}

/// A batch as it goes to disk.
#[derive(Debug)]
pub(crate) struct Encoded<'e> {
    /// LZ4-packed columns.
    pub(crate) payload: &'e [u8],
    /// Their length before packing.
    pub(crate) raw: usize,
}

impl Encoder {
    /// The payload for these records.
    pub(crate) fn encode(&mut self, records: &[CallRecord]) -> Encoded<'_> {
        self.columns.iter_mut().for_each(Vec::clear);
        let mut strings = Numbering::new();
        let mut addresses = Numbering::new();
        self.fill(records, &mut strings, &mut addresses);
        fill_texts(&mut self.violations, records, &mut strings, |record| &record.violations);
        self.fill_seen(records, &mut strings);
        self.fill_rollouts(records, &mut strings);
        self.fill_bindings(records, &mut strings);
        fill_texts(&mut self.guardrails, records, &mut strings, |record| &record.guardrails);

        self.raw.clear();
        put_varint(&mut self.raw, strings.values().len() as u64);
        strings.values().iter().for_each(|text| put_bytes(&mut self.raw, text.as_bytes()));
        put_varint(&mut self.raw, addresses.values().len() as u64);
        addresses.values().iter().for_each(|address| put_address(&mut self.raw, *address));
        self.columns.iter().for_each(|column| put_bytes(&mut self.raw, column));
        for (number, column) in [
            (VIOLATIONS, &self.violations),
            (FIELDS_SEEN, &self.seen),
            (ROLLOUT, &self.rollouts),
            (BINDING, &self.bindings),
            (GUARDRAILS, &self.guardrails),
        ] {
            if !column.is_empty() {
                put_varint(&mut self.raw, number);
                put_bytes(&mut self.raw, column);
            }
        }

        self.packed.resize(lz4_flex::block::get_maximum_output_size(self.raw.len()), 0);
        // INVARIANT: the buffer has the size that the packer asks for, so packing cannot fail; a
        // length of zero would be refused when the batch is read.
        let length = lz4_flex::block::compress_into(&self.raw, &mut self.packed).unwrap_or(0);
        Encoded { payload: self.packed.get(..length).unwrap_or_default(), raw: self.raw.len() }
    }

    fn fill_rollouts<'r>(&mut self, records: &'r [CallRecord], strings: &mut Numbering<&'r str>) {
        self.rollouts.clear();
        if records.iter().all(|record| record.rollout.is_none()) {
            return;
        }
        let out = &mut self.rollouts;
        for record in records {
            let Some(mark) = &record.rollout else {
                put_varint(out, 0);
                continue;
            };
            put_varint(out, strings.number(mark.id.as_str()));
            put_varint(out, strings.number(mark.governed_by.as_str()));
            put_varint(out, strings.optional(mark.difference.map(|one| one.as_str())));
            put_varint(out, strings.optional(mark.reason.map(|one| one.as_str())));
        }
    }

    fn fill_bindings<'r>(&mut self, records: &'r [CallRecord], strings: &mut Numbering<&'r str>) {
        self.bindings.clear();
        if records.iter().all(|record| record.binding.is_none()) {
            return;
        }
        for record in records {
            let binding = record.binding.map(|binding| binding.as_str());
            put_varint(&mut self.bindings, strings.optional(binding));
        }
    }

    fn fill<'r>(
        &mut self,
        records: &'r [CallRecord],
        strings: &mut Numbering<&'r str>,
        addresses: &mut Numbering<IpAddr>,
    ) {
        let [
            id_kinds,
            id_times,
            id_random,
            times,
            durations,
            identities,
            credentials,
            apis,
            operations,
            methods,
            paths,
            sources,
            agents,
            outcomes,
            reasons,
            observed,
            statuses,
            grants,
            fields,
            sizes,
            versions,
        ] = &mut self.columns;
        let (mut last_at, mut last_version) = (0i64, 0i64);
        for record in records {
            let at = record.at.as_micros();
            put_zigzag(times, at.wrapping_sub(last_at));
            last_at = at;
            match request_id::to_number(&record.request_id) {
                Some(number) => {
                    put_varint(id_kinds, 0);
                    put_zigzag(id_times, ((number >> 80) as i64).wrapping_sub(at / 1_000));
                    id_random.extend_from_slice(number.to_be_bytes().get(6..).unwrap_or_default());
                }
                None => put_varint(id_kinds, strings.number(record.request_id.as_str())),
            }
            put_varint(durations, record.duration_us);
            let identity = record.identity_id.as_ref().map(|id| id.as_str());
            put_varint(identities, strings.optional(identity));
            let credential = record.credential_id.as_ref().map(|id| id.as_str());
            put_varint(credentials, strings.optional(credential));
            put_varint(apis, strings.optional(record.api_id.as_ref().map(|id| id.as_str())));
            let operation = record.operation.as_ref().map(|id| id.as_str());
            put_varint(operations, strings.optional(operation));
            put_varint(methods, strings.number(&record.method));
            put_varint(paths, strings.number(&record.path));
            put_varint(sources, addresses.number(record.source_ip));
            put_varint(agents, strings.optional(record.user_agent.as_deref()));
            put_varint(outcomes, strings.number(record.outcome.as_str()));
            put_varint(reasons, strings.optional(record.reason.map(|reason| reason.as_str())));
            put_varint(observed, strings.optional(record.would_refuse.map(|why| why.as_str())));
            put_varint(statuses, record.status.into());
            put_varint(grants, record.grant_ids.len() as u64);
            record.grant_ids.iter().for_each(|id| put_varint(grants, strings.number(id.as_str())));
            put_varint(fields, record.fields_removed.len() as u64);
            record.fields_removed.iter().for_each(|f| put_varint(fields, strings.number(f)));
            put_varint(sizes, record.bytes_in);
            put_varint(sizes, record.bytes_out);
            // A version is a sequence number from zero: the difference of two fits.
            let version = record.ruleset_version as i64;
            put_zigzag(versions, version.wrapping_sub(last_version));
            last_version = version;
        }
    }

    // Columns that a batch only has where some record has the member.

    fn fill_seen<'r>(&mut self, records: &'r [CallRecord], strings: &mut Numbering<&'r str>) {
        self.seen.clear();
        if records.iter().all(|record| record.fields_seen.is_none()) {
            return;
        }
        for record in records {
            let Some(seen) = &record.fields_seen else {
                put_varint(&mut self.seen, 0);
                continue;
            };
            put_varint(&mut self.seen, marks(seen));
            put_varint(&mut self.seen, seen.paths.len() as u64);
            seen.paths.iter().for_each(|path| put_varint(&mut self.seen, strings.number(path)));
        }
    }
}

/// A list of texts of each record; nothing where no record has one.
fn fill_texts<'r>(
    out: &mut Vec<u8>,
    records: &'r [CallRecord],
    strings: &mut Numbering<&'r str>,
    of: fn(&CallRecord) -> &[String],
) {
    out.clear();
    if records.iter().all(|record| of(record).is_empty()) {
        return;
    }
    for record in records {
        put_varint(out, of(record).len() as u64);
        of(record).iter().for_each(|text| put_varint(out, strings.number(text)));
    }
}

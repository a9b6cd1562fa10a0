//! Reading a batch. The bytes come from a disk: every length and number is checked.

use std::net::IpAddr;
use std::str::FromStr;

use base::{
    ApiId, CredentialId, GrantId, IdentityId, OperationId, RequestId, RolloutId, Timestamp,
};
use identity::Binding;
use traffic::{
    CallRecord, FieldsSeen, Outcome, Reason, RolloutDifference, RolloutMark, RolloutSide,
};

use super::dictionary::{Column, read_address};
use super::{BINDING, FIELDS_SEEN, GUARDRAILS, ROLLOUT, VIOLATIONS, request_id};
use crate::wire::{Malformed, Reader};

/// The largest batch that is unpacked: well above what a writer makes, well below memory.
pub(crate) const RAW_BYTES_MAX: usize = 256 << 20;

/// What is kept from one batch to the next. A long log is read batch by batch, and making the texts
/// of each record anew cost more than all the rest.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    unpacked: Vec<u8>,
    records: Vec<CallRecord>,
}

impl Decoder {
    /// The records of a payload that is `raw` bytes long unpacked.
    pub(crate) fn decode(
        &mut self,
        payload: &[u8],
        raw: usize,
        records: usize,
    ) -> Result<&[CallRecord], Malformed> {
        if raw > RAW_BYTES_MAX || records > raw {
            return Err(Malformed("a batch says that it is larger than any"));
        }
        self.unpacked.clear();
        self.unpacked.resize(raw, 0);
        let length = lz4_flex::block::decompress_into(payload, &mut self.unpacked)
            .map_err(|_| Malformed("a batch cannot be unpacked"))?;
        if length != raw {
            return Err(Malformed("a batch is shorter than it says"));
        }
        let mut reader = Reader::new(&self.unpacked);
        let strings = read_strings(&mut reader)?;
        let addresses = read_addresses(&mut reader)?;
        let mut columns = Columns::open(&mut reader, &strings, &addresses)?;
        columns.open_more(&mut reader)?;
        for index in 0..records {
            let request_id = columns.begin()?;
            match self.records.get_mut(index) {
                Some(used) => used.request_id = request_id,
                None => self.records.push(blank(request_id)),
            }
            if let Some(record) = self.records.get_mut(index) {
                columns.fill(record)?;
            }
        }
        if !reader.is_empty() || !columns.are_empty() {
            return Err(Malformed("a batch holds more than it says"));
        }
        Ok(self.records.get(..records).unwrap_or_default())
    }
}

/// The records of a payload that is `raw` bytes long unpacked.
pub(crate) fn decode(
    payload: &[u8],
    raw: usize,
    records: usize,
) -> Result<Vec<CallRecord>, Malformed> {
    let mut decoder = Decoder::default();
    decoder.decode(payload, raw, records)?;
    Ok(decoder.records)
}

/// A record to be written over.
fn blank(request_id: RequestId) -> CallRecord {
    CallRecord {
        request_id,
        at: Timestamp::MIN,
        duration_us: 0,
        identity_id: None,
        credential_id: None,
        api_id: None,
        operation: None,
        method: String::new(),
        path: String::new(),
        source_ip: IpAddr::from([0, 0, 0, 0]),
        user_agent: None,
        outcome: Outcome::Refused,
        reason: None,
        would_refuse: None,
        status: 0,
        grant_ids: Vec::new(),
        fields_removed: Vec::new(),
        violations: Vec::new(),
        fields_seen: None,
        guardrails: Vec::new(),
        bytes_in: 0,
        bytes_out: 0,
        ruleset_version: 0,
        binding: None,
        rollout: None,
    }
}

fn read_strings<'a>(reader: &mut Reader<'a>) -> Result<Vec<&'a str>, Malformed> {
    let count = reader.count()?;
    let text = |bytes| std::str::from_utf8(bytes).map_err(|_| Malformed("a string is not UTF-8"));
    (0..count).map(|_| text(reader.bytes()?)).collect()
}

fn read_addresses(reader: &mut Reader<'_>) -> Result<Vec<IpAddr>, Malformed> {
    let count = reader.count()?;
    (0..count).map(|_| read_address(reader.bytes()?)).collect()
}

/// The columns, each with how far it was read.
struct Columns<'d> {
    addresses: &'d [IpAddr],
    id_kinds: Reader<'d>,
    id_times: Reader<'d>,
    id_random: Reader<'d>,
    times: Reader<'d>,
    durations: Reader<'d>,
    identities: Text<'d, IdentityId>,
    credentials: Text<'d, CredentialId>,
    apis: Text<'d, ApiId>,
    operations: Text<'d, OperationId>,
    methods: Plain<'d>,
    paths: Plain<'d>,
    sources: Reader<'d>,
    agents: Plain<'d>,
    outcomes: Text<'d, Outcome>,
    reasons: Text<'d, Reason>,
    observed: Text<'d, Reason>,
    statuses: Reader<'d>,
    grants: Text<'d, GrantId>,
    fields: Plain<'d>,
    sizes: Reader<'d>,
    versions: Reader<'d>,
    /// `None` in a batch of which no record has any, like what follows.
    violations: Option<Plain<'d>>,
    seen: Option<Plain<'d>>,
    rollouts: Option<Marks<'d>>,
    bindings: Option<Text<'d, Binding>>,
    guardrails: Option<Plain<'d>>,
    request_ids: Column<'d, RequestId>,
    last_at: i64,
    last_version: i64,
}

impl<'d> Columns<'d> {
    fn open(
        reader: &mut Reader<'d>,
        strings: &'d [&'d str],
        addresses: &'d [IpAddr],
    ) -> Result<Self, Malformed> {
        let mut column = || reader.bytes().map(Reader::new);
        let columns = Self {
            addresses,
            id_kinds: column()?,
            id_times: column()?,
            id_random: column()?,
            times: column()?,
            durations: column()?,
            identities: Text::new(column()?, strings),
            credentials: Text::new(column()?, strings),
            apis: Text::new(column()?, strings),
            operations: Text::new(column()?, strings),
            methods: Plain { numbers: column()?, strings },
            paths: Plain { numbers: column()?, strings },
            sources: column()?,
            agents: Plain { numbers: column()?, strings },
            outcomes: Text::new(column()?, strings),
            reasons: Text::new(column()?, strings),
            observed: Text::new(column()?, strings),
            statuses: column()?,
            grants: Text::new(column()?, strings),
            fields: Plain { numbers: column()?, strings },
            sizes: column()?,
            versions: column()?,
            violations: None,
            seen: None,
            rollouts: None,
            bindings: None,
            guardrails: None,
            request_ids: Column::new(strings),
            last_at: 0,
            last_version: 0,
        };
        Ok(columns)
    }

    /// Columns of members that a release added later, each after its number, by rising numbers.
    fn open_more(&mut self, reader: &mut Reader<'d>) -> Result<(), Malformed> {
        let strings = self.paths.strings;
        let mut last = 0;
        while !reader.is_empty() {
            let number = reader.varint()?;
            if number <= last {
                return Err(Malformed("the columns of a batch are out of order"));
            }
            let numbers = Reader::new(reader.bytes()?);
            match number {
                VIOLATIONS => self.violations = Some(Plain { numbers, strings }),
                FIELDS_SEEN => self.seen = Some(Plain { numbers, strings }),
                ROLLOUT => self.rollouts = Some(Marks::new(numbers, strings)),
                BINDING => self.bindings = Some(Text::new(numbers, strings)),
                GUARDRAILS => self.guardrails = Some(Plain { numbers, strings }),
                _ => return Err(Malformed("a batch has a column that is not known")),
            }
            last = number;
        }
        Ok(())
    }

    /// Goes on to the next record.
    fn begin(&mut self) -> Result<RequestId, Malformed> {
        self.last_at = self.last_at.wrapping_add(self.times.zigzag()?);
        self.request_id()
    }

    /// Reads the rest of it over one that was read before.
    fn fill(&mut self, record: &mut CallRecord) -> Result<(), Malformed> {
        record.at = Timestamp::from_micros(self.last_at);
        record.duration_us = self.durations.varint()?;
        record.identity_id = self.identities.optional()?;
        record.credential_id = self.credentials.optional()?;
        record.api_id = self.apis.optional()?;
        record.operation = self.operations.optional()?;
        self.methods.required(&mut record.method)?;
        self.paths.required(&mut record.path)?;
        record.source_ip = self.source()?;
        self.agents.optional(&mut record.user_agent)?;
        record.outcome = self.outcomes.required()?;
        record.reason = self.reasons.optional()?;
        record.would_refuse = self.observed.optional()?;
        record.status = u16::try_from(self.statuses.varint()?)
            .map_err(|_| Malformed("a status is too large"))?;
        self.grants.list(&mut record.grant_ids)?;
        self.fields.list(&mut record.fields_removed)?;
        match &mut self.violations {
            Some(column) => column.list(&mut record.violations)?,
            None => record.violations.clear(),
        }
        record.fields_seen = match &mut self.seen {
            Some(column) => read_seen(column)?,
            None => None,
        };
        record.bytes_in = self.sizes.varint()?;
        record.bytes_out = self.sizes.varint()?;
        self.last_version = self.last_version.wrapping_add(self.versions.zigzag()?);
        record.ruleset_version = self.last_version as u64;
        record.rollout = match &mut self.rollouts {
            Some(marks) => marks.next()?,
            None => None,
        };
        record.binding = match &mut self.bindings {
            Some(column) => column.optional()?,
            None => None,
        };
        match &mut self.guardrails {
            Some(column) => column.list(&mut record.guardrails)?,
            None => record.guardrails.clear(),
        }
        Ok(())
    }

    fn request_id(&mut self) -> Result<RequestId, Malformed> {
        let kind = self.id_kinds.varint()?;
        if kind != 0 {
            return self.request_ids.required(kind);
        }
        let millis = (self.last_at / 1_000).wrapping_add(self.id_times.zigzag()?);
        let [a, b, c, d, e, f, g, h, i, j] = self.id_random.array()?;
        let random = [0, 0, 0, 0, 0, 0, a, b, c, d, e, f, g, h, i, j];
        let number = ((millis as u128 & 0xffff_ffff_ffff) << 80) | u128::from_be_bytes(random);
        let text = request_id::to_text(number);
        let text = std::str::from_utf8(&text).map_err(|_| Malformed("not a request id"))?;
        RequestId::parse(text).map_err(|_| Malformed("not a request id"))
    }

    fn source(&mut self) -> Result<IpAddr, Malformed> {
        let index = self.sources.varint()?.checked_sub(1).and_then(|i| usize::try_from(i).ok());
        index.and_then(|i| self.addresses.get(i)).copied().ok_or(Malformed("no such address"))
    }

    fn are_empty(&self) -> bool {
        let numbers = [
            &self.id_kinds,
            &self.id_times,
            &self.id_random,
            &self.times,
            &self.durations,
            &self.sources,
            &self.statuses,
            &self.sizes,
            &self.versions,
            &self.identities.numbers,
            &self.credentials.numbers,
            &self.apis.numbers,
            &self.operations.numbers,
            &self.methods.numbers,
            &self.paths.numbers,
            &self.agents.numbers,
            &self.outcomes.numbers,
            &self.reasons.numbers,
            &self.observed.numbers,
            &self.grants.numbers,
            &self.fields.numbers,
        ];
        let more = [&self.violations, &self.seen, &self.guardrails];
        let more = more.into_iter().flatten().map(|more| &more.numbers);
        let marks = self.rollouts.iter().map(|marks| &marks.numbers);
        let bindings = self.bindings.iter().map(|bindings| &bindings.numbers);
        numbers.into_iter().chain(more).chain(marks).chain(bindings).all(|column| column.is_empty())
    }
}

/// What rollouts have to do with calls: 0, or four dictionary numbers for each record.
struct Marks<'d> {
    numbers: Reader<'d>,
    ids: Column<'d, RolloutId>,
    sides: Column<'d, RolloutSide>,
    differences: Column<'d, RolloutDifference>,
    reasons: Column<'d, Reason>,
}

impl<'d> Marks<'d> {
    fn new(numbers: Reader<'d>, strings: &'d [&'d str]) -> Self {
        Self {
            numbers,
            ids: Column::new(strings),
            sides: Column::new(strings),
            differences: Column::new(strings),
            reasons: Column::new(strings),
        }
    }

    fn next(&mut self) -> Result<Option<RolloutMark>, Malformed> {
        let Some(id) = self.ids.optional(self.numbers.varint()?)? else { return Ok(None) };
        Ok(Some(RolloutMark {
            id,
            governed_by: self.sides.required(self.numbers.varint()?)?,
            difference: self.differences.optional(self.numbers.varint()?)?,
            reason: self.reasons.optional(self.numbers.varint()?)?,
        }))
    }
}

fn read_seen(column: &mut Plain<'_>) -> Result<Option<FieldsSeen>, Malformed> {
    let marks = column.numbers.varint()?;
    if marks == 0 {
        return Ok(None);
    }
    if marks & 1 == 0 || marks > 7 {
        return Err(Malformed("what was received is not understood"));
    }
    let (other, more) = (marks & 2 != 0, marks & 4 != 0);
    let mut paths = Vec::new();
    column.list(&mut paths)?;
    Ok(Some(FieldsSeen { paths, other, more }))
}

/// A column of dictionary numbers with the values they stand for.
struct Text<'d, T> {
    numbers: Reader<'d>,
    values: Column<'d, T>,
}

impl<'d, T: FromStr + Clone> Text<'d, T> {
    fn new(numbers: Reader<'d>, strings: &'d [&'d str]) -> Self {
        Self { numbers, values: Column::new(strings) }
    }

    fn optional(&mut self) -> Result<Option<T>, Malformed> {
        self.values.optional(self.numbers.varint()?)
    }

    fn required(&mut self) -> Result<T, Malformed> {
        self.values.required(self.numbers.varint()?)
    }

    fn list(&mut self, into: &mut Vec<T>) -> Result<(), Malformed> {
        into.clear();
        for _ in 0..self.numbers.count()? {
            into.push(self.required()?);
        }
        Ok(())
    }
}

/// A column of dictionary numbers that stand for the strings themselves.
struct Plain<'d> {
    numbers: Reader<'d>,
    strings: &'d [&'d str],
}

impl<'d> Plain<'d> {
    fn text(&mut self) -> Result<Option<&'d str>, Malformed> {
        let Some(index) = self.numbers.varint()?.checked_sub(1) else { return Ok(None) };
        let index = usize::try_from(index).ok();
        let text = index.and_then(|index| self.strings.get(index));
        text.copied().map(Some).ok_or(Malformed("no such string"))
    }

    fn required(&mut self, into: &mut String) -> Result<(), Malformed> {
        let text = self.text()?.ok_or(Malformed("a required string is absent"))?;
        into.clear();
        into.push_str(text);
        Ok(())
    }

    fn optional(&mut self, into: &mut Option<String>) -> Result<(), Malformed> {
        match self.text()? {
            None => *into = None,
            Some(text) => text.clone_into(into.get_or_insert_default()),
        }
        Ok(())
    }

    fn list(&mut self, into: &mut Vec<String>) -> Result<(), Malformed> {
        into.clear();
        for _ in 0..self.numbers.count()? {
            let mut text = String::new();
            self.required(&mut text)?;
            into.push(text);
        }
        Ok(())
    }
}

//! Reading a batch. The bytes come from a disk: every length and number is checked.

use std::net::IpAddr;
use std::str::FromStr;

use base::{ApiId, CredentialId, GrantId, IdentityId, OperationId, RequestId, Timestamp};
use traffic::{CallRecord, FieldsSeen, Outcome, Reason};

use super::dictionary::{Column, read_address};
use super::{FIELDS_SEEN, VIOLATIONS, request_id};
use crate::wire::{Malformed, Reader};

/// The largest batch that is unpacked: well above what a writer makes, well below memory.
pub(crate) const RAW_BYTES_MAX: usize = 256 << 20;

/// The records of a payload that is `raw` bytes long unpacked.
pub(crate) fn decode(
    payload: &[u8],
    raw: usize,
    records: usize,
) -> Result<Vec<CallRecord>, Malformed> {
    if raw > RAW_BYTES_MAX || records > raw {
        return Err(Malformed("a batch says that it is larger than any"));
    }
    let mut unpacked = vec![0; raw];
    let length = lz4_flex::block::decompress_into(payload, &mut unpacked)
        .map_err(|_| Malformed("a batch cannot be unpacked"))?;
    if length != raw {
        return Err(Malformed("a batch is shorter than it says"));
    }
    let mut reader = Reader::new(&unpacked);
    let strings = read_strings(&mut reader)?;
    let addresses = read_addresses(&mut reader)?;
    let mut columns = Columns::open(&mut reader, &strings, &addresses)?;
    columns.open_more(&mut reader)?;
    let decoded = (0..records).map(|_| columns.next()).collect::<Result<_, _>>()?;
    if !reader.is_empty() || !columns.are_empty() {
        return Err(Malformed("a batch holds more than it says"));
    }
    Ok(decoded)
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
    methods: Text<'d, String>,
    paths: Text<'d, String>,
    sources: Reader<'d>,
    agents: Text<'d, String>,
    outcomes: Text<'d, Outcome>,
    reasons: Text<'d, Reason>,
    observed: Text<'d, Reason>,
    statuses: Reader<'d>,
    grants: Text<'d, GrantId>,
    fields: Text<'d, String>,
    sizes: Reader<'d>,
    versions: Reader<'d>,
    /// `None` in a batch of which no record has any.
    violations: Option<Text<'d, String>>,
    /// So here.
    seen: Option<Text<'d, String>>,
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
            methods: Text::new(column()?, strings),
            paths: Text::new(column()?, strings),
            sources: column()?,
            agents: Text::new(column()?, strings),
            outcomes: Text::new(column()?, strings),
            reasons: Text::new(column()?, strings),
            observed: Text::new(column()?, strings),
            statuses: column()?,
            grants: Text::new(column()?, strings),
            fields: Text::new(column()?, strings),
            sizes: column()?,
            versions: column()?,
            violations: None,
            seen: None,
            request_ids: Column::new(strings),
            last_at: 0,
            last_version: 0,
        };
        Ok(columns)
    }

    /// Columns of members that a release added later, each after its number, by rising numbers.
    fn open_more(&mut self, reader: &mut Reader<'d>) -> Result<(), Malformed> {
        let strings = self.paths.values.strings();
        let mut last = 0;
        while !reader.is_empty() {
            let number = reader.varint()?;
            let column = match number {
                VIOLATIONS => &mut self.violations,
                FIELDS_SEEN => &mut self.seen,
                _ => return Err(Malformed("a batch has a column that is not known")),
            };
            if number <= last {
                return Err(Malformed("the columns of a batch are out of order"));
            }
            *column = Some(Text::new(Reader::new(reader.bytes()?), strings));
            last = number;
        }
        Ok(())
    }

    fn next(&mut self) -> Result<CallRecord, Malformed> {
        self.last_at = self.last_at.wrapping_add(self.times.zigzag()?);
        Ok(CallRecord {
            request_id: self.request_id()?,
            at: Timestamp::from_micros(self.last_at),
            duration_us: self.durations.varint()?,
            identity_id: self.identities.optional()?,
            credential_id: self.credentials.optional()?,
            api_id: self.apis.optional()?,
            operation: self.operations.optional()?,
            method: self.methods.required()?,
            path: self.paths.required()?,
            source_ip: self.source()?,
            user_agent: self.agents.optional()?,
            outcome: self.outcomes.required()?,
            reason: self.reasons.optional()?,
            would_refuse: self.observed.optional()?,
            status: u16::try_from(self.statuses.varint()?)
                .map_err(|_| Malformed("a status is too large"))?,
            grant_ids: self.grants.list()?,
            fields_removed: self.fields.list()?,
            violations: self.violations.as_mut().map_or(Ok(Vec::new()), Text::list)?,
            fields_seen: self.seen.as_mut().map_or(Ok(None), read_seen)?,
            bytes_in: self.sizes.varint()?,
            bytes_out: self.sizes.varint()?,
            ruleset_version: {
                self.last_version = self.last_version.wrapping_add(self.versions.zigzag()?);
                self.last_version as u64
            },
        })
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
        RequestId::parse(&request_id::to_text(number)).map_err(|_| Malformed("not a request id"))
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
        let more = [&self.violations, &self.seen].into_iter().flatten().map(|more| &more.numbers);
        numbers.into_iter().chain(more).all(|column| column.is_empty())
    }
}

fn read_seen(column: &mut Text<'_, String>) -> Result<Option<FieldsSeen>, Malformed> {
    let marks = column.numbers.varint()?;
    if marks == 0 {
        return Ok(None);
    }
    if marks & 1 == 0 || marks > 7 {
        return Err(Malformed("what was received is not understood"));
    }
    let (other, more) = (marks & 2 != 0, marks & 4 != 0);
    Ok(Some(FieldsSeen { paths: column.list()?, other, more }))
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

    fn list(&mut self) -> Result<Vec<T>, Malformed> {
        let count = self.numbers.count()?;
        (0..count).map(|_| self.required()).collect()
    }
}

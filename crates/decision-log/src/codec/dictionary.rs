//! The strings and addresses of a batch, each written once. Index 0 means absent.

use std::hash::Hash;
use std::net::IpAddr;
use std::str::FromStr;

use rustc_hash::FxHashMap;

use crate::wire::Malformed;

/// Gives each distinct value the next number, from 1.
#[derive(Debug)]
pub(super) struct Numbering<T> {
    numbers: FxHashMap<T, u64>,
    values: Vec<T>,
}

impl<T: Copy + Eq + Hash> Numbering<T> {
    pub(super) fn new() -> Self {
        Self { numbers: FxHashMap::default(), values: Vec::new() }
    }

    pub(super) fn number(&mut self, value: T) -> u64 {
        let next = self.values.len() as u64 + 1;
        *self.numbers.entry(value).or_insert_with(|| {
            self.values.push(value);
            next
        })
    }

    pub(super) fn optional(&mut self, value: Option<T>) -> u64 {
        value.map_or(0, |value| self.number(value))
    }

    pub(super) fn values(&self) -> &[T] {
        &self.values
    }
}

/// Reads values of one type by number, parsing each distinct one once.
#[derive(Debug)]
pub(super) struct Column<'d, T> {
    strings: &'d [&'d str],
    parsed: Vec<Option<T>>,
}

impl<'d, T: FromStr + Clone> Column<'d, T> {
    pub(super) fn new(strings: &'d [&'d str]) -> Self {
        Self { strings, parsed: vec![None; strings.len()] }
    }

    pub(super) fn optional(&mut self, number: u64) -> Result<Option<T>, Malformed> {
        let Some(index) = number.checked_sub(1) else { return Ok(None) };
        let index = usize::try_from(index).map_err(|_| Malformed("no such string"))?;
        let slot = self.parsed.get_mut(index).ok_or(Malformed("no such string"))?;
        if slot.is_none() {
            let text = self.strings.get(index).ok_or(Malformed("no such string"))?;
            *slot = Some(text.parse().map_err(|_| Malformed("a string is not of its kind"))?);
        }
        Ok(slot.clone())
    }

    pub(super) fn required(&mut self, number: u64) -> Result<T, Malformed> {
        self.optional(number)?.ok_or(Malformed("a required string is absent"))
    }
}

/// Four or sixteen bytes as an address.
pub(super) fn read_address(bytes: &[u8]) -> Result<IpAddr, Malformed> {
    if let Ok(octets) = <[u8; 4]>::try_from(bytes) {
        return Ok(IpAddr::from(octets));
    }
    let octets = <[u8; 16]>::try_from(bytes).map_err(|_| Malformed("not an address"))?;
    Ok(IpAddr::from(octets))
}

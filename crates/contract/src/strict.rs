//! JSON with one reading (RFC 8259, as narrow as its §4 advises): what two readers could take for
//! two things is refused before anybody decides on it.
//!
//! Refused are names that occur twice in one object, compared as they read after unescaping, also
//! where the spelling differs (`"role"` and `"r\u006fle"`); text that is not UTF-8; half surrogates;
//! anything behind the value; and what is too deep or has too many values. `NaN`, comments and the
//! like are no JSON and are refused anyway. Names that differ in case are two names here, although
//! some readers take them for one. Integers beyond 64 bits are kept as the nearest double; numbers
//! beyond a double are refused. It does not repair, and does not say what stood there.

use std::cell::{Cell, RefCell};
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::place::Pointer;

/// The deepest that can be asked for: the reader's own recursion ends here.
pub const DEPTH_MAX: usize = 120;

/// How large a value may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many arrays and objects may lie within each other, at most [`DEPTH_MAX`].
    pub depth: usize,
    /// How many values it may be made of, itself and everything in it.
    pub nodes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 64, nodes: 100_000 }
    }
}

/// Why a text is not taken. Says where by JSON pointer, with names and never values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// It is no JSON, or has something behind it.
    #[error("this is not one JSON value (line {line}, column {column})")]
    NotJson {
        /// From 1.
        line: usize,
        /// From 1, in bytes; 0 at the end of a line.
        column: usize,
    },
    /// It is not UTF-8.
    #[error("this is not UTF-8 (byte {0})")]
    NotUtf8(usize),
    /// The name that this points to occurs twice.
    #[error("a name occurs twice: {0}")]
    NameTwice(String),
    /// What this points to lies deeper than allowed.
    #[error("nested more than {depth} deep: {pointer}")]
    TooDeep {
        /// What was allowed.
        depth: usize,
        /// Where the allowed depth ended.
        pointer: String,
    },
    /// More values than allowed.
    #[error("made of more than {0} values")]
    TooManyNodes(usize),
}

/// Reads one value.
///
/// # Errors
/// See [`Trouble`]; nothing of the value is kept then.
pub fn parse(bytes: &[u8], limits: Limits) -> Result<Value, Trouble> {
    let text = std::str::from_utf8(bytes).map_err(|why| Trouble::NotUtf8(why.valid_up_to()))?;
    let state = State {
        limits: Limits { depth: limits.depth.min(DEPTH_MAX), ..limits },
        nodes: Cell::new(0),
        trouble: RefCell::new(None),
    };
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = Reader { state: &state, depth: 0 }.deserialize(&mut reader);
    let read = read.and_then(|value| reader.end().map(|()| value));
    read.map_err(|why| match state.trouble.take() {
        Some(Found::NameTwice(pointer)) => Trouble::NameTwice(pointer.text()),
        Some(Found::TooDeep(pointer)) => {
            Trouble::TooDeep { depth: state.limits.depth, pointer: pointer.text() }
        }
        Some(Found::TooManyNodes) => Trouble::TooManyNodes(limits.nodes),
        None => Trouble::NotJson { line: why.line(), column: why.column() },
    })
}

/// What is shared by all levels of one reading.
struct State {
    limits: Limits,
    nodes: Cell<usize>,
    /// What was found, because an error of serde holds text only.
    trouble: RefCell<Option<Found>>,
}

enum Found {
    NameTwice(Pointer),
    TooDeep(Pointer),
    TooManyNodes,
}

impl State {
    fn stop<E: Error>(&self, found: Found) -> E {
        self.trouble.replace(Some(found));
        E::custom("refused")
    }

    /// On the way out of an error: the level above adds its name, so that a value without trouble
    /// pays nothing for pointers.
    fn within<E>(&self, error: E, step: impl FnOnce(&mut Pointer)) -> E {
        match &mut *self.trouble.borrow_mut() {
            Some(Found::NameTwice(pointer) | Found::TooDeep(pointer)) => step(pointer),
            Some(Found::TooManyNodes) | None => {}
        }
        error
    }
}

#[derive(Clone, Copy)]
struct Reader<'s> {
    state: &'s State,
    depth: usize,
}

impl Reader<'_> {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        if self.depth >= self.state.limits.depth {
            return Err(self.state.stop(Found::TooDeep(Pointer::default())));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        let nodes = self.state.nodes.get() + 1;
        if nodes > self.state.limits.nodes {
            return Err(self.state.stop(Found::TooManyNodes));
        }
        self.state.nodes.set(nodes);
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("not a number"))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let seed = self.deeper()?;
        let mut out = Vec::new();
        loop {
            let next = items.next_element_seed(seed);
            match next.map_err(|why| self.state.within(why, |at| at.outward_index(out.len())))? {
                Some(item) => out.push(item),
                None => return Ok(Value::Array(out)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let seed = self.deeper()?;
        let mut out = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if out.contains_key(&name) {
                let mut pointer = Pointer::default();
                pointer.outward(&name);
                return Err(self.state.stop(Found::NameTwice(pointer)));
            }
            let value = members.next_value_seed(seed);
            let value = value.map_err(|why| self.state.within(why, |at| at.outward(&name)))?;
            out.insert(name, value);
        }
        Ok(Value::Object(out))
    }
}

#[cfg(test)]
mod tests;

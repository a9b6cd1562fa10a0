//! The usual case of what is left out, many bytes at a time: plain names, texts, numbers and
//! literals that are whole in the piece.
//!
//! All of it could be done token by token; nothing here may do anything else. What is unusual ends
//! it at a place where the tokens go on.

use super::{Io, Machine, State};
use crate::limits::Limits;
use crate::swift;

/// Where the reading is.
struct Place<'a> {
    input: &'a [u8],
    at: usize,
    state: State,
    depth: u32,
    kinds: u128,
}

impl Machine {
    /// As far as it goes.
    pub(super) fn skim(&mut self, io: &mut Io<'_>) {
        let (state, depth, kinds) = (self.state, self.depth, self.kinds);
        let mut place = Place { input: io.input, at: io.pos, state, depth, kinds };
        while self.strides && place.depth > self.floor && place.goes_on(&self.limits) {}
        (self.state, self.depth, self.kinds) = (place.state, place.depth, place.kinds);
        io.pos = place.at;
    }
}

impl Place<'_> {
    /// One token; `false` before one that is unusual.
    #[inline]
    fn goes_on(&mut self, limits: &Limits) -> bool {
        let Some(rest @ [first, ..]) = self.input.get(self.at..) else { return false };
        let object = self.kinds & 1 == 1;
        match (self.state, first) {
            (State::Name | State::FirstName, b'"') => return self.name(rest, limits),
            (State::Value | State::FirstItem, b'{' | b'[') => return self.open(*first, limits),
            (State::Value | State::FirstItem, b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => {
                let bytes = swift::scalar(rest);
                if bytes == 0 {
                    return false;
                }
                self.pass(bytes, State::After);
            }
            (State::After, b',') if object => self.pass(1, State::Name),
            (State::After, b',') => self.pass(1, State::Value),
            (State::After | State::FirstName, b'}') if object => self.close(),
            (State::After | State::FirstItem, b']') if !object => self.close(),
            (State::Colon, b':') => self.pass(1, State::Value),
            (state, b' ' | b'\n' | b'\r' | b'\t') if state.is_between() => {
                self.pass(swift::blank(rest), state);
            }
            _ => return false,
        }
        true
    }

    #[inline]
    fn pass(&mut self, bytes: usize, next: State) {
        self.at += bytes;
        self.state = next;
    }

    fn name(&mut self, rest: &[u8], limits: &Limits) -> bool {
        let name = rest.get(1..).unwrap_or_default();
        let bytes = swift::plain(name);
        if bytes > limits.name_bytes {
            return false;
        }
        match name.get(bytes..) {
            Some([b'"', b':', ..]) => self.pass(bytes + 3, State::Value),
            Some([b'"', ..]) => self.pass(bytes + 2, State::Colon),
            _ => return false,
        }
        true
    }

    fn open(&mut self, bracket: u8, limits: &Limits) -> bool {
        if self.depth >= limits.depth {
            return false;
        }
        let object = bracket == b'{';
        self.depth += 1;
        self.kinds = (self.kinds << 1) | u128::from(object);
        self.pass(1, if object { State::FirstName } else { State::FirstItem });
        true
    }

    fn close(&mut self) {
        self.depth -= 1;
        self.kinds >>= 1;
        self.pass(1, State::After);
    }
}

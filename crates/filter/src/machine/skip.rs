//! What is left out and holds no ties: it is only checked.

use super::{Io, Machine, State};
use crate::number::Number;
use crate::swift;
use crate::text::Text;
use crate::trouble::Trouble;

impl Machine {
    /// Begins to leave out the array or object that begins here.
    pub(super) fn begin_skip(&mut self, io: &mut Io<'_>, object: bool) {
        self.skipping = true;
        self.floor = self.depth;
        self.nest(io, object);
    }

    /// Until what is left out ends: `true`; or the piece.
    pub(super) fn skip(&mut self, io: &mut Io<'_>) -> Result<bool, Trouble> {
        loop {
            self.skim(io);
            let goes_on = match self.state {
                State::InName => {
                    let ends = self.read_name(io)?;
                    if ends {
                        self.state = State::Colon;
                    }
                    ends
                }
                State::InText => self.read_text(io)?,
                State::InNumber => self.read_number(io)?,
                State::InLiteral => self.read_literal(io)?,
                State::After if self.depth == self.floor => {
                    self.skipping = false;
                    self.after_value(io);
                    return Ok(true);
                }
                _ => {
                    io.pos += match io.peek() {
                        Some(byte) if byte > b' ' => 0,
                        _ => swift::blank(io.rest()),
                    };
                    match io.peek() {
                        Some(byte) => {
                            self.skip_token(io, byte)?;
                            true
                        }
                        None => false,
                    }
                }
            };
            if !goes_on {
                return Ok(false);
            }
        }
    }

    #[inline]
    fn skip_token(&mut self, io: &mut Io<'_>, byte: u8) -> Result<(), Trouble> {
        match (self.state, byte) {
            (State::Colon, b':') => {
                self.state = State::Value;
                io.pos += 1;
            }
            (State::After, b',') => {
                self.state = if self.in_object() { State::Name } else { State::Value };
                io.pos += 1;
            }
            (State::After | State::FirstName, b'}') if self.in_object() => self.unnest(io),
            (State::After | State::FirstItem, b']') if !self.in_object() => self.unnest(io),
            (State::FirstName | State::Name, b'"') => self.begin_name(io),
            (State::Value | State::FirstItem, b'{' | b'[') => {
                if self.depth >= self.limits.depth {
                    return Err(Trouble::TooDeep);
                }
                self.nest(io, byte == b'{');
            }
            (State::Value | State::FirstItem, _) => self.begin_scalar(io, byte)?,
            _ => return Err(self.unexpected(io)),
        }
        Ok(())
    }

    /// A name begins.
    #[inline]
    pub(super) fn begin_name(&mut self, io: &mut Io<'_>) {
        io.pos += 1;
        io.token = io.pos;
        self.text = Text::begin(true);
        self.token_bytes = 0;
        self.carried = false;
        self.state = State::InName;
    }

    /// A text, number or literal begins.
    #[inline]
    pub(super) fn begin_scalar(&mut self, io: &mut Io<'_>, byte: u8) -> Result<(), Trouble> {
        match byte {
            b'"' => {
                io.pos += 1;
                self.text = Text::begin(false);
                self.state = State::InText;
            }
            b'-' | b'0'..=b'9' => {
                self.number = Number::begin(byte);
                self.state = State::InNumber;
                self.token_bytes = 1;
            }
            b't' => self.begin_literal(b"true"),
            b'f' => self.begin_literal(b"false"),
            b'n' => self.begin_literal(b"null"),
            _ => return Err(self.unexpected(io)),
        }
        io.token = io.pos;
        self.carried = false;
        // The first byte of a number has been judged.
        io.pos += usize::from(self.state == State::InNumber);
        Ok(())
    }

    fn begin_literal(&mut self, literal: &'static [u8]) {
        (self.literal, self.literal_left) = (literal, literal);
        self.state = State::InLiteral;
    }

    /// What is wrong about the next byte.
    #[cold]
    pub(super) fn unexpected(&self, io: &Io<'_>) -> Trouble {
        let what = match self.state {
            State::Value | State::FirstItem => "a value should be here",
            State::FirstName | State::Name => "a name should be here",
            State::Colon => "a colon should be here",
            State::Done => "there is something behind its end",
            _ => "a comma or the end of the array or object should be here",
        };
        self.invalid(io.pos, what)
    }
}

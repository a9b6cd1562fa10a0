//! Names, texts, numbers and literals, which may come in pieces.

use super::settle::append;
use super::{Emit, Io, Light, Machine, State};
use crate::limits::TOKEN_BYTES_MAX;
use crate::paths::Paths;
use crate::plan::{NONE, Node};
use crate::text::{Fault, unescape};
use crate::trouble::Trouble;

impl Machine {
    #[cold]
    fn fault(&self, io: &Io<'_>, fault: Fault) -> Trouble {
        self.invalid(io.pos + fault.at, fault.what)
    }

    /// Reads a name on, up to and with its closing quote: `true`.
    #[inline]
    pub(super) fn read_name(&mut self, io: &mut Io<'_>) -> Result<bool, Trouble> {
        let rest = io.rest();
        let ended = self.text.read(rest).map_err(|fault| self.fault(io, fault))?;
        let read = ended.unwrap_or(rest.len());
        io.pos += read;
        self.token_bytes += read;
        let bytes = self.token_bytes - usize::from(ended.is_some());
        if bytes > self.limits.name_bytes && self.compares_names {
            return Err(Trouble::NameTooLong);
        }
        Ok(ended.is_some())
    }

    /// Reads a text on, up to and with its closing quote: `true`, and it is a value.
    #[inline]
    pub(super) fn read_text(&mut self, io: &mut Io<'_>) -> Result<bool, Trouble> {
        let rest = io.rest();
        let ended = self.text.read(rest).map_err(|fault| self.fault(io, fault))?;
        io.pos += ended.unwrap_or(rest.len());
        if ended.is_some() {
            self.state = State::After;
        }
        Ok(ended.is_some())
    }

    /// Reads a number on, up to the first byte that is not its own: `true`.
    #[inline]
    pub(super) fn read_number(&mut self, io: &mut Io<'_>) -> Result<bool, Trouble> {
        let rest = io.rest();
        let ended = self.number.read(rest).map_err(|fault| self.fault(io, fault))?;
        let read = ended.unwrap_or(rest.len());
        io.pos += read;
        self.token_bytes += read;
        if self.token_bytes > self.limits.number_bytes {
            return Err(Trouble::NumberTooLong);
        }
        if ended.is_some() {
            self.state = State::After;
        }
        Ok(ended.is_some())
    }

    /// Reads a literal on.
    #[inline]
    pub(super) fn read_literal(&mut self, io: &mut Io<'_>) -> Result<bool, Trouble> {
        for byte in io.rest() {
            match self.literal_left.split_first() {
                Some((expected, left)) if expected == byte => self.literal_left = left,
                Some(_) => return Err(self.invalid(io.pos, "a literal that is none")),
                None => break,
            }
            io.pos += 1;
        }
        let ended = self.literal_left.is_empty();
        if ended {
            self.state = State::After;
        }
        Ok(ended)
    }

    /// A name, and what follows from it. `false` at the end of the piece.
    pub(super) fn name_on(&mut self, io: &mut Io<'_>) -> Result<bool, Trouble> {
        if !self.read_name(io)? {
            return Ok(false);
        }
        self.state = State::Colon;
        if !self.carried {
            self.named_raw(io.part(io.token, io.pos - 1))?;
            return Ok(true);
        }
        let mut carry = std::mem::take(&mut self.carry);
        if self.emit == Emit::Pending {
            // The name is of the property that waits, so it is carried on with what is before it.
            append(&mut carry, io.part(0, io.pos));
            let end = carry.len() - 1;
            self.named_raw(carry.get(self.token_at..end).unwrap_or_default())?;
            (io.span, io.pending) = (io.pos, io.pos);
        } else {
            let room = (TOKEN_BYTES_MAX + 1).saturating_sub(carry.len());
            append(&mut carry, io.part(0, room.min(io.pos - 1)));
            self.named_raw(&carry)?;
            carry.clear();
        }
        self.carry = carry;
        Ok(true)
    }

    /// A name as it is written. If it is longer than a name may be that is compared, its beginning
    /// is enough: it is only tracked.
    fn named_raw(&mut self, raw: &[u8]) -> Result<(), Trouble> {
        if !self.text.is_escaped() {
            return self.named(raw);
        }
        let mut into = [0; TOKEN_BYTES_MAX];
        let raw = raw.get(..TOKEN_BYTES_MAX).unwrap_or(raw);
        match unescape(raw, &mut into) {
            Err(_) if self.compares_names => Err(Trouble::NameTooLong),
            // Halves of pairs have been refused: a name that does not end well was cut here.
            Ok(name) | Err(name) => self.named(name),
        }
    }

    /// Which property the value will be of.
    fn named(&mut self, name: &[u8]) -> Result<(), Trouble> {
        let Some(frame) = self.frames.last_mut() else { return Ok(()) };
        self.track = NONE;
        if frame.light != Light::Dark {
            self.track = self.paths.property(frame.track, frame.last, name);
            frame.last = self.track;
        }
        // What is remembered of a path is not asked here: a name that was cut shares it with others.
        self.node = match frame.light {
            Light::Sure => frame.node,
            Light::Lit | Light::Dark => self.plan.child(frame.node, name),
        };
        self.paths.plan(self.track, name, frame.node, self.node);
        self.step(self.node)
    }

    /// The name that came after the last one in other objects. Usually it is the one.
    #[inline]
    pub(super) fn expected_name(&mut self, io: &mut Io<'_>) -> Result<bool, Trouble> {
        let Some(frame) = self.frames.last_mut() else { return Ok(false) };
        let expected = self.paths.expected(frame.track, frame.last, io.input, io.pos + 1);
        let Some((track, behind)) = expected else { return Ok(false) };
        let node = match frame.light {
            Light::Sure => Some(frame.node),
            Light::Lit | Light::Dark => self.paths.planned(track, frame.node),
        };
        let Some(node) = node else { return Ok(false) };
        frame.last = track;
        (self.track, self.node) = (track, node);
        io.pos = behind;
        self.state = State::Colon;
        self.step(node)?;
        Ok(true)
    }

    /// A step on the way to a tie's value must be gone once.
    #[inline]
    fn step(&mut self, node: u16) -> Result<(), Trouble> {
        let step = self.plan.node(node).step;
        if step == Node::NO_STEP {
            return Ok(());
        }
        let scope = self.scopes.last_mut().ok_or(Trouble::Ambiguous)?;
        let bit = 1 << step;
        if scope.visited & bit != 0 {
            return Err(Trouble::Ambiguous);
        }
        scope.visited |= bit;
        Ok(())
    }

    /// A text. `false` at the end of the piece.
    #[inline]
    pub(super) fn text_on(&mut self, io: &mut Io<'_>) -> Result<bool, Trouble> {
        if !self.read_text(io)? {
            return Ok(false);
        }
        if self.judge == NONE {
            self.after_value(io);
        } else {
            self.judge_token(io, io.pos - 1)?;
        }
        Ok(true)
    }

    /// A number. `false` at the end of the piece.
    #[inline]
    pub(super) fn number_on(&mut self, io: &mut Io<'_>) -> Result<bool, Trouble> {
        if !self.read_number(io)? {
            return Ok(false);
        }
        if self.judge == NONE {
            self.after_value(io);
        } else {
            self.text = crate::text::Text::begin(false);
            self.judge_token(io, io.pos)?;
        }
        Ok(true)
    }

    /// A literal. `false` at the end of the piece.
    #[inline]
    pub(super) fn literal_on(&mut self, io: &mut Io<'_>) -> Result<bool, Trouble> {
        if !self.read_literal(io)? {
            return Ok(false);
        }
        if self.judge == NONE {
            self.after_value(io);
            return Ok(true);
        }
        // `null` says that there is no value, so it is none that anybody may see.
        let holds = match self.literal {
            b"null" => 0,
            literal => self.plan.judge(self.judge).map_or(0, |judge| judge.holds(literal)),
        };
        if self.judge_value(io, holds)? {
            self.after_value(io);
        }
        Ok(true)
    }

    /// Judges a text or number that ends before `end`.
    fn judge_token(&mut self, io: &mut Io<'_>, end: usize) -> Result<(), Trouble> {
        let holds = if self.carried {
            let mut carry = std::mem::take(&mut self.carry);
            let room = (TOKEN_BYTES_MAX + 1).saturating_sub(carry.len());
            append(&mut carry, io.part(0, room.min(end)));
            let holds = self.holds(&carry);
            carry.clear();
            self.carry = carry;
            holds
        } else {
            self.holds(io.part(io.token, end))
        };
        if self.judge_value(io, holds)? {
            self.after_value(io);
        }
        Ok(())
    }

    /// The alternatives whose ties hold for a value as it is written. What is too long to be kept
    /// cannot be compared, in one piece or in many.
    fn holds(&self, raw: &[u8]) -> u64 {
        let Some(judge) = self.plan.judge(self.judge) else { return 0 };
        if raw.len() > TOKEN_BYTES_MAX {
            return 0;
        }
        if !self.text.is_escaped() {
            return judge.holds(raw);
        }
        let mut into = [0; TOKEN_BYTES_MAX];
        unescape(raw, &mut into).map_or(0, |value| judge.holds(value))
    }

    /// Whether a token is being read that will be compared.
    pub(super) fn has_open_token(&self) -> bool {
        !self.skipping
            && match self.state {
                State::InName => true,
                State::InText | State::InNumber => self.judge != NONE,
                _ => false,
            }
    }

    /// The property of a value inside the innermost array.
    pub(super) fn item(&mut self) {
        let (node, track) = match self.frames.last() {
            Some(frame) => (frame.node, frame.track),
            None => (crate::plan::Plan::ROOT, Paths::ROOT),
        };
        (self.node, self.track) = (node, track);
    }
}

//! One document on its way: reads every byte once, and copies what may be seen.
//!
//! The machine stops at any byte and goes on with the next piece. It holds a frame for each object
//! and array around the place where it is, and of the input only what waits for a decision: the
//! name of a property until its value begins, and a judged object until its ties are decided.
//!
//! A judged object is written as if all its ties held, and taken back when they do not. Where the
//! piece ends before that is known, what was written is taken back and the bytes are held instead,
//! to be read again when it is known. So nothing undecided leaves, and usually nothing is read twice.

use std::sync::Arc;

use crate::limits::Limits;
use crate::number::Number;
use crate::paths::{Paths, grow};
use crate::plan::{Mask, NONE, Plan};
use crate::swift;
use crate::text::Text;
use crate::trouble::Trouble;

mod emit;
mod io;
mod scope;
mod settle;
mod skim;
mod skip;
mod stride;
mod sure;
mod token;
mod walk;

use io::Io;
use scope::{Scope, Verdict};

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Value,
    /// An item or the end of the array.
    FirstItem,
    /// A name or the end of the object.
    FirstName,
    Name,
    InName,
    Colon,
    InText,
    InNumber,
    InLiteral,
    /// A comma or the end of what is around.
    After,
    /// White space.
    Done,
    /// The held bytes, again: the judged object that they begin may be seen.
    Again,
}

impl State {
    /// Between tokens, where there may be white space.
    const fn is_between(self) -> bool {
        !matches!(self, Self::InName | Self::InText | Self::InNumber | Self::InLiteral)
    }
}

/// What becomes of the bytes that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Emit {
    /// They are written.
    Span,
    /// They wait for a decision.
    Pending,
    /// They are left out.
    Off,
}

/// How much of what is in an object or array may be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Light {
    /// All of it.
    Sure,
    /// Some of it, perhaps.
    Lit,
    /// Nothing: it is only searched for the values of ties.
    Dark,
}

/// An object or array that is not skipped.
#[derive(Debug, Clone, Copy)]
struct Frame {
    /// The alternatives that match.
    mask: Mask,
    /// The plan's node of the object, or of the array's items.
    node: u16,
    /// Its property.
    track: u16,
    /// The property that came last in the object.
    last: u16,
    light: Light,
    /// Something in it was kept, so a comma comes before the next.
    kept: bool,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Machine {
    plan: Arc<Plan>,
    limits: Limits,
    /// Whether there is an output.
    writes: bool,
    compares_names: bool,
    /// Numbers may be as long as those that are read at once.
    strides: bool,
    state: State,
    emit: Emit,
    /// Arrays and objects around.
    depth: u32,
    /// A bit for each of them, the innermost lowest: 1 for an object.
    kinds: u128,
    /// Inside something that is left out and holds no ties, below this depth.
    skipping: bool,
    floor: u32,
    frames: Vec<Frame>,
    /// The plan's node of the value that comes, and its property.
    node: u16,
    track: u16,
    /// Who judges the text, number or literal that is being read.
    judge: u16,
    text: Text,
    number: Number,
    /// The literal that is being read, and what is left of it.
    literal: &'static [u8],
    literal_left: &'static [u8],
    /// Bytes of the name or number so far.
    token_bytes: usize,
    /// From earlier pieces: what waits for a decision, and from `token_at` on the token.
    carry: Vec<u8>,
    token_at: usize,
    carried: bool,
    /// White space in a row, where it waits.
    blank: usize,
    scopes: Vec<Scope>,
    /// The bytes of the outermost scope that is not decided, behind what comes before it.
    hold: Vec<u8>,
    hold_prefix: usize,
    verdict: Option<Verdict>,
    paths: Paths,
    items_removed: u64,
    /// Bytes before the piece.
    base: u64,
}

/// The most white space in a row that is kept between a name and what is before and behind it.
const BLANK_MAX: usize = 128;

impl Machine {
    /// A machine for documents under a plan; one that does not write only tracks what passes.
    pub(crate) fn new(plan: Arc<Plan>, limits: Limits, writes: bool) -> Self {
        let compares_names = plan.compares_names();
        let mut machine = Self {
            plan,
            limits: limits.clamped(),
            writes,
            compares_names,
            strides: limits.number_bytes >= swift::NUMBER_BYTES,
            state: State::Value,
            emit: Emit::Span,
            depth: 0,
            kinds: 0,
            skipping: false,
            floor: 0,
            frames: Vec::new(),
            node: Plan::ROOT,
            track: Paths::ROOT,
            judge: NONE,
            text: Text::begin(false),
            number: Number::begin(b'-'),
            literal: b"",
            literal_left: b"",
            token_bytes: 0,
            carry: Vec::new(),
            token_at: 0,
            carried: false,
            blank: 0,
            scopes: Vec::new(),
            hold: Vec::new(),
            hold_prefix: 0,
            verdict: None,
            paths: Paths::new(),
            items_removed: 0,
            base: 0,
        };
        machine.reset();
        machine
    }

    /// Forgets the document; what was tracked stays.
    pub(crate) fn reset(&mut self) {
        self.state = State::Value;
        self.emit = if self.compares_names { Emit::Pending } else { Emit::Span };
        (self.depth, self.kinds, self.skipping) = (0, 0, false);
        (self.node, self.track) = (Plan::ROOT, Paths::ROOT);
        (self.blank, self.carried, self.verdict) = (0, false, None);
        self.frames.clear();
        self.scopes.clear();
        self.carry.clear();
        self.hold.clear();
        self.paths.settle();
    }

    /// Reads a piece of the document, before which `base` bytes came.
    pub(crate) fn push(
        &mut self,
        piece: &[u8],
        base: u64,
        out: &mut Vec<u8>,
    ) -> Result<(), Trouble> {
        loop {
            self.base = base;
            let mut io = Io::new(piece, out);
            if !self.run(&mut io)? && !self.settle(&mut io)? {
                return Ok(());
            }
            self.read_held(out)?;
        }
    }

    /// Reads a document that is there whole.
    pub(crate) fn whole(
        &mut self,
        document: &[u8],
        base: u64,
        out: &mut Vec<u8>,
    ) -> Result<(), Trouble> {
        self.base = base;
        let mut io = Io::new(document, out);
        // Without an earlier piece nothing is held that could have to be read again.
        self.run(&mut io)?;
        self.complete(&mut io)?;
        self.write(&mut io);
        Ok(())
    }

    /// The document ends here, after `base` bytes.
    pub(crate) fn end(&mut self, base: u64, out: &mut Vec<u8>) -> Result<(), Trouble> {
        self.base = base;
        self.complete(&mut Io::new(b"", out))
    }

    fn complete(&mut self, io: &mut Io<'_>) -> Result<(), Trouble> {
        if self.state == State::InNumber && self.depth == 0 && self.number.is_complete() {
            self.after_value(io);
        }
        match self.state {
            State::Done => Ok(()),
            _ => Err(self.invalid(io.pos, "it ends early")),
        }
    }

    /// Whether there was nothing but white space yet.
    pub(crate) fn is_blank(&self) -> bool {
        self.state == State::Value && self.depth == 0
    }

    /// What was tracked.
    pub(crate) fn paths(&self) -> &Paths {
        &self.paths
    }

    /// Items of judged lists that were removed.
    pub(crate) fn items_removed(&self) -> u64 {
        self.items_removed
    }

    /// The bounds that it keeps to.
    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Bytes that it has allocated.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.frames.capacity() * size_of::<Frame>()
            + self.scopes.capacity() * size_of::<Scope>()
            + self.carry.capacity()
            + self.hold.capacity()
            + self.paths.memory_bytes()
    }

    /// Until the piece ends, or until held bytes have to be read again: `true`.
    fn run(&mut self, io: &mut Io<'_>) -> Result<bool, Trouble> {
        loop {
            if self.skipping && !self.skip(io)? {
                return Ok(false);
            }
            self.stride_sure(io);
            let goes_on = match self.state {
                State::Again => return Ok(true),
                State::InName => self.name_on(io)?,
                State::InText => self.text_on(io)?,
                State::InNumber => self.number_on(io)?,
                State::InLiteral => self.literal_on(io)?,
                _ => match self.next_token(io) {
                    Some(byte) => {
                        self.walk(io, byte)?;
                        true
                    }
                    None => false,
                },
            };
            if !goes_on {
                return Ok(false);
            }
        }
    }

    /// The innermost object or array may be seen; the document itself may, or is not written.
    #[inline]
    fn is_lit(&self) -> bool {
        self.frames.last().is_none_or(|frame| frame.light != Light::Dark)
    }

    fn push_frame(&mut self, io: &mut Io<'_>, object: bool, lit: bool, mask: Mask) {
        let node = self.plan.node(self.node);
        let inner = match (object, node.fixed) {
            (true, false) => self.node,
            (true, true) => node.other,
            (false, _) => node.array,
        };
        let inside = self.plan.node(inner);
        let light = match lit {
            false => Light::Dark,
            true if inside.fixed && inside.shown & mask != 0 => Light::Sure,
            true => Light::Lit,
        };
        grow(&mut self.frames, 1, self.limits.depth as usize);
        let track = self.track;
        self.frames.push(Frame { mask, node: inner, track, last: NONE, light, kept: false });
        self.nest(io, object);
        self.node = inner;
        if light == Light::Lit {
            self.emit = Emit::Pending;
            io.pending = io.pos;
        }
    }

    /// Goes past the opening bracket.
    #[inline]
    fn nest(&mut self, io: &mut Io<'_>, object: bool) {
        self.depth += 1;
        self.kinds = (self.kinds << 1) | u128::from(object);
        self.state = if object { State::FirstName } else { State::FirstItem };
        io.pos += 1;
    }

    /// Goes past the closing bracket.
    #[inline]
    fn unnest(&mut self, io: &mut Io<'_>) {
        self.depth -= 1;
        self.kinds >>= 1;
        self.state = State::After;
        io.pos += 1;
    }

    #[inline]
    fn in_object(&self) -> bool {
        self.kinds & 1 == 1
    }

    #[cold]
    fn invalid(&self, at: usize, what: &'static str) -> Trouble {
        Trouble::Invalid { offset: self.base + at as u64, what }
    }
}

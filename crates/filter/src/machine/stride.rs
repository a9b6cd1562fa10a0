//! The usual case, many bytes at a time: members of an object that may be seen or may not, each one
//! whole in the piece, a plain text, number or literal, and with the name that came there before.
//!
//! All of it could be done token by token; nothing here may do anything else. What is unusual ends
//! the stride at a place where the tokens go on.

use super::{BLANK_MAX, Emit, Frame, Io, Light, Machine, State};
use crate::paths::Paths;
use crate::plan::{NONE, Node, Plan};
use crate::swift;

/// Where a stride ended.
struct End {
    at: usize,
    state: State,
    emit: Emit,
    /// The value that comes next, if that is what does.
    node: u16,
    track: u16,
}

impl Machine {
    /// Members from the quote of a name on. `false` if there was not one.
    #[inline]
    pub(super) fn stride(&mut self, io: &mut Io<'_>) -> bool {
        if !self.strides || !self.carry.is_empty() {
            return false;
        }
        let end = match self.frames.last().map(|frame| frame.light) {
            Some(Light::Lit) => self.members::<true>(io),
            Some(Light::Dark) => self.members::<false>(io),
            Some(Light::Sure) | None => return false,
        };
        self.stand(io, end)
    }

    /// Texts, numbers and literals in an array of which none may be seen. `false` if there was not
    /// one.
    pub(super) fn stride_removed_items(&mut self, io: &mut Io<'_>) -> bool {
        let Some(frame) = self.frames.last() else { return false };
        let node = self.plan.node(frame.node);
        let removed = frame.light == Light::Lit && node.value() & frame.mask == 0;
        if !removed || node.class != NONE || !self.strides || !self.carry.is_empty() {
            return false;
        }
        let (kept, begin, mut at) = (frame.kept, io.pos, io.pos);
        loop {
            let bytes = swift::scalar(io.part(at, io.input.len()));
            if bytes == 0 {
                return io.pos > begin;
            }
            self.paths.removed(self.track);
            self.discard(io);
            io.pos = at + bytes;
            self.wait(io, io.pos);
            self.state = State::After;
            if io.peek() != Some(b',') {
                return true;
            }
            self.wait(io, io.pos + usize::from(!kept));
            io.pos += 1;
            self.state = State::Value;
            at = swift::behind_blank(io.input, io.pos);
            if at - io.pos > BLANK_MAX {
                return true;
            }
        }
    }

    /// Stands where a stride ended. `false` if that is where it began.
    #[inline]
    fn stand(&mut self, io: &mut Io<'_>, end: Option<End>) -> bool {
        let Some(end) = end.filter(|end| end.at > io.pos) else { return false };
        io.pos = end.at;
        (self.state, self.emit) = (end.state, end.emit);
        (self.node, self.track) = (end.node, end.track);
        true
    }

    /// `LIT`: some may be seen. Otherwise none is written.
    #[inline]
    fn members<const LIT: bool>(&mut self, io: &mut Io<'_>) -> Option<End> {
        let Self { frames, paths, plan, writes, .. } = self;
        let frame = frames.last_mut()?;
        let waits = if LIT { Emit::Pending } else { Emit::Off };
        let input = io.input;
        // `from` is behind the comma before, or where the first name begins.
        let (mut from, mut at) = (io.pos, io.pos);
        loop {
            let end = |at, state, emit, node, track| Some(End { at, state, emit, node, track });
            let Some(member) = member(frame, paths, plan, input, at) else {
                return end(from, State::Name, waits, frame.node, frame.track);
            };
            let Member { track, node, shown, value } = member;
            frame.last = track;
            let bytes = swift::scalar(input.get(value..).unwrap_or_default());
            if bytes == 0 {
                return end(value, State::Value, waits, node, track);
            }
            let comma = value + bytes;
            if LIT && shown {
                frame.kept = true;
                paths.saw(track);
            } else if LIT {
                paths.removed(track);
                if *writes {
                    io.out.extend_from_slice(io.part(io.span, io.pending));
                }
                (io.span, io.pending) = (comma, comma);
            }
            if input.get(comma) != Some(&b',') {
                let emit = if LIT && shown { Emit::Span } else { waits };
                return end(comma, State::After, emit, node, track);
            }
            if LIT && shown {
                io.pending = comma;
            } else if LIT {
                let waits = comma + usize::from(!frame.kept);
                (io.span, io.pending) = (waits, waits);
            }
            from = comma + 1;
            at = swift::behind_blank(input, from);
            if input.get(at) != Some(&b'"') || at - from > BLANK_MAX {
                return end(from, State::Name, waits, node, track);
            }
        }
    }
}

/// A member with the name that was expected.
struct Member {
    track: u16,
    node: u16,
    shown: bool,
    /// Where its value begins.
    value: usize,
}

/// The member whose name's quote stands at a place. `None` if its name is not the expected one, or
/// if a tie passes there.
#[inline]
fn member(frame: &Frame, paths: &Paths, plan: &Plan, input: &[u8], at: usize) -> Option<Member> {
    let (track, colon) = paths.expected(frame.track, frame.last, input, at + 1)?;
    let value = swift::behind_colon(input, colon)?;
    let number = paths.planned(track, frame.node)?;
    let node = plan.node(number);
    let shown = node.value() & frame.mask != 0;
    (node.step == Node::NO_STEP).then_some(Member { track, node: number, shown, value })
}

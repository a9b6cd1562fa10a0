//! What is written, and when.

use super::settle::append;
use super::{BLANK_MAX, Emit, Io, Light, Machine, State};
use crate::swift;

impl Machine {
    /// What waits may be seen, and what comes.
    #[inline]
    pub(super) fn keep(&mut self, io: &mut Io<'_>) {
        if self.emit == Emit::Pending {
            if !self.carry.is_empty() {
                io.out.extend_from_slice(&self.carry);
                self.carry.clear();
            }
            self.emit = Emit::Span;
        }
    }

    /// What waits may not be seen, nor what comes.
    pub(super) fn discard(&mut self, io: &mut Io<'_>) {
        if self.emit == Emit::Pending {
            self.copy(io, io.span, io.pending);
            self.carry.clear();
        }
        self.emit = Emit::Off;
    }

    /// Copies a part of the piece.
    #[inline]
    pub(super) fn copy(&self, io: &mut Io<'_>, from: usize, to: usize) {
        if self.writes {
            io.out.extend_from_slice(io.part(from, to));
        }
    }

    /// Copies what is certain, at the end of a piece.
    pub(super) fn write(&self, io: &mut Io<'_>) {
        match self.emit {
            Emit::Span => self.copy(io, io.span, io.input.len()),
            Emit::Pending => self.copy(io, io.span, io.pending),
            Emit::Off => {}
        }
    }

    /// Behind a value. If it was left out, what comes waits again.
    #[inline]
    pub(super) fn after_value(&mut self, io: &mut Io<'_>) {
        if self.emit == Emit::Off && self.is_lit() {
            self.wait(io, io.pos);
        }
        self.state = if self.depth == 0 { State::Done } else { State::After };
    }

    /// What comes from `from` on waits; nothing before it does any more.
    #[inline]
    pub(super) fn wait(&mut self, io: &mut Io<'_>, from: usize) {
        self.emit = Emit::Pending;
        (io.span, io.pending) = (from, from);
        self.carry.clear();
    }

    /// A comma, which is written if something was kept before it and something is behind it.
    #[inline]
    pub(super) fn comma(&mut self, io: &mut Io<'_>) {
        let Some(frame) = self.frames.last() else { return };
        let (kept, light) = (frame.kept, frame.light);
        match self.emit {
            Emit::Span if light != Light::Sure => {
                self.emit = Emit::Pending;
                io.pending = io.pos;
            }
            Emit::Pending => self.wait(io, io.pos + usize::from(!kept)),
            Emit::Span | Emit::Off => {}
        }
        io.pos += 1;
    }

    /// The next byte that is no white space.
    #[inline]
    pub(super) fn next_token(&mut self, io: &mut Io<'_>) -> Option<u8> {
        match io.peek() {
            Some(byte) if byte > b' ' => Some(byte),
            Some(_) => self.next_behind_blank(io),
            None => None,
        }
    }

    fn next_behind_blank(&mut self, io: &mut Io<'_>) -> Option<u8> {
        let start = io.pos;
        io.pos += swift::blank(io.rest());
        if self.emit == Emit::Pending {
            self.trim(io, start);
        }
        io.peek()
    }

    /// Leaves out white space that waits, as far as it is too long to be carried to the next piece.
    fn trim(&mut self, io: &mut Io<'_>, start: usize) {
        let before = if start == 0 { self.blank } else { 0 };
        self.blank = before + io.pos - start;
        if self.blank > BLANK_MAX {
            let end = start + BLANK_MAX.saturating_sub(before);
            self.copy(io, io.span, io.pending);
            append(&mut self.carry, io.part(io.pending, end));
            (io.span, io.pending) = (io.pos, io.pos);
        }
    }
}

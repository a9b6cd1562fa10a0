//! What may be seen, and what is searched for ties: which values are kept.

use super::{Emit, Io, Light, Machine, State};
use crate::plan::{NONE, Node};
use crate::trouble::Trouble;

impl Machine {
    /// A byte between names and values.
    #[inline]
    pub(super) fn walk(&mut self, io: &mut Io<'_>, byte: u8) -> Result<(), Trouble> {
        match (self.state, byte) {
            (State::FirstName | State::Name, b'"') => {
                if !self.stride(io) && !self.expected_name(io)? {
                    self.begin_name(io);
                }
            }
            (State::Colon, b':') => {
                self.state = State::Value;
                io.pos += 1;
            }
            (State::After, b',') => {
                self.comma(io);
                self.state = State::Name;
                if !self.in_object() {
                    self.state = State::Value;
                    self.item();
                }
            }
            (State::After | State::FirstName, b'}') if self.in_object() => self.close(io)?,
            (State::After | State::FirstItem, b']') if !self.in_object() => self.close(io)?,
            (State::Value | State::FirstItem, b'{' | b'[') => self.container(io, byte == b'{')?,
            (State::Value | State::FirstItem, _) => {
                if self.in_object() || !self.stride_removed_items(io) {
                    self.begin_scalar(io, byte)?;
                    self.scalar(io)?;
                }
            }
            _ => return Err(self.unexpected(io)),
        }
        Ok(())
    }

    /// Whether a text, number or literal that begins is kept.
    #[inline]
    fn scalar(&mut self, io: &mut Io<'_>) -> Result<(), Trouble> {
        let node = self.plan.node(self.node);
        self.judge = node.judge;
        if self.emit == Emit::Off {
            return Ok(());
        }
        match self.frames.last_mut() {
            Some(frame) if node.class == NONE => {
                if node.value() & frame.mask != 0 {
                    frame.kept = true;
                    self.paths.saw(self.track);
                    self.keep(io);
                } else {
                    self.paths.removed(self.track);
                    self.discard(io);
                }
                Ok(())
            }
            _ => self.judged_scalar(io, node),
        }
    }

    /// An array or object begins: it is kept, or left out, or left out and searched for ties.
    fn container(&mut self, io: &mut Io<'_>, object: bool) -> Result<(), Trouble> {
        if self.depth >= self.limits.depth {
            return Err(Trouble::TooDeep);
        }
        let node = self.plan.node(self.node);
        self.judge = node.judge;
        if node.judge != NONE {
            // Only texts, numbers and literals are values, and only an array is a list.
            let lists = self.plan.judge(node.judge).map_or(0, |judge| judge.lists);
            if !self.judge_value(io, if object { 0 } else { lists })? {
                return Ok(());
            }
        }
        if self.emit == Emit::Off {
            self.leave_out(io, object, node);
            return Ok(());
        }
        match self.frames.last_mut() {
            Some(frame) if node.class == NONE => {
                let mask = frame.mask;
                if node.around(object) & mask != 0 {
                    frame.kept = true;
                    self.keep(io);
                    self.push_frame(io, object, true, mask);
                } else {
                    self.paths.removed(self.track);
                    self.discard(io);
                    self.leave_out(io, object, node);
                }
                Ok(())
            }
            _ => self.judged_container(io, object, node),
        }
    }

    /// An array or object that is not written.
    pub(super) fn leave_out(&mut self, io: &mut Io<'_>, object: bool, node: Node) {
        if !node.watched {
            self.begin_skip(io, object);
            return;
        }
        if object && node.class != NONE {
            self.watch_scope(node.class);
        }
        self.push_frame(io, object, false, 0);
    }

    /// The end of an array or object that was not skipped.
    fn close(&mut self, io: &mut Io<'_>) -> Result<(), Trouble> {
        let object = self.in_object();
        if self.frames.pop().is_some_and(|frame| frame.light != Light::Dark) {
            self.keep(io);
        }
        self.unnest(io);
        let outside = self.frames.len();
        if object && self.scopes.last().is_some_and(|scope| scope.depth == outside) {
            return self.end_scope(io);
        }
        self.after_value(io);
        Ok(())
    }
}

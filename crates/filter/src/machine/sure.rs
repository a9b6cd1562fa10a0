//! The usual case of what is kept whole, many bytes at a time: names that came there before, and
//! plain texts, numbers and literals that are whole in the piece.
//!
//! All of it could be done token by token; nothing here may do anything else. What is unusual ends
//! it at a place where the tokens go on.

use super::{Frame, Io, Light, Machine, State};
use crate::paths::{Paths, grow};
use crate::plan::NONE;
use crate::swift;

/// Where the reading is.
struct Place<'a> {
    input: &'a [u8],
    at: usize,
    state: State,
    /// The innermost object or array, and the property of the value that comes.
    frame: Frame,
    track: u16,
    kinds: u128,
    frames: &'a mut Vec<Frame>,
    depth_max: usize,
}

impl Machine {
    /// As far as it goes: anywhere in what is kept whole, or to the end of it.
    pub(super) fn stride_sure(&mut self, io: &mut Io<'_>) {
        let Some(&frame) = self.frames.last() else { return };
        if frame.light != Light::Sure || !self.strides || !self.state.is_between() {
            return;
        }
        let mut place = Place {
            input: io.input,
            at: io.pos,
            state: self.state,
            frame,
            track: self.track,
            kinds: self.kinds,
            frames: &mut self.frames,
            depth_max: self.limits.depth as usize,
        };
        while place.goes_on(&mut self.paths) {}
        io.pos = place.at;
        (self.state, self.kinds) = (place.state, place.kinds);
        (self.node, self.track) = (place.frame.node, place.track);
        if let Some(last) = place.frames.last_mut() {
            *last = place.frame;
        }
        self.depth = u32::try_from(self.frames.len()).unwrap_or(u32::MAX);
        if self.depth == 0 {
            self.state = State::Done;
        }
    }
}

impl Place<'_> {
    /// A member or an item; `false` at the end of what is sure, or before what is unusual.
    #[inline]
    fn goes_on(&mut self, paths: &mut Paths) -> bool {
        self.at = swift::behind_blank(self.input, self.at);
        let Some(&first) = self.input.get(self.at) else { return false };
        match (self.state, first) {
            (State::Name | State::FirstName, b'"') => {
                if !self.name(paths) {
                    return false;
                }
            }
            (State::Value | State::FirstItem, _) => {}
            (State::After, _) => return self.after(),
            _ => return false,
        }
        let bytes = swift::scalar(self.input.get(self.at..).unwrap_or_default());
        if bytes == 0 {
            return self.open();
        }
        paths.saw(self.track);
        self.at += bytes;
        self.state = State::After;
        self.after()
    }

    /// A name and its colon.
    #[inline]
    fn name(&mut self, paths: &Paths) -> bool {
        let expected = paths.expected(self.frame.track, self.frame.last, self.input, self.at + 1);
        let Some((track, colon)) = expected else { return false };
        let Some(value) = swift::behind_colon(self.input, colon) else { return false };
        (self.frame.last, self.track) = (track, track);
        (self.at, self.state) = (value, State::Value);
        true
    }

    #[inline]
    fn after(&mut self) -> bool {
        let object = self.kinds & 1 == 1;
        match self.input.get(self.at) {
            Some(b',') => {
                self.at += 1;
                self.state = State::Name;
                if !object {
                    (self.state, self.track) = (State::Value, self.frame.track);
                }
                true
            }
            Some(b'}') if object => self.close(),
            Some(b']') if !object => self.close(),
            // White space is behind us when this is asked again.
            Some(b' ' | b'\n' | b'\r' | b'\t') => true,
            _ => false,
        }
    }

    /// An object or array begins, if that is what it is.
    fn open(&mut self) -> bool {
        let bracket = self.input.get(self.at);
        let object = bracket == Some(&b'{');
        if !(object || bracket == Some(&b'[')) || self.frames.len() >= self.depth_max {
            return false;
        }
        if let Some(last) = self.frames.last_mut() {
            *last = self.frame;
        }
        // All that is in something sure is like it.
        (self.frame.track, self.frame.last) = (self.track, NONE);
        grow(self.frames, 1, self.depth_max);
        self.frames.push(self.frame);
        self.kinds = (self.kinds << 1) | u128::from(object);
        self.at += 1;
        self.state = if object { State::FirstName } else { State::FirstItem };
        true
    }

    fn close(&mut self) -> bool {
        self.frames.pop();
        self.kinds >>= 1;
        self.at += 1;
        self.state = State::After;
        let Some(frame) = self.frames.last() else { return false };
        self.frame = *frame;
        frame.light == Light::Sure
    }
}

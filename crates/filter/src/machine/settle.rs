//! The end of a piece: what is certain is written, what is not is kept for the next one.

use super::scope::{Scope, Standing};
use super::{Emit, Io, Machine};
use crate::limits::TOKEN_BYTES_MAX;
use crate::paths::grow;
use crate::swift;
use crate::trouble::Trouble;

/// Room for what is before a held scope: a comma and white space.
const PREFIX_BYTES_MAX: usize = 512;
/// Room for a comma, a name and the white space around it.
const CARRY_BYTES_MAX: usize = 1_536;

/// What has to be done with the bytes of a scope that is not decided.
enum Held {
    Nothing,
    /// They begin here in the piece. What is written before them is in `hold` already.
    From(usize),
    /// All of the piece belongs to it.
    More,
    /// It was decided and is too large to be held to its end.
    Again,
}

impl Machine {
    /// The end of a piece. `true` if the held bytes have to be read again first.
    pub(super) fn settle(&mut self, io: &mut Io<'_>) -> Result<bool, Trouble> {
        let from = match self.undecided(io)? {
            Held::Nothing => io.input.len(),
            Held::From(from) => from,
            Held::More => 0,
            Held::Again => return Ok(true),
        };
        let bytes = io.part(from, io.input.len());
        grow(&mut self.hold, bytes.len(), self.limits.hold_bytes + PREFIX_BYTES_MAX);
        self.hold.extend_from_slice(bytes);
        self.carry_on(io);
        Ok(false)
    }

    /// Reads the held bytes again: their scope may be seen.
    pub(super) fn read_held(&mut self, out: &mut Vec<u8>) -> Result<(), Trouble> {
        let judging = |scope: &Scope| scope.standing == Standing::Judging;
        let index = self.scopes.iter().position(judging);
        let scope = index.and_then(|index| self.scopes.get(index)).copied();
        let (Some(index), Some(scope), Some(verdict)) = (index, scope, self.verdict) else {
            return Err(Trouble::Ambiguous);
        };
        self.scopes.truncate(index);
        let mut held = std::mem::take(&mut self.hold);
        let (before, bytes) = held.split_at_checked(self.hold_prefix).unwrap_or_default();
        self.carry.clear();
        append(&mut self.carry, before);
        self.base = scope.start;
        self.go_back(&scope, verdict);
        let mut io = Io::new(bytes, out);
        // All that is held is of one scope, and that is decided now: nothing is read a third time.
        self.run(&mut io)?;
        let from = match self.undecided(&mut io)? {
            Held::From(from) => before.len() + from,
            Held::Nothing | Held::More | Held::Again => held.len(),
        };
        self.carry_on(&mut io);
        held.splice(..from, self.hold.drain(..));
        self.hold = held;
        Ok(())
    }

    /// What is to be done with the outermost scope that is not decided.
    fn undecided(&mut self, io: &mut Io<'_>) -> Result<Held, Trouble> {
        let end = self.base + io.input.len() as u64;
        while let Some(index) = self.scopes.iter().position(Scope::is_undecided) {
            let Some(scope) = self.scopes.get_mut(index) else { break };
            let large = end - scope.start > self.limits.hold_bytes as u64;
            match scope.standing {
                _ if large && !scope.decided => return Err(Trouble::ScopeTooLarge),
                Standing::Guessed if large => {
                    scope.standing = Standing::Released;
                    self.settle_paths();
                }
                Standing::Guessed => {
                    let scope = *scope;
                    self.hold_from(io, index, &scope);
                    let from = usize::try_from(scope.start - self.base).unwrap_or(0);
                    return Ok(Held::From(from));
                }
                _ if large => {
                    let mask = scope.mask();
                    self.again(mask);
                    return Ok(Held::Again);
                }
                _ => return Ok(Held::More),
            }
        }
        Ok(Held::Nothing)
    }

    /// From here on a scope is not written but held.
    fn hold_from(&mut self, io: &mut Io<'_>, index: usize, scope: &Scope) {
        let before = io.out.get(scope.written..scope.written + scope.prefix).unwrap_or_default();
        self.hold.clear();
        grow(&mut self.hold, before.len(), PREFIX_BYTES_MAX);
        self.hold.extend_from_slice(before);
        self.hold_prefix = before.len();
        self.take_back(io, scope);
        for (number, scope) in self.scopes.iter_mut().enumerate().skip(index) {
            let outermost = number == index;
            scope.standing = if outermost { Standing::Judging } else { Standing::Watched };
        }
        self.darken(scope.depth);
        let unwatched = |frame: &super::Frame| !self.plan.node(frame.node).watched;
        let below = self.frames.iter().skip(scope.depth).position(unwatched);
        if let Some(below) = below {
            let floor = scope.depth + below;
            self.frames.truncate(floor);
            self.floor = u32::try_from(floor).unwrap_or(u32::MAX);
            self.skipping = true;
        }
        self.settle_paths();
    }

    /// Writes what is certain, and carries to the next piece what waits and what is compared.
    fn carry_on(&mut self, io: &mut Io<'_>) {
        let open = self.has_open_token();
        self.write(io);
        if self.emit == Emit::Pending {
            if open && !self.carried {
                self.token_at = self.carry.len() + io.token - io.pending;
            }
            let waits = io.part(io.pending, io.input.len());
            append(&mut self.carry, waits);
        } else if open {
            if !self.carried {
                self.carry.clear();
            }
            self.token_at = 0;
            let room = (TOKEN_BYTES_MAX + 1).saturating_sub(self.carry.len());
            let token = io.part(io.token, io.input.len());
            append(&mut self.carry, token.get(..room).unwrap_or(token));
        }
        self.carried = open;
        if io.input.last().is_some_and(|byte| swift::blank(&[*byte]) == 0) {
            self.blank = 0;
        }
    }
}

/// Appends to what is carried, which has its bound.
pub(super) fn append(carry: &mut Vec<u8>, bytes: &[u8]) {
    grow(carry, bytes.len(), CARRY_BYTES_MAX);
    carry.extend_from_slice(bytes);
}

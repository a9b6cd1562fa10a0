//! Judged objects: the response, or the items of a list. Whether they may be seen depends on values
//! in them, which may come last.

use super::settle::append;
use super::{Emit, Io, Light, Machine, State};
use crate::paths::{Mark, grow};
use crate::plan::{Class, Mask, NONE, Node};
use crate::trouble::Trouble;

/// An object that ties judge.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope {
    class: u16,
    /// Frames around it.
    pub(super) depth: usize,
    pub(super) standing: Standing,
    /// All its ties have been judged.
    pub(super) decided: bool,
    /// The alternatives that match what is around.
    parent: Mask,
    /// The alternatives by which its content is written.
    guess: Mask,
    /// The alternatives that a tie does not hold for.
    failed: Mask,
    /// Steps on the way to ties that have been gone, and judges that have not been asked.
    pub(super) visited: u64,
    open: u64,
    /// Where it begins, in the stream.
    pub(super) start: u64,
    /// Where it begins in the output, and how much of what is there comes before its first byte.
    pub(super) written: usize,
    pub(super) prefix: usize,
    pub(super) tally: Tally,
}

/// How far a scope is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is written, and may have to be taken back.
    Guessed,
    /// It is not written but held, and searched for ties.
    Judging,
    /// It may be seen; what is written stays.
    Released,
    /// It may not be seen.
    Refused,
    /// It is inside something that is not written.
    Watched,
}

/// What is known about a scope that is read again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Verdict {
    pub(super) mask: Mask,
    /// It has been read to its end, or is too large for that.
    pub(super) released: bool,
}

/// What was tracked before a scope.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    paths: Mark,
    items_removed: u64,
}

/// The most scopes inside each other: the lists that a tie names, and the response.
const SCOPES_MAX: usize = 8;

impl Scope {
    fn new(class: u16, depth: usize, standing: Standing) -> Self {
        Self {
            class,
            depth,
            standing,
            decided: false,
            parent: 0,
            guess: 0,
            failed: 0,
            visited: 0,
            open: 0,
            start: 0,
            written: 0,
            prefix: 0,
            tally: Tally::default(),
        }
    }

    /// Whether it is open how it ends.
    pub(super) fn is_undecided(&self) -> bool {
        matches!(self.standing, Standing::Guessed | Standing::Judging)
    }

    /// The alternatives that match it, as far as is known.
    pub(super) fn mask(&self) -> Mask {
        self.parent & !self.failed
    }
}

impl Machine {
    /// A text, number or literal that is judged by its place: as an item of a judged list, or as
    /// the document. It has no properties, so no tie holds for it.
    pub(super) fn judged_scalar(&mut self, io: &mut Io<'_>, node: Node) -> Result<(), Trouble> {
        let class = self.class(node);
        let mask = self.parent_mask() & !(class.alternatives | class.lists);
        if node.value() & mask != 0 {
            self.kept();
            self.paths.saw(self.track);
            self.keep(io);
            return Ok(());
        }
        if self.frames.is_empty() {
            return Err(Trouble::Withheld);
        }
        self.items_removed += 1;
        self.discard(io);
        Ok(())
    }

    /// The same for arrays and objects. Objects have ties to be decided.
    pub(super) fn judged_container(
        &mut self,
        io: &mut Io<'_>,
        object: bool,
        node: Node,
    ) -> Result<(), Trouble> {
        if object && node.class != NONE {
            return self.begin_scope(io, node);
        }
        let mask = self.parent_mask() & !self.class(node).alternatives;
        let root = self.frames.is_empty();
        if root && mask == 0 {
            return Err(Trouble::Withheld);
        }
        if root || node.around(object) & mask != 0 {
            self.kept();
            self.keep(io);
            self.push_frame(io, object, true, mask);
        } else {
            self.items_removed += 1;
            self.discard(io);
            self.leave_out(io, object, node);
        }
        Ok(())
    }

    fn begin_scope(&mut self, io: &mut Io<'_>, node: Node) -> Result<(), Trouble> {
        let (verdict, class) = (self.verdict.take(), self.class(node));
        let parent = self.parent_mask() & !class.lists;
        if parent == 0 && self.frames.is_empty() {
            return Err(Trouble::Withheld);
        }
        let guess = verdict.map_or(parent, |verdict| verdict.mask);
        let visible = self.frames.is_empty() || node.around(true) & guess != 0;
        let settled = parent & class.alternatives == 0;
        let standing = match verdict {
            _ if !visible => Standing::Refused,
            Some(verdict) if verdict.released => Standing::Released,
            _ if settled => Standing::Released,
            _ => Standing::Guessed,
        };
        let mut scope = Scope::new(node.class, self.frames.len(), standing);
        (scope.parent, scope.guess) = (parent, guess);
        scope.open = class.open;
        scope.decided = verdict.is_some() || settled;
        scope.start = self.base + io.pos as u64;
        match standing {
            Standing::Refused => self.discard(io),
            Standing::Guessed => self.write_guess(io, &mut scope),
            _ => self.keep(io),
        }
        grow(&mut self.scopes, 1, SCOPES_MAX);
        self.scopes.push(scope);
        self.push_frame(io, true, visible, guess);
        Ok(())
    }

    /// Writes what is before a scope, and the comma and white space that go with it.
    fn write_guess(&mut self, io: &mut Io<'_>, scope: &mut Scope) {
        if self.emit == Emit::Pending {
            self.copy(io, io.span, io.pending);
            scope.written = io.out.len();
            io.span = io.pending;
            self.keep(io);
        } else {
            self.copy(io, io.span, io.pos);
            scope.written = io.out.len();
            io.span = io.pos;
        }
        self.copy(io, io.span, io.pos);
        io.span = io.pos;
        scope.prefix = io.out.len() - scope.written;
        scope.tally = Tally { paths: self.paths.mark(), items_removed: self.items_removed };
    }

    /// An object in something that is not written, in which no name may lead to a tie twice.
    pub(super) fn watch_scope(&mut self, class: u16) {
        grow(&mut self.scopes, 1, SCOPES_MAX);
        self.scopes.push(Scope::new(class, self.frames.len(), Standing::Watched));
    }

    /// A tie's value was read: `holds` are the alternatives that allow it. `false` if the reading
    /// goes on somewhere else.
    pub(super) fn judge_value(&mut self, io: &mut Io<'_>, holds: Mask) -> Result<bool, Trouble> {
        let node = self.plan.node(self.node);
        let asked = self.plan.judge(self.judge).map_or(Mask::MAX, |judge| judge.alternatives);
        let scope = self.scopes.last_mut().ok_or(Trouble::Ambiguous)?;
        scope.open &= !(1 << node.step);
        scope.failed |= asked & !holds;
        if scope.decided || !scope.is_undecided() {
            return Ok(true);
        }
        let class = self.plan.class(scope.class).ok_or(Trouble::Ambiguous)?;
        if class.waiting(scope.open) & scope.mask() != 0 {
            return Ok(true);
        }
        scope.decided = true;
        self.decide(io)
    }

    /// The innermost scope has all it needs before its end.
    fn decide(&mut self, io: &mut Io<'_>) -> Result<bool, Trouble> {
        let Some(&scope) = self.scopes.last() else { return Ok(true) };
        self.check_size(&scope, io)?;
        let (mask, root) = (scope.mask(), scope.depth == 0);
        if mask == 0 {
            self.refuse(io);
            return if root { Err(Trouble::Withheld) } else { Ok(true) };
        }
        match scope.standing {
            Standing::Guessed if self.same_view(&scope, mask) => {
                // A list's items are small, and held to their ends: a name may still come twice.
                if root {
                    self.release();
                }
                Ok(true)
            }
            Standing::Guessed => {
                self.restart(io, Verdict { mask, released: root });
                Ok(false)
            }
            Standing::Judging if root => {
                self.again(mask);
                Ok(false)
            }
            _ => Ok(true),
        }
    }

    /// The object of the innermost scope has ended.
    pub(super) fn end_scope(&mut self, io: &mut Io<'_>) -> Result<(), Trouble> {
        let Some(&(mut scope)) = self.scopes.last() else { return Ok(()) };
        if scope.is_undecided() && !scope.decided {
            self.check_size(&scope, io)?;
            let class = self.plan.class(scope.class).ok_or(Trouble::Ambiguous)?;
            scope.failed |= class.waiting(scope.open);
        }
        let (mask, root) = (scope.mask(), scope.depth == 0);
        match scope.standing {
            Standing::Guessed | Standing::Judging if mask == 0 => {
                self.refuse(io);
                if root {
                    return Err(Trouble::Withheld);
                }
                self.items_removed += 1;
            }
            Standing::Judging => {
                self.again(mask);
                return Ok(());
            }
            Standing::Guessed if !self.same_view(&scope, mask) => {
                self.restart(io, Verdict { mask, released: true });
                return Ok(());
            }
            Standing::Guessed | Standing::Released => self.kept(),
            Standing::Refused => self.items_removed += 1,
            Standing::Watched => {}
        }
        self.scopes.pop();
        self.settle_paths();
        self.after_value(io);
        Ok(())
    }

    /// How large a scope may be that is not decided does not depend on how it comes in pieces.
    fn check_size(&self, scope: &Scope, io: &Io<'_>) -> Result<(), Trouble> {
        let bytes = self.base + io.pos as u64 - scope.start;
        let fits = bytes <= self.limits.hold_bytes as u64;
        if fits { Ok(()) } else { Err(Trouble::ScopeTooLarge) }
    }

    /// Whether it makes no difference that other alternatives match than was guessed.
    fn same_view(&self, scope: &Scope, mask: Mask) -> bool {
        let flat = self.plan.class(scope.class).is_some_and(|class| class.flat);
        mask == scope.guess || (self.plan.is_uniform() && flat)
    }

    /// The innermost scope may not be seen. What is left of it is searched for names that come
    /// twice.
    fn refuse(&mut self, io: &mut Io<'_>) {
        let Some(&scope) = self.scopes.last() else { return };
        if scope.standing == Standing::Guessed {
            self.take_back(io, &scope);
        }
        self.hold.clear();
        self.darken(scope.depth);
        if let Some(scope) = self.scopes.last_mut() {
            scope.standing = Standing::Refused;
        }
        self.settle_paths();
    }

    /// Takes back what was written and tracked of a scope.
    pub(super) fn take_back(&mut self, io: &mut Io<'_>, scope: &Scope) {
        io.out.truncate(scope.written);
        self.paths.undo(scope.tally.paths);
        self.items_removed = scope.tally.items_removed;
    }

    /// Nothing is written in the frames from `depth` on.
    pub(super) fn darken(&mut self, depth: usize) {
        for frame in self.frames.iter_mut().skip(depth) {
            (frame.light, frame.mask) = (Light::Dark, 0);
        }
        self.carry.clear();
        self.emit = Emit::Off;
    }

    /// What is written of the innermost scope stays.
    fn release(&mut self) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.standing = Standing::Released;
        }
        self.settle_paths();
    }

    /// Reads the innermost scope again, from its beginning in this piece: others match than was
    /// guessed.
    fn restart(&mut self, io: &mut Io<'_>, verdict: Verdict) {
        let Some(scope) = self.scopes.pop() else { return };
        let before = io.out.get(scope.written..scope.written + scope.prefix).unwrap_or_default();
        self.carry.clear();
        append(&mut self.carry, before);
        self.take_back(io, &scope);
        io.pos = usize::try_from(scope.start - self.base).unwrap_or(io.input.len());
        (io.span, io.pending) = (io.pos, io.pos);
        self.go_back(&scope, verdict);
    }

    /// The machine as it was before the first byte of a scope, but with a verdict.
    pub(super) fn go_back(&mut self, scope: &Scope, verdict: Verdict) {
        self.frames.truncate(scope.depth);
        let depth = u32::try_from(scope.depth).unwrap_or(u32::MAX);
        self.kinds = self.kinds.checked_shr(self.depth - depth).unwrap_or(0);
        self.depth = depth;
        self.skipping = false;
        self.emit = Emit::Pending;
        self.state = State::Value;
        (self.blank, self.carried) = (0, false);
        self.verdict = Some(verdict);
        self.item();
        self.settle_paths();
    }

    /// The held bytes of the innermost scope will be read again, and written.
    pub(super) fn again(&mut self, mask: Mask) {
        self.verdict = Some(Verdict { mask, released: true });
        self.state = State::Again;
    }

    /// If nothing is guessed any more, nothing that was tracked is taken back.
    pub(super) fn settle_paths(&mut self) {
        if !self.scopes.iter().any(|scope| scope.standing == Standing::Guessed) {
            self.paths.settle();
        }
    }

    /// Something was kept in the innermost array.
    fn kept(&mut self) {
        if let Some(frame) = self.frames.last_mut() {
            frame.kept = true;
        }
    }

    fn parent_mask(&self) -> Mask {
        self.frames.last().map_or_else(|| self.plan.everyone(), |frame| frame.mask)
    }

    /// The class that judges a value; one without ties if none does.
    fn class(&self, node: Node) -> Judged {
        let judged = |class: &Class| Judged {
            alternatives: class.alternatives,
            lists: class.lists,
            open: class.open,
        };
        self.plan.class(node.class).map_or(Judged::default(), judged)
    }
}

/// What is asked of a value.
#[derive(Debug, Clone, Copy, Default)]
struct Judged {
    alternatives: Mask,
    lists: Mask,
    open: u64,
}

//! What an answer goes through on its way back, whatever protocols the two sides speak: the check
//! against the API's document, then the filter; and who looks at what the caller receives.

use traffic::headers::Framing;
use traffic::{FormWatch, Reason};

use crate::h1::response::ResponseHead;
use crate::inspection::{AnswerHead, Inspection};
use crate::screen::{Opening, Screen, Screening, Turn};
use crate::watching::{Noticed, Watching};

/// Why the answer goes no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It breaks the API's document.
    Invalid(Reason),
    /// The caller may not see it, or nobody can tell.
    Withheld(Reason),
}

/// The way of one answer.
#[derive(Default)]
pub(crate) struct Outflow {
    /// The request's body is a form, which may name another method.
    form: Option<Box<FormWatch>>,
    inspection: Option<Inspection>,
    /// The answer waits, or waited, for its check.
    waits: bool,
    screen: Option<Screen>,
    screening: Option<Box<Screening>>,
    /// The answer is looked at, where it goes on as it is.
    watches: bool,
    watching: Option<Box<Watching>>,
    /// The body of the answer is read and not passed on.
    omits: bool,
    turn: Turn,
    /// Everything has passed.
    closed: bool,
}

impl Outflow {
    pub(crate) fn new(
        form: Option<Box<FormWatch>>,
        inspection: Option<Inspection>,
        screen: Option<Screen>,
        watches: bool,
    ) -> Self {
        let watches = watches && screen.is_none();
        Self { form, inspection, screen, watches, ..Self::default() }
    }

    /// Some of the request's body is there.
    ///
    /// # Errors
    /// It must not go on to the upstream.
    pub(crate) fn send(&mut self, data: &[u8]) -> Result<(), Reason> {
        if let Some(form) = &mut self.form {
            form.see(data)?;
        }
        if let Some(inspection) = &mut self.inspection {
            inspection.send(data);
        }
        Ok(())
    }

    /// The answer does not leave as the upstream gave it.
    pub(crate) fn is_screened(&self) -> bool {
        self.screen.is_some()
    }

    /// Looks at the head of the final response; gives the framing that its body leaves with.
    pub(crate) fn open(&mut self, head: &ResponseHead<'_>) -> Result<Framing, Stop> {
        let framing = head.judged.framing;
        if let Some(inspection) = &mut self.inspection {
            inspection.answer(AnswerHead::of(head)).map_err(Stop::Invalid)?;
            self.waits = inspection.is_holding();
        }
        if self.watches {
            self.watching = Watching::open(head);
        }
        let Some(screen) = &self.screen else { return Ok(framing) };
        match screen.open(head).map_err(Stop::Withheld)? {
            Opening::Bodiless => Ok(framing),
            Opening::Omitted => {
                self.omits = true;
                Ok(Framing::Length(0))
            }
            Opening::Filtered(opened) => {
                self.screening = Some(opened);
                Ok(Framing::Chunked)
            }
        }
    }

    /// The body does not pass as it comes.
    pub(crate) fn is_gathered(&self) -> bool {
        self.screening.is_some() || self.waits || self.omits
    }

    /// The answer waits for its check.
    pub(crate) fn is_holding(&self) -> bool {
        self.inspection.as_ref().is_some_and(Inspection::is_holding)
    }

    /// Nothing of the answer may leave: it may still have to be refused.
    pub(crate) fn is_undecided(&self) -> bool {
        self.is_holding()
            || self.screening.as_ref().is_some_and(|screening| screening.is_undecided())
    }

    /// Others had their turn.
    pub(crate) fn begin_turn(&mut self) {
        self.turn.begin();
    }

    /// Others should have theirs.
    pub(crate) fn turn_is_over(&self) -> bool {
        self.turn.is_over()
    }

    /// More of what was pushed can be unpacked; nothing is to be pushed before it was.
    pub(crate) fn has_more(&self) -> bool {
        self.screening.as_ref().is_some_and(|screening| screening.has_more())
    }

    /// Everything has passed, and the end may follow.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Takes a piece of the body, and passes on what may be seen by now.
    pub(crate) fn push(&mut self, data: &[u8], pass: impl FnMut(&[u8])) -> Result<(), Stop> {
        let passes = match &mut self.inspection {
            Some(inspection) => inspection.take(data).map_err(Stop::Invalid)?,
            None => true,
        };
        if passes { self.see(data, pass) } else { Ok(()) }
    }

    /// Unpacks a piece of what was pushed, and passes on what may be seen of it.
    pub(crate) fn more(&mut self, mut pass: impl FnMut(&[u8])) -> Result<(), Stop> {
        if let Some(screening) = &mut self.screening {
            pass(screening.more(&mut self.turn).map_err(Stop::Withheld)?);
        }
        Ok(())
    }

    /// The upstream's body is complete and nothing is left to unpack: passes on what waited for its
    /// check and what the filter still has. Closed afterwards, unless there is more to unpack now.
    pub(crate) fn end(&mut self, mut pass: impl FnMut(&[u8])) -> Result<(), Stop> {
        let held = self.inspection.as_mut().map_or(Ok(None), Inspection::release);
        if let Some(held) = held.map_err(Stop::Invalid)? {
            self.see(&held, &mut pass)?;
        }
        if self.has_more() {
            return Ok(());
        }
        if let Some(screening) = &mut self.screening {
            pass(screening.finish().map_err(Stop::Withheld)?);
        }
        self.closed = true;
        Ok(())
    }

    fn see(&mut self, data: &[u8], mut pass: impl FnMut(&[u8])) -> Result<(), Stop> {
        match &mut self.screening {
            Some(screening) => pass(screening.push(data).map_err(Stop::Withheld)?),
            None if self.omits => {}
            None => {
                if let Some(watching) = &mut self.watching {
                    watching.look(data);
                }
                pass(data);
            }
        }
        Ok(())
    }

    /// What was noticed, when the exchange is over: of messages that came to their ends.
    pub(crate) fn noticed(&mut self, sent_whole: bool, answered_whole: bool) -> Noticed {
        let inspection = self.inspection.take();
        let violations = inspection.map(|all| all.conclude(sent_whole, answered_whole));
        let noticed = Noticed::by(self.screening.as_deref(), self.watching.as_deref());
        Noticed { violations: violations.unwrap_or_default(), ..noticed }
    }
}

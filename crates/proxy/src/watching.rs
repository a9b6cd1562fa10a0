//! Looks at an answer that goes on as it is, to learn which properties callers receive. Only at a
//! share of them, and only at their beginnings: what is learned is worth little per call, and the
//! answer is not to wait for it.

use filter::{Limits, Unpacker, Watch};

use crate::h1::response::ResponseHead;
use crate::screen::{Screening, mode, packing};

/// What was noticed of an answer on its way, for the record.
#[derive(Debug, Default)]
pub(crate) struct Noticed {
    /// Properties that were removed, by the names that the answer has for them.
    pub(crate) removed: Vec<String>,
    /// How much more was removed.
    pub(crate) counts: Vec<String>,
    /// Properties that passed, and whether there were more; `None` when nobody looked.
    pub(crate) passed: Option<(Vec<String>, bool)>,
    /// How messages break the API's document.
    pub(crate) violations: Vec<String>,
}

impl Noticed {
    /// By what looked at the answer, if anything did.
    pub(crate) fn by(screening: Option<&Screening>, watching: Option<&Watching>) -> Self {
        match (screening, watching) {
            (Some(screening), _) => screening.noticed(),
            (None, Some(watching)) => watching.noticed(),
            (None, None) => Self::default(),
        }
    }
}

/// How much of an answer is looked at, unpacked.
const LOOKED_AT_BYTES: usize = 1024 * 1024;

pub(crate) struct Watching {
    watch: Watch,
    unpacker: Option<Unpacker>,
    left: usize,
    /// It cannot be read on, or not so far.
    blind: bool,
}

impl Watching {
    /// `None` where there is nothing to see: no success, a part, or something else than JSON.
    pub(crate) fn open(head: &ResponseHead<'_>) -> Option<Box<Self>> {
        let whole = (200..300).contains(&head.status) && head.status != 206;
        if !whole || head.judged.framing.is_empty() {
            return None;
        }
        let unpacker = packing(head).ok()?.map(Unpacker::new);
        let watch = Watch::new(mode(head)?, Limits::default());
        Some(Box::new(Self { watch, unpacker, left: LOOKED_AT_BYTES, blind: false }))
    }

    /// Looks at a piece of the body as the caller receives it.
    pub(crate) fn look(&mut self, data: &[u8]) {
        if self.blind || data.is_empty() {
            return;
        }
        let Self { watch, unpacker, left, blind } = self;
        let mut push = |piece: &[u8]| {
            let part = piece.get(..*left).unwrap_or(piece);
            *left -= part.len();
            *blind = watch.push(part).is_err() || part.len() < piece.len();
            !*blind
        };
        let Some(unpacker) = unpacker else {
            push(data);
            return;
        };
        unpacker.feed(data);
        while !unpacker.is_hungry() {
            match unpacker.pull() {
                Ok(piece) if push(piece) => {}
                Ok(_) => break,
                Err(_) => {
                    *blind = true;
                    break;
                }
            }
        }
        if *blind {
            // Its window is of no more use.
            self.unpacker = None;
        }
    }

    pub(crate) fn noticed(&self) -> Noticed {
        let report = self.watch.report();
        let passed = (report.seen, report.seen_more || self.blind);
        Noticed { passed: Some(passed), ..Noticed::default() }
    }
}

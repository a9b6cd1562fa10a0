//! The stream: bytes go in as they come, what may be seen comes out.

use std::sync::Arc;

use crate::events::Events;
use crate::limits::Limits;
use crate::lines::Lines;
use crate::machine::Machine;
use crate::mode::Mode;
use crate::plan::Plan;
use crate::report::Report;
use crate::trouble::Trouble;

#[derive(Debug)]
enum Framing {
    Document,
    Lines(Lines),
    Events(Events),
}

/// The filter of one response. It owns at most 64 KiB under the default limits, however long the
/// response is.
#[derive(Debug)]
pub struct Filter {
    framing: Framing,
    machine: Machine,
    trouble: Option<Trouble>,
    bytes_in: u64,
    bytes_out: u64,
}

impl Filter {
    /// A filter for one response.
    pub fn new(plan: Arc<Plan>, mode: Mode, limits: Limits) -> Self {
        Self::of(Machine::new(plan, limits, true), mode)
    }

    fn of(machine: Machine, mode: Mode) -> Self {
        let framing = match mode {
            Mode::Document => Framing::Document,
            Mode::Lines => Framing::Lines(Lines::default()),
            Mode::Events => Framing::Events(Events::default()),
        };
        Self { framing, machine, trouble: None, bytes_in: 0, bytes_out: 0 }
    }

    /// Reads the next bytes and appends to `out` what may be seen of the response so far. How the
    /// response comes in pieces makes no difference to what goes out in all.
    ///
    /// With [`Trouble`], nothing is in `out` of the document, line or event that it is about as far
    /// as it came with this call; the whole lines and events before it are. The stream has ended
    /// then: if [`Self::has_written`], the response has to be broken off, otherwise it can still be
    /// answered with a refusal. Every further call says the same.
    pub fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), Trouble> {
        self.guarded(out, |filter, out, whole| {
            let base = filter.bytes_in;
            filter.bytes_in += input.len() as u64;
            let machine = &mut filter.machine;
            match &mut filter.framing {
                Framing::Document => machine.push(input, base, out),
                Framing::Lines(lines) => lines.push(machine, input, base, out, whole),
                Framing::Events(events) => events.push(machine, input, out, whole),
            }
        })
    }

    /// The response has ended. A document, or the last line, must be complete; an event that is not
    /// is left out. Appends what was missing in `out`, and says what was done.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Result<Report, Trouble> {
        self.guarded(out, |filter, out, _| {
            let (machine, base) = (&mut filter.machine, filter.bytes_in);
            match &mut filter.framing {
                Framing::Document => machine.end(base, out),
                Framing::Lines(lines) => lines.finish(machine, base, out),
                Framing::Events(_) => Ok(()),
            }
        })?;
        Ok(self.report())
    }

    /// Runs a step; if it fails, takes back what it wrote behind the last whole document.
    fn guarded(
        &mut self,
        out: &mut Vec<u8>,
        step: impl FnOnce(&mut Self, &mut Vec<u8>, &mut usize) -> Result<(), Trouble>,
    ) -> Result<(), Trouble> {
        if let Some(trouble) = self.trouble {
            return Err(trouble);
        }
        let before = out.len();
        let mut whole = before;
        let done = step(self, out, &mut whole);
        if let Err(trouble) = done {
            self.trouble = Some(trouble);
            out.truncate(whole);
        }
        self.bytes_out += (out.len() - before) as u64;
        done
    }

    /// Whether anything was ever written.
    pub fn has_written(&self) -> bool {
        self.bytes_out > 0
    }

    /// What was done so far, also when there was trouble.
    pub fn report(&self) -> Report {
        let mut report = Report {
            items_removed: self.machine.items_removed(),
            withheld: match &self.framing {
                Framing::Document => 0,
                Framing::Lines(lines) => lines.withheld,
                Framing::Events(events) => events.withheld,
            },
            bytes_in: self.bytes_in,
            bytes_out: self.bytes_out,
            ..Report::default()
        };
        self.machine.paths().report(&mut report);
        report
    }

    /// Bytes that it owns, allocated ones and its own; not those of the plan, which is shared.
    pub fn memory_bytes(&self) -> usize {
        let framing = match &self.framing {
            Framing::Document | Framing::Lines(_) => 0,
            Framing::Events(events) => events.memory_bytes(),
        };
        size_of::<Self>() + self.machine.memory_bytes() + framing
    }
}

/// Looks at a response that goes on as it is, and tells which properties passed.
#[derive(Debug)]
pub struct Watch(Filter);

impl Watch {
    /// A watch over one response.
    pub fn new(mode: Mode, limits: Limits) -> Self {
        Self(Filter::of(Machine::new(Arc::new(Plan::everything()), limits, false), mode))
    }

    /// Looks at the next bytes. [`Trouble`] says that they cannot be read, and that this watch has
    /// ended; every further call says the same.
    pub fn push(&mut self, input: &[u8]) -> Result<(), Trouble> {
        self.0.push(input, &mut Vec::new())
    }

    /// The response has ended. All that came in went out.
    pub fn finish(&mut self) -> Result<Report, Trouble> {
        self.0.finish(&mut Vec::new())?;
        Ok(self.report())
    }

    /// What passed so far, also when there was trouble.
    pub fn report(&self) -> Report {
        let report = self.0.report();
        Report { bytes_out: report.bytes_in, ..report }
    }

    /// Bytes that it owns.
    pub fn memory_bytes(&self) -> usize {
        self.0.memory_bytes()
    }
}

#[cfg(test)]
mod tests;

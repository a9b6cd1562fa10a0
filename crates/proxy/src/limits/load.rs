//! What the gate has in flight, by class and by caller, and whether it takes more.
//!
//! Callers are counted in a fixed number of cells by their hash. Two in one cell count as one, so
//! that a caller may be taken for one that uses more than it does; that matters only while the
//! gate is overloaded, and costs no memory and no lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use base::Span;
use traffic::shed::{ByClass, Class, Decider, Load};

use super::Limiter;

/// Cells of each class; a power of two.
const CELLS: usize = 4_096;

/// What is in flight.
pub(crate) struct Gauge {
    decider: Decider,
    classes: [OfClass; 3],
}

struct OfClass {
    in_flight: AtomicU64,
    callers: AtomicU64,
    cells: Box<[AtomicU32]>,
}

impl OfClass {
    fn new() -> Self {
        let cells = std::iter::repeat_with(AtomicU32::default).take(CELLS).collect();
        Self { in_flight: AtomicU64::default(), callers: AtomicU64::default(), cells }
    }

    fn cell(&self, hash: u64) -> Option<&AtomicU32> {
        self.cells.get(usize::try_from(hash % CELLS as u64).unwrap_or(0))
    }
}

impl Gauge {
    pub(super) fn new(in_flight: u64, delay: Span) -> Self {
        let classes = std::array::from_fn(|_| OfClass::new());
        Self { decider: Decider::new(in_flight, delay), classes }
    }

    pub(super) fn in_flight(&self) -> u64 {
        self.classes.iter().map(|class| class.in_flight.load(Ordering::Relaxed)).sum()
    }

    fn of(&self, class: Class) -> &OfClass {
        let [low, medium, high] = &self.classes;
        match class {
            Class::Low => low,
            Class::Medium => medium,
            Class::High => high,
        }
    }

    fn load(&self, delay: Span) -> Load {
        let [low, medium, high] = &self.classes;
        let figures = |figure: fn(&OfClass) -> u64| ByClass {
            low: figure(low),
            medium: figure(medium),
            high: figure(high),
        };
        Load {
            in_flight: figures(|class| class.in_flight.load(Ordering::Relaxed)),
            callers: figures(|class| class.callers.load(Ordering::Relaxed)),
            delay,
        }
    }
}

impl Limiter {
    /// Takes one more request of a caller, if the gate can bear it; else how long to wait. `delay`
    /// is how late the worker gets to what is due.
    pub(crate) fn take(
        self: &Arc<Self>,
        class: Class,
        caller: u64,
        delay: Span,
    ) -> Result<Ticket, Span> {
        let gauge = self.gauge();
        let of_class = gauge.of(class);
        let of_caller = of_class.cell(caller).map_or(0, |cell| cell.load(Ordering::Relaxed));
        gauge.decider.admit(class, &gauge.load(delay), of_caller.into())?;
        of_class.in_flight.fetch_add(1, Ordering::Relaxed);
        let was = of_class.cell(caller).map_or(0, |cell| cell.fetch_add(1, Ordering::Relaxed));
        if was == 0 {
            of_class.callers.fetch_add(1, Ordering::Relaxed);
        }
        Ok(Ticket { limiter: Arc::clone(self), class, caller })
    }
}

/// A request that is counted for as long as this lives.
pub(crate) struct Ticket {
    limiter: Arc<Limiter>,
    class: Class,
    caller: u64,
}

impl Ticket {
    pub(super) fn limiter(&self) -> &Limiter {
        &self.limiter
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let of_class = self.limiter.gauge().of(self.class);
        of_class.in_flight.fetch_sub(1, Ordering::Relaxed);
        let was = of_class.cell(self.caller).map_or(0, |cell| cell.fetch_sub(1, Ordering::Relaxed));
        if was == 1 {
            of_class.callers.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

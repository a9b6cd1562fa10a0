//! Who is refused while the gate has more to do than it can: requests of low impact first, those of
//! high impact last; within a class first the callers that use more than their fair share. What is
//! reserved for a class is never taken from it.

use base::Span;

/// How much it matters that a request is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Refused first.
    Low,
    /// Refused next.
    Medium,
    /// Refused last.
    High,
}

impl Class {
    /// All of them, in the order in which they are refused.
    pub const ALL: [Self; 3] = [Self::Low, Self::Medium, Self::High];

    /// Hundredths of the bound that no other class can take.
    const fn reserved(self) -> u64 {
        match self {
            Self::Low => 10,
            Self::Medium => 15,
            Self::High => 25,
        }
    }

    /// From which pressure on callers with more than their fair share are refused, and from which
    /// on everybody, in thousandths of what the gate can bear.
    const fn pressure(self) -> (u64, u64) {
        match self {
            Self::Low => (500, 650),
            Self::Medium => (700, 850),
            Self::High => (900, 1_000),
        }
    }

    /// When to come again. The more it matters, the sooner: so they do not all come at once.
    const fn pause(self) -> Span {
        Span::from_secs(match self {
            Self::Low => 4,
            Self::Medium => 2,
            Self::High => 1,
        })
    }
}

/// One figure for each class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ByClass<T> {
    /// Of low impact.
    pub low: T,
    /// Of medium impact.
    pub medium: T,
    /// Of high impact.
    pub high: T,
}

impl<T: Copy> ByClass<T> {
    /// The figure of one class.
    pub const fn of(&self, class: Class) -> T {
        match class {
            Class::Low => self.low,
            Class::Medium => self.medium,
            Class::High => self.high,
        }
    }
}

/// What the gate has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Load {
    /// Requests in flight.
    pub in_flight: ByClass<u64>,
    /// Callers that have any.
    pub callers: ByClass<u64>,
    /// How late the gate gets to what is due.
    pub delay: Span,
}

/// Decides whether the gate takes one more request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decider {
    in_flight: u64,
    delay: Span,
}

impl Decider {
    /// A gate that bears so many requests in flight, and comes at most so late.
    pub fn new(in_flight: u64, delay: Span) -> Self {
        Self { in_flight: in_flight.max(1), delay }
    }

    /// Whether one more request of this class is taken from a caller that has so many in flight in
    /// the same class; else how long to wait.
    pub fn admit(&self, class: Class, load: &Load, of_caller: u64) -> Result<(), Span> {
        let in_flight = load.in_flight.of(class);
        if in_flight < self.reserved(class) {
            return Ok(());
        }
        let (begin, end) = class.pressure();
        let pressure = self.pressure(load);
        let is_over_fair = of_caller.saturating_mul(load.callers.of(class)) > in_flight;
        if pressure < begin || (pressure < end && !is_over_fair) {
            return Ok(());
        }
        Err(class.pause())
    }

    /// Requests in flight that no other class can take; at least one.
    fn reserved(&self, class: Class) -> u64 {
        (self.in_flight / 100 * class.reserved() + self.in_flight % 100 * class.reserved() / 100)
            .max(1)
    }

    /// How near the gate is to what it can bear, in thousandths: by what is not reserved, or by how
    /// late it is, whichever is nearer.
    fn pressure(&self, load: &Load) -> u64 {
        let reserved: u64 = Class::ALL.iter().map(|class| self.reserved(*class)).sum();
        let common = self.in_flight.saturating_sub(reserved);
        let used: u64 = Class::ALL
            .iter()
            .map(|class| load.in_flight.of(*class).saturating_sub(self.reserved(*class)))
            .sum();
        let bears = self.delay.as_micros().max(1).unsigned_abs();
        let late = load.delay.as_micros().max(0).unsigned_abs();
        // Where everything is reserved there is nothing to take beyond that.
        let full = used.saturating_mul(1_000).checked_div(common).unwrap_or(1_000);
        full.max(late.saturating_mul(1_000) / bears)
    }
}

#[cfg(test)]
mod tests;

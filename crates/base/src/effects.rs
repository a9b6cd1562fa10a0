//! Time and randomness as arguments. Core code receives a [`Timestamp`] or one of these; only the
//! binary and the test kit implement them over the real world.

use crate::Timestamp;

/// Tells the time. Implemented by the system clock (binary) and by a settable one (tests).
pub trait Clock: Send + Sync + 'static {
    /// The present moment, in UTC.
    fn now(&self) -> Timestamp;
}

/// Gives unpredictable bytes. Implemented by the operating system's generator (binary) and by a
/// seeded one (tests, demo data).
pub trait Entropy: Send {
    /// Fills the whole of `bytes`.
    fn fill(&mut self, bytes: &mut [u8]);
}

impl<E: Entropy + ?Sized> Entropy for &mut E {
    fn fill(&mut self, bytes: &mut [u8]) {
        (**self).fill(bytes);
    }
}

impl<E: Entropy + ?Sized> Entropy for Box<E> {
    fn fill(&mut self, bytes: &mut [u8]) {
        (**self).fill(bytes);
    }
}

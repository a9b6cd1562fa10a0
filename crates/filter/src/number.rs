//! Numbers (RFC 8259 §6): where they end and that they are well formed.
//!
//! Reading goes on at any byte, so that a number may come in pieces. Its value is never computed.

use crate::text::Fault;

/// A number that is being read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Number {
    within: Within,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    /// Behind a minus: a digit must follow.
    Minus,
    /// Behind a zero at the beginning: no digit may follow.
    Zero,
    Whole,
    /// Behind the point: a digit must follow.
    Point,
    Fraction,
    /// Behind the `e`: a sign or a digit must follow.
    Mark,
    /// Behind the sign of the exponent: a digit must follow.
    Sign,
    Exponent,
}

const WRONG: &str = "a number that is none";

impl Number {
    /// A number that begins with a byte: a minus or a digit.
    #[inline]
    pub(crate) const fn begin(first: u8) -> Self {
        let within = match first {
            b'-' => Within::Minus,
            b'0' => Within::Zero,
            _ => Within::Whole,
        };
        Self { within }
    }

    /// Whether it may end here.
    pub(crate) const fn is_complete(self) -> bool {
        use Within::{Exponent, Fraction, Whole, Zero};
        matches!(self.within, Zero | Whole | Fraction | Exponent)
    }

    /// Reads on. The number of bytes that belong to it; `None` if all of the piece does.
    #[inline]
    pub(crate) fn read(&mut self, bytes: &[u8]) -> Result<Option<usize>, Fault> {
        use Within::{Exponent, Fraction, Mark, Minus, Point, Sign, Whole, Zero};
        for (at, byte) in bytes.iter().enumerate() {
            self.within = match (self.within, byte) {
                (Whole | Fraction | Exponent, b'0'..=b'9') => continue,
                (Minus, b'0') => Zero,
                (Minus, b'1'..=b'9') => Whole,
                (Zero | Whole, b'.') => Point,
                (Point, b'0'..=b'9') => Fraction,
                (Zero | Whole | Fraction, b'e' | b'E') => Mark,
                (Mark, b'+' | b'-') => Sign,
                (Mark | Sign, b'0'..=b'9') => Exponent,
                (Zero, b'0'..=b'9') | (Minus | Point | Mark | Sign, _) => {
                    return Err(Fault { at, what: WRONG });
                }
                (Zero | Whole | Fraction | Exponent, _) => return Ok(Some(at)),
            };
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests;

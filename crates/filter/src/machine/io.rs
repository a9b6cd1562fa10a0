//! One piece of input on its way to the output.

/// A piece of the input, how far it has been read, and what of it is to be written.
pub(super) struct Io<'a> {
    pub(super) input: &'a [u8],
    /// The next byte.
    pub(super) pos: usize,
    /// Where that begins which is going to be written and is not yet.
    pub(super) span: usize,
    /// Where that begins which waits for a decision.
    pub(super) pending: usize,
    /// Where the token that is being read begins; 0 if it began in an earlier piece.
    pub(super) token: usize,
    pub(super) out: &'a mut Vec<u8>,
}

impl<'a> Io<'a> {
    pub(super) fn new(input: &'a [u8], out: &'a mut Vec<u8>) -> Self {
        Self { input, pos: 0, span: 0, pending: 0, token: 0, out }
    }

    /// What has not been read.
    #[inline]
    pub(super) fn rest(&self) -> &'a [u8] {
        self.input.get(self.pos..).unwrap_or_default()
    }

    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.input.get(self.pos).copied()
    }

    /// A part of the input; both ends lie in it, because the reading passed them.
    #[inline]
    pub(super) fn part(&self, from: usize, to: usize) -> &'a [u8] {
        self.input.get(from..to).unwrap_or_default()
    }
}

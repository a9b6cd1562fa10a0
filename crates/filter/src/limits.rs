//! What one stream may take.

/// Bounds of one stream. What exceeds them is refused, never cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Arrays and objects inside each other: 1 to 128; what is beyond counts as 128.
    pub depth: u32,
    /// The most bytes that are held back while it is not decided whether they may be seen; also the
    /// most data in one event. It is the greater part of the memory that a stream takes.
    pub hold_bytes: usize,
    /// The most bytes in a property name, as written, under a plan that compares names: up to
    /// 1,024; what is beyond counts as 1,024.
    pub name_bytes: usize,
    /// The most bytes in a number.
    pub number_bytes: usize,
    /// The most bytes of the lines of one event that are not data.
    pub event_lines_bytes: usize,
}

/// As deep as the kinds of containers have bits.
pub(crate) const DEPTH_MAX: u32 = 128;
/// As long as what is kept of a token that is compared.
pub(crate) const TOKEN_BYTES_MAX: usize = 1_024;

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: DEPTH_MAX,
            hold_bytes: 48 * 1_024,
            name_bytes: TOKEN_BYTES_MAX,
            number_bytes: 1_024,
            event_lines_bytes: 2 * 1_024,
        }
    }
}

impl Limits {
    /// What the stream can do at most.
    pub(crate) fn clamped(mut self) -> Self {
        self.depth = self.depth.min(DEPTH_MAX);
        self.name_bytes = self.name_bytes.min(TOKEN_BYTES_MAX);
        self
    }
}

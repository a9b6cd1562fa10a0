//! Where in a message something stands.

/// The longest name that is repeated, in characters: names come from whoever sent the message.
const NAME_CHARS_MAX: usize = 64;
/// The most steps that a pointer shows.
const STEPS_MAX: usize = 32;

/// A JSON pointer that is made from its end.
#[derive(Debug, Default)]
pub(crate) struct Pointer(Vec<String>);

impl Pointer {
    /// Adds the name of what encloses the value so far.
    pub(crate) fn outward(&mut self, name: &str) {
        self.0.push(shortened(name).replace('~', "~0").replace('/', "~1"));
    }

    /// Adds the index at which the value so far stands.
    pub(crate) fn outward_index(&mut self, index: usize) {
        self.0.push(index.to_string());
    }

    /// The pointer; of a long one the outer steps and `…`.
    pub(crate) fn text(&self) -> String {
        let steps = self.0.iter().rev().take(STEPS_MAX).map(|step| format!("/{step}"));
        let rest = if self.0.len() > STEPS_MAX { "/…" } else { "" };
        steps.chain([rest.to_owned()]).collect()
    }
}

/// A name as it is repeated: its beginning when it is long, without control characters.
pub(crate) fn shortened(name: &str) -> String {
    let plain = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let mut out: String = name.chars().take(NAME_CHARS_MAX).map(plain).collect();
    if name.chars().nth(NAME_CHARS_MAX).is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests;

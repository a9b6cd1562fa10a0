//! An error in the configuration file, with the line that is wrong and a caret under the place.

use std::fmt;
use std::ops::Range;

/// One thing that is wrong with the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Diagnostic {
    /// What is wrong.
    pub(crate) what: String,
    /// Byte range in the file; `None` when the file itself is the place.
    pub(crate) span: Option<Range<usize>>,
    /// Why that matters.
    pub(crate) why: Option<String>,
    /// What to write instead.
    pub(crate) hint: Option<String>,
    /// The place holds a secret, which must not be shown.
    pub(crate) is_secret: bool,
}

impl Diagnostic {
    pub(crate) fn new(what: impl Into<String>, span: Range<usize>) -> Self {
        Self { what: what.into(), span: Some(span), why: None, hint: None, is_secret: false }
    }

    #[must_use]
    pub(crate) fn secret(mut self) -> Self {
        self.is_secret = true;
        self
    }

    #[must_use]
    pub(crate) fn why(mut self, why: impl Into<String>) -> Self {
        self.why = Some(why.into());
        self
    }

    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Everything that is wrong with a file, ready to be printed.
#[derive(Debug, Clone)]
pub(crate) struct Diagnostics {
    /// The file's name, as it was given.
    pub(crate) file: String,
    /// Its text; empty when it could not be read.
    pub(crate) text: String,
    /// In order of place.
    pub(crate) items: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Line and column, both from 1, of the start of a range.
    pub(crate) fn place(&self, span: &Range<usize>) -> (usize, usize) {
        place(&self.text, span.start)
    }

    fn write_one(&self, item: &Diagnostic, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "error: {}", item.what)?;
        match &item.span {
            None => writeln!(f, "  --> {}", self.file)?,
            Some(span) => self.write_line(span, item.is_secret, f)?,
        }
        if let Some(why) = &item.why {
            writeln!(f, "   why: {why}")?;
        }
        if let Some(hint) = &item.hint {
            writeln!(f, "  hint: {hint}")?;
        }
        Ok(())
    }

    fn write_line(
        &self,
        span: &Range<usize>,
        is_secret: bool,
        f: &mut fmt::Formatter<'_>,
    ) -> fmt::Result {
        let (line, column) = self.place(span);
        let text = self.text.lines().nth(line - 1).unwrap_or("");
        let number = line.to_string();
        let gutter = " ".repeat(number.len());
        // The mark stays on its line: a range over several lines is marked to the line's end.
        let room = text.chars().count().saturating_sub(column - 1).max(1);
        let room = if is_secret { 1 } else { room };
        let length = self.text.get(span.clone()).map_or(1, |s| s.chars().count()).clamp(1, room);
        writeln!(f, "  --> {}:{line}:{column}", self.file)?;
        writeln!(f, "{gutter} |")?;
        let shown = match is_secret {
            false => text.to_owned(),
            true => text.chars().take(column - 1).chain("…".chars()).collect(),
        };
        writeln!(f, "{number} | {shown}")?;
        writeln!(f, "{gutter} | {}{}", " ".repeat(column - 1), "^".repeat(length))
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, item) in self.items.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            self.write_one(item, f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}

/// Line and column, both from 1, of a byte offset.
pub(crate) fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset.min(text.len())).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    (line, before.get(start..).map_or(1, |part| part.chars().count() + 1))
}

//! Server-sent events (WHATWG HTML, "Server-sent events"): a document as the data of each event.
//!
//! An event is written when the empty line behind it was read, not sooner and not later. One that is
//! not complete when the stream ends is left out, as its reader would.

use crate::machine::Machine;
use crate::paths::grow;
use crate::trouble::Trouble;

/// The data by which many streams of JSON say that they end. It is the same in all of them and says
/// nothing else.
const DONE: &[u8] = b"[DONE]";
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What the line is that is being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Line {
    /// The name of its field is not complete. It stands at the end of `lines`, from here on.
    #[default]
    Name,
    /// Data, of which nothing was read: one space may come before it.
    DataBegins,
    Data,
    /// A field that goes on as it is.
    Kept,
    /// A comment, or a field that readers do not know. Its text could say anything.
    Dropped,
}

/// Where the reading of events stands.
#[derive(Debug, Default)]
pub(crate) struct Events {
    /// Bytes of a byte order mark that were read, where the stream begins.
    mark: usize,
    line: Line,
    /// Where the line begins in `lines`.
    line_at: usize,
    /// A carriage return ended the line before: a line feed would be part of that.
    after_return: bool,
    data: Vec<u8>,
    data_lines: usize,
    /// The lines of the event that are not data, as they are written.
    lines: Vec<u8>,
    /// Events that were not written.
    pub(crate) withheld: u64,
}

impl Events {
    /// Reads a piece. `whole` is where the last whole event ends in the output.
    pub(crate) fn push(
        &mut self,
        machine: &mut Machine,
        piece: &[u8],
        out: &mut Vec<u8>,
        whole: &mut usize,
    ) -> Result<(), Trouble> {
        let mut rest = self.behind_mark(piece);
        while let Some(first) = rest.first() {
            if std::mem::take(&mut self.after_return) && *first == b'\n' {
                rest = rest.get(1..).unwrap_or_default();
                continue;
            }
            let end = memchr::memchr2(b'\r', b'\n', rest);
            let (part, behind) =
                rest.split_at_checked(end.unwrap_or(rest.len())).unwrap_or_default();
            self.part(machine, part)?;
            let [end, behind @ ..] = behind else { break };
            self.after_return = *end == b'\r';
            self.end_line(machine, out)?;
            *whole = out.len();
            rest = behind;
        }
        Ok(())
    }

    /// What follows the byte order mark that a stream may begin with.
    fn behind_mark<'p>(&mut self, piece: &'p [u8]) -> &'p [u8] {
        let mut rest = piece;
        while let (Some(expected), Some((first, behind))) =
            (BYTE_ORDER_MARK.get(self.mark), rest.split_first())
        {
            if expected != first {
                // Its beginning alone is the beginning of a field that nobody knows.
                self.lines.extend_from_slice(BYTE_ORDER_MARK.get(..self.mark).unwrap_or_default());
                self.mark = BYTE_ORDER_MARK.len();
                break;
            }
            self.mark += 1;
            rest = behind;
        }
        rest
    }

    fn part(&mut self, machine: &Machine, part: &[u8]) -> Result<(), Trouble> {
        let mut value = part;
        if self.line == Line::Name {
            let Some(colon) = memchr::memchr(b':', part) else {
                return self.keep(machine, part);
            };
            let (name, behind) = part.split_at_checked(colon).unwrap_or_default();
            self.keep(machine, name)?;
            self.name_ends(machine)?;
            value = behind.get(1..).unwrap_or_default();
            if self.line == Line::Kept {
                value = behind;
            }
        }
        if self.line == Line::DataBegins && !value.is_empty() {
            self.line = Line::Data;
            value = value.strip_prefix(b" ").unwrap_or(value);
        }
        match self.line {
            Line::Data => self.add_data(machine, value),
            Line::Kept => self.keep(machine, value),
            Line::Name | Line::DataBegins | Line::Dropped => Ok(()),
        }
    }

    /// What kind of line it is, by the name of its field.
    fn name_ends(&mut self, machine: &Machine) -> Result<(), Trouble> {
        self.line = match self.lines.get(self.line_at..) {
            Some(b"data") => Line::DataBegins,
            Some(b"event" | b"id" | b"retry") => Line::Kept,
            _ => Line::Dropped,
        };
        if self.line == Line::DataBegins {
            if self.data_lines > 0 {
                self.add_data(machine, b"\n")?;
            }
            self.data_lines += 1;
        }
        let comment = self.lines.len() == self.line_at;
        if self.line != Line::Kept {
            self.lines.truncate(self.line_at);
        }
        if comment {
            // Comments keep the connection alive.
            self.lines.extend_from_slice(b":\n");
        }
        Ok(())
    }

    fn keep(&mut self, machine: &Machine, bytes: &[u8]) -> Result<(), Trouble> {
        let most = machine.limits().event_lines_bytes;
        if self.lines.len() + bytes.len() > most {
            return Err(Trouble::EventTooLarge);
        }
        // Room for the end of the line, and for the sign of a comment.
        grow(&mut self.lines, bytes.len() + 2, most + 2);
        self.lines.extend_from_slice(bytes);
        Ok(())
    }

    fn add_data(&mut self, machine: &Machine, bytes: &[u8]) -> Result<(), Trouble> {
        let most = machine.limits().hold_bytes;
        if self.data.len() + bytes.len() > most {
            return Err(Trouble::EventTooLarge);
        }
        grow(&mut self.data, bytes.len(), most);
        self.data.extend_from_slice(bytes);
        Ok(())
    }

    fn end_line(&mut self, machine: &mut Machine, out: &mut Vec<u8>) -> Result<(), Trouble> {
        if self.line == Line::Name {
            if self.lines.len() == self.line_at {
                return self.dispatch(machine, out);
            }
            // A line without a colon is a field without a value.
            self.name_ends(machine)?;
        }
        if self.line == Line::Kept {
            self.lines.push(b'\n');
        }
        if self.data_lines == 0 && self.lines == b":\n" {
            out.append(&mut self.lines);
        }
        self.line = Line::Name;
        self.line_at = self.lines.len();
        Ok(())
    }

    /// The event is complete.
    fn dispatch(&mut self, machine: &mut Machine, out: &mut Vec<u8>) -> Result<(), Trouble> {
        let before = out.len();
        out.extend_from_slice(&self.lines);
        let done = if self.data_lines > 0 { self.filter(machine, out) } else { Ok(()) };
        machine.reset();
        self.lines.clear();
        self.data.clear();
        (self.data_lines, self.line_at) = (0, 0);
        match done {
            Err(Trouble::Withheld) => {
                out.truncate(before);
                self.withheld += 1;
                return Ok(());
            }
            done => done?,
        }
        out.push(b'\n');
        Ok(())
    }

    fn filter(&mut self, machine: &mut Machine, out: &mut Vec<u8>) -> Result<(), Trouble> {
        out.extend_from_slice(b"data: ");
        let begins = out.len();
        // Data of white space says nothing, so there is nothing that could not be shown.
        if self.data == DONE {
            out.extend_from_slice(DONE);
        } else if !self.data.iter().all(u8::is_ascii_whitespace) {
            machine.whole(&self.data, 0, out)?;
        }
        if self.data_lines > 1 {
            // The line feeds between data lines are white space to JSON, and so are spaces.
            let written = out.iter_mut().skip(begins);
            written.filter(|byte| **byte == b'\n').for_each(|byte| *byte = b' ');
        }
        out.push(b'\n');
        Ok(())
    }

    /// Bytes that it has allocated.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.data.capacity() + self.lines.capacity()
    }
}

#[cfg(test)]
mod tests;

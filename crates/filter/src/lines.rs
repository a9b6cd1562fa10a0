//! Newline-delimited JSON: a document on each line.

use crate::machine::Machine;
use crate::trouble::Trouble;

/// Where the reading of lines stands.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    /// In a line that is not written, up to its end.
    dropping: bool,
    /// Lines that were not written.
    pub(crate) withheld: u64,
}

impl Lines {
    /// Reads a piece, before which `base` bytes came. `whole` is where the last whole line ends in
    /// the output.
    pub(crate) fn push(
        &mut self,
        machine: &mut Machine,
        piece: &[u8],
        base: u64,
        out: &mut Vec<u8>,
        whole: &mut usize,
    ) -> Result<(), Trouble> {
        let (mut rest, mut base) = (piece, base);
        loop {
            let end = memchr::memchr(b'\n', rest);
            let (line, behind) =
                rest.split_at_checked(end.unwrap_or(rest.len())).unwrap_or_default();
            self.part(machine, line, base, out)?;
            base += line.len() as u64;
            let [_, behind @ ..] = behind else { return Ok(()) };
            self.end(machine, base, out)?;
            base += 1;
            *whole = out.len();
            rest = behind;
        }
    }

    fn part(
        &mut self,
        machine: &mut Machine,
        part: &[u8],
        base: u64,
        out: &mut Vec<u8>,
    ) -> Result<(), Trouble> {
        if self.dropping || part.is_empty() {
            return Ok(());
        }
        match machine.push(part, base, out) {
            Err(Trouble::Withheld) => {
                self.dropping = true;
                self.withheld += 1;
                Ok(())
            }
            result => result,
        }
    }

    /// A line has ended. One without a document goes on as it is: it keeps the connection alive.
    fn end(&mut self, machine: &mut Machine, base: u64, out: &mut Vec<u8>) -> Result<(), Trouble> {
        if !std::mem::take(&mut self.dropping) {
            if !machine.is_blank() {
                machine.end(base, out)?;
            }
            out.push(b'\n');
        }
        machine.reset();
        Ok(())
    }

    /// The stream has ended; a last line needs no end of its own.
    pub(crate) fn finish(
        &self,
        machine: &mut Machine,
        base: u64,
        out: &mut Vec<u8>,
    ) -> Result<(), Trouble> {
        if self.dropping || machine.is_blank() {
            return Ok(());
        }
        machine.end(base, out)
    }
}

#[cfg(test)]
mod tests;

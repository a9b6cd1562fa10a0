//! What commands print: data on standard output (a table for people, JSON for scripts), hints on
//! standard error.

use std::io::{IsTerminal, Write};

use base::Timestamp;
use serde::Serialize;

use crate::failure::Failure;
use crate::system::environment;

/// How data is printed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    /// JSON instead of tables.
    pub(crate) json: bool,
}

impl Output {
    /// Prints data, in words that `people` makes of it unless JSON is wanted.
    pub(crate) fn show<T: Serialize + ?Sized>(
        self,
        data: &T,
        people: impl FnOnce(&T) -> String,
    ) -> Result<(), Failure> {
        if self.json {
            return self.line(data);
        }
        write(&people(data))
    }

    /// Prints data as one line of JSON.
    pub(crate) fn line<T: Serialize + ?Sized>(self, data: &T) -> Result<(), Failure> {
        let text = serde_json::to_string(data)
            .map_err(|error| base::Problem::internal(format!("not printable: {error}")))?;
        write(&format!("{text}\n"))
    }

    /// Says on standard error what to do next; scripts are spared it.
    pub(crate) fn hint(self, text: &str) {
        if !self.json {
            eprintln!("{text}");
        }
    }
}

/// Writes to standard output. A reader that has gone (`| head`) is no failure.
pub(crate) fn write(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Bold on a terminal that wants it.
pub(crate) fn emphasis(text: &str) -> String {
    let plain = !std::io::stderr().is_terminal()
        || environment("NO_COLOR").is_some()
        || environment("TERM").is_some_and(|term| term == "dumb");
    if plain { text.to_owned() } else { format!("\u{1b}[1;31m{text}\u{1b}[0m") }
}

/// Rows under a heading, columns two spaces apart.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// With the names of the columns.
    pub(crate) fn new(heading: &[&str]) -> Self {
        Self { rows: vec![heading.iter().map(|name| name.to_uppercase()).collect()] }
    }

    /// Adds a row.
    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.map(|cell| printable(&cell)).into());
    }

    /// The text; `empty` when there are no rows.
    pub(crate) fn render(&self, empty: &str) -> String {
        if self.rows.len() == 1 {
            return format!("{empty}\n");
        }
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut text = String::new();
        for row in &self.rows {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
            text.push('\n');
        }
        text
    }
}

/// Names come from other people: control characters must not reach the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// A value or a dash.
pub(crate) fn or_dash(text: Option<&str>) -> String {
    text.unwrap_or("-").to_owned()
}

/// A moment in the wire form as people read it: date and minute, local time.
pub(crate) fn moment(text: Option<&str>) -> String {
    let Some(text) = text else { return "-".to_owned() };
    match local(text) {
        Some(zoned) => zoned.strftime("%Y-%m-%d %H:%M").to_string(),
        None => text.to_owned(),
    }
}

/// The same to the second: of what happens often.
pub(crate) fn instant(text: &str) -> String {
    match local(text) {
        Some(zoned) => zoned.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        None => text.to_owned(),
    }
}

/// The end of something: the time of day within a day from now, else the date.
pub(crate) fn until(text: &str, now: Timestamp) -> String {
    let far = Timestamp::parse(text).map_or(0, |end| end.since(now).as_secs()) >= 86_400;
    match local(text) {
        Some(zoned) if far => zoned.strftime("%Y-%m-%d").to_string(),
        Some(zoned) => zoned.strftime("%H:%M").to_string(),
        None => text.to_owned(),
    }
}

fn local(text: &str) -> Option<jiff::Zoned> {
    let moment: jiff::Timestamp = text.parse().ok()?;
    Some(moment.to_zoned(jiff::tz::TimeZone::system()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_steer_the_terminal() {
        let mut table = Table::new(&["name"]);
        table.row(["a\u{1b}[2Jb".to_owned()]);
        assert_eq!(table.render(""), "NAME\na\u{fffd}[2Jb\n");
    }

    #[test]
    fn an_empty_table_says_so_and_columns_line_up() {
        let mut table = Table::new(&["id", "name"]);
        assert_eq!(table.render("nothing here"), "nothing here\n");
        table.row(["g_1".into(), "é".into()]);
        table.row(["g_22".into(), "x".into()]);
        assert_eq!(table.render(""), "ID    NAME\ng_1   é\ng_22  x\n");
    }
}

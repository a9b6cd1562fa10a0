//! Regular expressions as documents have them (ECMA-262, as JSON Schema asks) in the words of the
//! linear engine that runs them, so that no pattern makes the gate search for long.
//!
//! What needs a search back (look-around, references to groups) cannot be said there and is
//! refused. Character classes are ASCII, `.` stops at every end of line, and a brace or bracket
//! without meaning stands for itself.

use std::iter::Peekable;
use std::str::Chars;

/// The blank characters of ECMA-262.
const BLANKS: &str = r"\t\n\x0B\x0C\r\x{20}\x{A0}\x{FEFF}\x{2028}\x{2029}\p{Zs}";

/// Why a pattern cannot be said: what stands there, for a sentence.
pub(crate) type Unsayable = String;

/// The pattern in the engine's words.
pub(crate) fn translate(pattern: &str) -> Result<String, Unsayable> {
    let mut reader = Reader { rest: pattern.chars().peekable(), out: String::new() };
    while let Some(c) = reader.rest.next() {
        reader.outside(c)?;
    }
    Ok(reader.out)
}

struct Reader<'p> {
    rest: Peekable<Chars<'p>>,
    out: String,
}

impl Reader<'_> {
    fn outside(&mut self, c: char) -> Result<(), Unsayable> {
        match c {
            '\\' => return self.escape(false),
            '[' => return self.class(),
            '(' => {
                self.out.push('(');
                return self.group();
            }
            '.' => self.out.push_str(r"[^\n\r\x{2028}\x{2029}]"),
            '{' if !self.is_quantifier() => self.out.push_str(r"\{"),
            '{' => {
                self.out.push('{');
                for c in self.rest.by_ref() {
                    self.out.push(c);
                    if c == '}' {
                        break;
                    }
                }
            }
            '}' => self.out.push_str(r"\}"),
            ']' => self.out.push_str(r"\]"),
            c => self.out.push(c),
        }
        Ok(())
    }

    /// Whether what follows `{` makes it `{2}`, `{2,}` or `{2,3}`.
    fn is_quantifier(&self) -> bool {
        let inner: String = self.rest.clone().take_while(|c| *c != '}').collect();
        let closed = self.rest.clone().any(|c| c == '}');
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        closed
            && match inner.split_once(',') {
                Some((least, most)) => is_number(least) && (most.is_empty() || is_number(most)),
                None => is_number(&inner),
            }
    }

    /// What follows `(`.
    fn group(&mut self) -> Result<(), Unsayable> {
        let mut ahead = self.rest.clone();
        if ahead.next() != Some('?') {
            return Ok(());
        }
        match (ahead.next(), ahead.next()) {
            (Some('='), _) => Err("looks ahead with `(?=`".to_owned()),
            (Some('!'), _) => Err("looks ahead with `(?!`".to_owned()),
            (Some('<'), Some('=')) => Err("looks behind with `(?<=`".to_owned()),
            (Some('<'), Some('!')) => Err("looks behind with `(?<!`".to_owned()),
            _ => Ok(()),
        }
    }

    /// A class, after its `[`.
    fn class(&mut self) -> Result<(), Unsayable> {
        let negated = self.rest.next_if_eq(&'^').is_some();
        if self.rest.next_if_eq(&']').is_some() {
            // `[]` is nothing and `[^]` is anything.
            self.out.push_str(if negated { r"[\s\S]" } else { r"[^\s\S]" });
            return Ok(());
        }
        self.out.push_str(if negated { "[^" } else { "[" });
        // A hyphen makes a range only between two single characters.
        let mut after_single = false;
        loop {
            let c = self.rest.next().ok_or_else(|| "has a `[` that is not closed".to_owned())?;
            match c {
                ']' => {
                    self.out.push(']');
                    return Ok(());
                }
                '\\' => {
                    after_single = !self.is_set_ahead();
                    self.escape(true)?;
                }
                '-' if after_single && self.is_single_ahead() => {
                    self.out.push('-');
                    after_single = false;
                    self.end_of_range()?;
                }
                c => {
                    after_single = true;
                    self.literal(c);
                }
            }
        }
    }

    /// The character that ends a range: also where it is a hyphen.
    fn end_of_range(&mut self) -> Result<(), Unsayable> {
        match self.rest.next() {
            Some('\\') => self.escape(true)?,
            Some(c) => self.literal(c),
            None => {}
        }
        Ok(())
    }

    /// Whether `\` is followed by the name of a set of characters.
    fn is_set_ahead(&self) -> bool {
        self.rest.clone().next().is_some_and(|c| "dDwWsSpP".contains(c))
    }

    /// Whether a single character follows in a class.
    fn is_single_ahead(&self) -> bool {
        let mut ahead = self.rest.clone();
        match ahead.next() {
            None | Some(']') => false,
            Some('\\') => ahead.next().is_some_and(|c| !"dDwWsSpP".contains(c)),
            Some(_) => true,
        }
    }

    /// What follows a `\`.
    fn escape(&mut self, in_class: bool) -> Result<(), Unsayable> {
        let c = self.rest.next().ok_or_else(|| "ends with `\\`".to_owned())?;
        match c {
            'd' => self.out.push_str("[0-9]"),
            'D' => self.out.push_str("[^0-9]"),
            'w' => self.out.push_str("[A-Za-z0-9_]"),
            'W' => self.out.push_str("[^A-Za-z0-9_]"),
            's' => self.out.push_str(&format!("[{BLANKS}]")),
            'S' => self.out.push_str(&format!("[^{BLANKS}]")),
            'b' if in_class => self.out.push_str(r"\x08"),
            'b' => self.out.push_str(r"(?-u:\b)"),
            'B' if !in_class => self.out.push_str(r"(?-u:\B)"),
            't' | 'n' | 'r' => self.out.extend(['\\', c]),
            'v' => self.out.push_str(r"\x0B"),
            'f' => self.out.push_str(r"\x0C"),
            '0' => self.out.push_str(r"\x00"),
            '1'..='9' => return Err(format!("refers to a group with `\\{c}`")),
            'k' => return Err("refers to a group with `\\k`".to_owned()),
            'c' => self.control()?,
            'x' => self.code(2)?,
            'u' => self.unicode()?,
            'p' | 'P' => self.property(c),
            c if c.is_ascii_alphabetic() => {
                return Err(format!("has `\\{c}`, which ECMA-262 does not know"));
            }
            c => self.literal(c),
        }
        Ok(())
    }

    /// `\p{Lu}`: the engine has the same names.
    fn property(&mut self, c: char) {
        self.out.push('\\');
        self.out.push(c);
        if self.rest.peek() == Some(&'{') {
            for c in self.rest.by_ref() {
                self.out.push(c);
                if c == '}' {
                    break;
                }
            }
        }
    }

    /// A character that stands for itself, wherever it stands.
    fn literal(&mut self, c: char) {
        if c.is_ascii_punctuation() && c != '<' && c != '>' {
            self.out.push('\\');
        }
        self.out.push(c);
    }

    /// `\cA` to `\cZ`.
    fn control(&mut self) -> Result<(), Unsayable> {
        let letter = self.rest.next().filter(char::is_ascii_alphabetic);
        let letter = letter.ok_or_else(|| "has `\\c` without a letter".to_owned())?;
        let code = u32::from(letter) % 32;
        self.out.push_str(&format!("\\x{{{code:X}}}"));
        Ok(())
    }

    fn code(&mut self, digits: usize) -> Result<(), Unsayable> {
        let code = self.hex(digits)?;
        self.out.push_str(&format!("\\x{{{code:X}}}"));
        Ok(())
    }

    /// `\u0041`, `\u{41}`, or two halves of a character.
    fn unicode(&mut self) -> Result<(), Unsayable> {
        if self.rest.next_if_eq(&'{').is_some() {
            let digits = self.rest.clone().take_while(|c| *c != '}').count();
            self.code(digits)?;
            self.rest.next();
            return Ok(());
        }
        let high = self.hex(4)?;
        let mut code = high;
        if (0xD800..0xDC00).contains(&high) {
            let paired = self.rest.next() == Some('\\') && self.rest.next() == Some('u');
            let low = if paired { self.hex(4)? } else { 0 };
            if !(0xDC00..0xE000).contains(&low) {
                return Err("has half a character in `\\u`".to_owned());
            }
            code = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
        }
        self.out.push_str(&format!("\\x{{{code:X}}}"));
        Ok(())
    }

    fn hex(&mut self, digits: usize) -> Result<u32, Unsayable> {
        let text: String = self.rest.by_ref().take(digits).collect();
        let whole = text.len() == digits && digits > 0;
        let code = u32::from_str_radix(&text, 16).ok().filter(|_| whole);
        code.ok_or_else(|| "has a code without its digits".to_owned())
    }
}

#[cfg(test)]
mod tests;

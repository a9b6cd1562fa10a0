//! How large one guardrail may be. Cedar's parser, and everything that walks a policy after it, goes
//! as deep as the text does; a text that is deeper than the stack would end the process, and with it
//! the gate. So depth is counted in the text, before anything reads it.

use base::Problem;

use crate::rails::at;

/// Brackets within each other.
const NESTING_MAX: usize = 32;
/// Operators of one guardrail: each may put what stands beside it one level deeper.
const OPERATORS_MAX: usize = 256;

/// The first guardrail of a file that is too deep.
pub(crate) fn check(file: &str, text: &str) -> Result<(), Problem> {
    let (mut line, mut nesting, mut operators) = (1, 0_usize, 0_usize);
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'\n' => line += 1,
            b'"' => rest = behind_string(after, &mut line),
            b'/' if after.first() == Some(&b'/') => rest = behind_line(after),
            b'(' | b'[' | b'{' => nesting += 1,
            b')' | b']' | b'}' => nesting = nesting.saturating_sub(1),
            // Another guardrail begins, wherever brackets were left open.
            b';' => (nesting, operators) = (0, 0),
            b'!' | b'+' | b'-' | b'*' | b'.' | b'&' | b'|' => {
                operators += 1;
                // `&&` and `||` are one each.
                if matches!(first, b'&' | b'|') && after.first() == Some(first) {
                    rest = after.get(1..).unwrap_or_default();
                }
            }
            b'i' if is_word(text, after.len(), b"if") => operators += 1,
            _ => {}
        }
        if nesting > NESTING_MAX || operators > OPERATORS_MAX {
            let detail = format!(
                "a guardrail has at most {NESTING_MAX} brackets within each other and \
                 {OPERATORS_MAX} operators"
            );
            return Err(Problem::invalid("guardrail_too_deep", detail)
                .at(at(file, line))
                .hint("write several: each of them forbids by itself"));
        }
    }
    Ok(())
}

/// What follows the end of a string that was just opened.
fn behind_string<'t>(text: &'t [u8], line: &mut usize) -> &'t [u8] {
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'"' => break,
            b'\\' => rest = after.get(1..).unwrap_or_default(),
            b'\n' => *line += 1,
            _ => {}
        }
    }
    rest
}

/// The end of a line, which is counted by whoever goes on.
fn behind_line(text: &[u8]) -> &[u8] {
    let end = text.iter().position(|byte| *byte == b'\n').unwrap_or(text.len());
    text.get(end..).unwrap_or_default()
}

/// Whether a word stands where so many bytes are left behind its first.
fn is_word(text: &str, left: usize, word: &[u8]) -> bool {
    let bytes = text.as_bytes();
    let start = bytes.len().saturating_sub(left + 1);
    let is_part = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    let before = start.checked_sub(1).and_then(|index| bytes.get(index));
    let found = bytes.get(start..).is_some_and(|rest| rest.starts_with(word));
    found && !is_part(before) && !is_part(bytes.get(start + word.len()))
}

#[cfg(test)]
mod tests;

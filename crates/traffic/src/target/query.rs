//! The query of a target: kept as sent, after checks.

use super::octet;
use crate::Reason;
use crate::headers::is_method_override;

/// Appends `raw` to `out` when it has one reading. A parameter that replaces the method for some
/// frameworks is refused: the method judged must be the method served.
pub(super) fn check(raw: &[u8], out: &mut String) -> Result<(), Reason> {
    let mut rest = raw;
    while let [byte, tail @ ..] = rest {
        rest = match (byte, tail) {
            (b'%', [high, low, tail @ ..]) => {
                // A decoded NUL ends the string for readers in C.
                octet(*high, *low).filter(|octet| *octet != 0).ok_or(Reason::NonCanonicalTarget)?;
                tail
            }
            _ if is_query_byte(*byte) => tail,
            _ => return Err(Reason::NonCanonicalTarget),
        };
    }
    if raw.split(|byte| matches!(byte, b'&' | b';')).any(overrides_method) {
        return Err(Reason::ForbiddenHeader);
    }
    // Checked above: visible ASCII only.
    out.extend(raw.iter().map(|byte| char::from(*byte)));
    Ok(())
}

/// Visible ASCII but `#`, `"`, `<`, `>`, `\` and a lone `%`. Brackets, braces and bars are outside
/// RFC 3986, but browsers send them as they are and no reader takes them for delimiters.
fn is_query_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"#\"<>\\%".contains(&byte)
}

/// Whether a parameter is `_method=…` or has the name of a method override header, however escaped.
pub(crate) fn overrides_method(parameter: &[u8]) -> bool {
    let name = parameter.split(|byte| *byte == b'=').next().unwrap_or_default();
    // The shortest such name has seven characters: the common short names need no decoding.
    if name.len() < 7 {
        return false;
    }
    let mut decoded = Vec::with_capacity(name.len());
    let mut rest = name;
    while let [byte, tail @ ..] = rest {
        rest = match (byte, tail) {
            (b'%', [high, low, tail @ ..]) => {
                decoded.extend(octet(*high, *low));
                tail
            }
            (b'+', _) => {
                decoded.push(b' ');
                tail
            }
            _ => {
                decoded.push(*byte);
                tail
            }
        };
    }
    let is_one = |name: &[u8]| name.eq_ignore_ascii_case(b"_method") || is_method_override(name);
    is_one(&as_variable(&decoded)) || is_one(within_brackets(&decoded))
}

/// The name that Rack and its kin find: the first thing that is no bracket.
fn within_brackets(name: &[u8]) -> &[u8] {
    let is_bracket = |byte: &u8| matches!(byte, b'[' | b']');
    name.split(is_bracket).find(|part| !part.is_empty()).unwrap_or_default()
}

/// The name under which PHP and its kin find a parameter: without leading spaces, without the index
/// of a list (`_method[]`), and with `_` for what a variable's name cannot have.
fn as_variable(name: &[u8]) -> Vec<u8> {
    let name = name.trim_ascii_start();
    // An index counts as one only when it is closed.
    let index = name.iter().skip(1).position(|byte| *byte == b'[').map(|at| at + 1);
    let index = index.filter(|at| name.iter().skip(*at).any(|byte| *byte == b']'));
    let name = name.get(..index.unwrap_or(name.len())).unwrap_or_default();
    name.iter().map(|byte| if b" .[".contains(byte) { b'_' } else { *byte }).collect()
}

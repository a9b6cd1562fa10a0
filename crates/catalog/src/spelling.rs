//! The spelling of literal texts: as the gate writes the path of a request that it judges, so that
//! a literal which a document spells otherwise (`%7e` for `~`, `ü` for `%C3%BC`) is found and does
//! not give way to a parameter.
//!
//! `+`, `,` and `=` have two spellings that some readers tell apart. A catalogue has them plain;
//! what a request has escaped must mean the same operation either way.

/// A literal text in its one spelling.
pub(crate) fn canonical(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, tail @ ..] = rest {
        rest = match (byte, tail) {
            (b'%', [high, low, tail @ ..]) => match octet(*high, *low) {
                Some(octet) if is_plain(octet) => {
                    out.push(char::from(octet));
                    tail
                }
                Some(octet) => {
                    push_escape(octet, &mut out);
                    tail
                }
                // No request is spelled like this, so none will match.
                None => {
                    out.push('%');
                    rest.get(1..).unwrap_or_default()
                }
            },
            // A lone `%` and `;` are refused in requests.
            (b'%' | b';', tail) => {
                out.push(char::from(*byte));
                tail
            }
            (byte, tail) => {
                if is_plain(*byte) {
                    out.push(char::from(*byte));
                } else {
                    push_escape(*byte, &mut out);
                }
                tail
            }
        };
    }
    out
}

/// The other reading of a canonical path: with `+`, `,` and `=` plain where they are escaped.
/// `None` where they are not.
pub fn with_plain_marks(path: &str) -> Option<String> {
    // Nearly no path has an escape, and every request asks this twice.
    if !path.contains('%') {
        return None;
    }
    let marks = [("%2B", "+"), ("%2C", ","), ("%3D", "=")];
    marks.iter().any(|(escaped, _)| path.contains(escaped)).then(|| {
        marks.iter().fold(path.to_owned(), |path, (escaped, plain)| path.replace(escaped, plain))
    })
}

/// What a canonical path has unescaped (RFC 3986 `pchar` without `;`).
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,=:@".contains(&byte)
}

/// The octet that `%` and these two digits stand for.
fn octet(high: u8, low: u8) -> Option<u8> {
    let nibble = |digit: u8| char::from(digit).to_digit(16).and_then(|n| u8::try_from(n).ok());
    Some((nibble(high)? << 4) | nibble(low)?)
}

fn push_escape(octet: u8, out: &mut String) {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    out.push('%');
    out.push(digit(octet >> 4).to_ascii_uppercase());
    out.push(digit(octet & 15).to_ascii_uppercase());
}

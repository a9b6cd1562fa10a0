//! From a byte of the file to the member it belongs to, so that a fault found by bytes is named
//! like every other: `items[3].sealed.grant`.

enum Level {
    Object { name: String },
    Array { index: usize },
}

/// The path of the value or name that covers byte `offset`. Works on text that stops being JSON
/// somewhere after it.
pub(super) fn path_at(text: &[u8], offset: usize) -> String {
    let mut levels: Vec<Level> = Vec::new();
    let mut expects_name = false;
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        if at > offset {
            break;
        }
        match byte {
            b'{' => {
                levels.push(Level::Object { name: String::new() });
                expects_name = true;
            }
            b'[' => {
                levels.push(Level::Array { index: 0 });
                expects_name = false;
            }
            b'}' | b']' if at < offset => {
                levels.pop();
                expects_name = false;
            }
            b',' => expects_name = next_element(&mut levels),
            b'"' => {
                let end = string_end(text, at);
                if let (true, Some(Level::Object { name })) = (expects_name, levels.last_mut()) {
                    let inner = text.get(at + 1..end).unwrap_or_default();
                    *name = String::from_utf8_lossy(inner).into_owned();
                    expects_name = false;
                }
                at = end;
            }
            _ => {}
        }
        at += 1;
    }
    render(&levels)
}

/// Steps to the next element; says whether a member name comes next.
fn next_element(levels: &mut [Level]) -> bool {
    match levels.last_mut() {
        Some(Level::Array { index }) => {
            *index += 1;
            false
        }
        Some(Level::Object { .. }) => true,
        None => false,
    }
}

/// The position of the quote that ends the string that starts at `start`.
fn string_end(text: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => return at,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    text.len()
}

fn render(levels: &[Level]) -> String {
    let mut out = String::new();
    for level in levels {
        match level {
            Level::Object { name } if name.is_empty() => {}
            Level::Object { name } => {
                if !out.is_empty() {
                    out.push('.');
                }
                out.push_str(name);
            }
            Level::Array { index } => out.push_str(&format!("[{index}]")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::path_at;

    #[test]
    fn a_byte_has_the_path_of_its_member() {
        let text = br#"{"a":[{"b":"x\"]"},7],"c":{"d":12}}"#;
        let path = |needle: &str| {
            let at = text.windows(needle.len()).position(|w| w == needle.as_bytes()).unwrap();
            path_at(text, at)
        };
        assert_eq!(path("x"), "a[0].b");
        assert_eq!(path("7"), "a[1]");
        assert_eq!(path("12"), "c.d");
        assert_eq!(path("\"c\""), "c");
    }

    #[test]
    fn text_that_breaks_off_still_has_a_place() {
        assert_eq!(path_at(br#"{"a":[1,2,"#, 10), "a[2]");
        assert_eq!(path_at(b"", 0), "");
    }
}

//! The value that a path has for a parameter of its template.

/// The value of the parameter `name` of `template` in `path`, which fits it: percent-decoded.
/// `None` where the template has no such parameter, where the value is not UTF-8, and where a
/// segment with several parameters (`{a}-{b}`) can be read in more than one way: whoever judges by
/// the value must not pick one.
pub fn parameter(template: &str, path: &str, name: &str) -> Option<String> {
    let mut segments = path.trim_start_matches('/').trim_end_matches('/').split('/');
    for pattern in template.trim_start_matches('/').split('/') {
        let segment = segments.next()?;
        if let Some((before, after)) = around(pattern, name) {
            return decoded(value(before, after, segment)?);
        }
    }
    None
}

/// Whether a template has a parameter of this name.
pub fn has(template: &str, name: &str) -> bool {
    template.split('/').any(|pattern| around(pattern, name).is_some())
}

/// What stands before and behind `{name}`.
fn around<'t>(pattern: &'t str, name: &str) -> Option<(&'t str, &'t str)> {
    let mut from = 0;
    while let Some(at) = pattern.get(from..)?.find('{') {
        let open = from + at;
        let close = open + pattern.get(open..)?.find('}')?;
        if pattern.get(open + 1..close)? == name {
            return Some((pattern.get(..open)?, pattern.get(close + 1..)?));
        }
        from = close + 1;
    }
    None
}

fn value<'p>(before: &str, after: &str, segment: &'p str) -> Option<&'p str> {
    let (fore, aft) = (last_literal(before), first_literal(after));
    let alone = !before.contains('{') && !after.contains('{');
    if alone {
        return segment.strip_prefix(fore)?.strip_suffix(aft);
    }
    // Each of the texts on either side must occur once, or there is more than one reading.
    let once = |text: &str| text.is_empty() || segment.matches(text).count() == 1;
    if !once(fore) || !once(aft) || (fore == aft && !fore.is_empty()) {
        return None;
    }
    let rest = if fore.is_empty() { segment } else { segment.split_once(fore)?.1 };
    if aft.is_empty() { Some(rest) } else { Some(rest.split_once(aft)?.0) }
}

fn last_literal(text: &str) -> &str {
    text.rsplit_once('}').map_or(text, |(_, literal)| literal)
}

fn first_literal(text: &str) -> &str {
    text.split_once('{').map_or(text, |(literal, _)| literal)
}

/// Percent-decoded once; `None` when what comes out is not UTF-8 or an escape is broken.
pub fn decoded(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, tail @ ..] = rest {
        rest = match (byte, tail) {
            (b'%', [high, low, tail @ ..]) => {
                let nibble = |digit: u8| char::from(digit).to_digit(16);
                let octet = nibble(*high)? * 16 + nibble(*low)?;
                out.push(u8::try_from(octet).ok()?);
                tail
            }
            (b'%', _) => return None,
            (byte, tail) => {
                out.push(*byte);
                tail
            }
        };
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests;

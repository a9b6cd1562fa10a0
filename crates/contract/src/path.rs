//! The values that a path has for the parameters of its template.

/// Names and values, in the order of the template, the values as the path spells them. `None` when
/// the path does not fit the template. `template` is an operation's full one; a trailing slash does
/// not count in either. The matcher decides which template a path has; this only reads values.
pub fn values<'t, 'p>(template: &'t str, path: &'p str) -> Option<Vec<(&'t str, &'p str)>> {
    let trimmed = |text: &'t str| text.strip_suffix('/').unwrap_or(text);
    let mut out = Vec::new();
    let mut given = path.strip_suffix('/').unwrap_or(path).split('/');
    for segment in trimmed(template).split('/') {
        of_segment(segment, given.next()?, &mut out)?;
    }
    given.next().is_none().then_some(out)
}

/// Values in one segment: between literal texts, of which the leftmost occurrence counts, as it
/// does for the matcher.
fn of_segment<'t, 'p>(
    template: &'t str,
    segment: &'p str,
    out: &mut Vec<(&'t str, &'p str)>,
) -> Option<()> {
    let Some((before, mut after)) = template.split_once('{') else {
        // The matcher has compared literal texts, in their one spelling.
        return Some(());
    };
    let mut rest = segment.strip_prefix(before)?;
    loop {
        let (name, tail) = after.split_once('}')?;
        let (literal, next) = match tail.split_once('{') {
            Some((literal, next)) => (literal, Some(next)),
            None => (tail, None),
        };
        let value = match next {
            Some(_) => {
                // One character at least belongs to the value.
                let first = rest.chars().next()?.len_utf8();
                let at = rest.get(first..)?.find(literal)? + first;
                let (value, behind) = rest.split_at_checked(at)?;
                rest = behind.strip_prefix(literal)?;
                value
            }
            None => rest.strip_suffix(literal).filter(|value| !value.is_empty())?,
        };
        out.push((name, value));
        match next {
            Some(next) => after = next,
            None => return Some(()),
        }
    }
}

#[cfg(test)]
mod tests;

//! The name that somebody most likely meant.

/// The known word with the smallest edit distance, if it is at most a third of the word's length
/// and at most three.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Longer input is no typing error, and the comparison is quadratic.
    if word.len() > 64 {
        return None;
    }
    let far = (word.chars().count() / 3).clamp(1, 3);
    let ranked = known.into_iter().filter(|known| known.len() <= 64);
    let ranked = ranked.map(|known| (distance(&word.to_lowercase(), &known.to_lowercase()), known));
    ranked.filter(|(distance, _)| *distance <= far).min().map(|(_, known)| known)
}

/// Characters put in, left out, replaced, or swapped with their neighbour (optimal string
/// alignment): the slips of a typing hand.
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX / 2);
    let mut above: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, a) in one.iter().enumerate() {
        let mut next = vec![line + 1];
        for (column, b) in other.iter().enumerate() {
            let replaced = at(&row, column) + usize::from(a != b);
            let mut best = replaced.min(at(&row, column + 1) + 1).min(at(&next, column) + 1);
            if line > 0
                && column > 0
                && one.get(line - 1) == Some(b)
                && other.get(column - 1) == Some(a)
            {
                best = best.min(at(&above, column - 1) + 1);
            }
            next.push(best);
        }
        above = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_single_edits() {
        for (one, other, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("kitten", "sitting", 3),
            ("ab", "ba", 1),
            ("raed", "read", 1),
            ("é", "e", 1),
        ] {
            assert_eq!(distance(one, other), expected, "{one} {other}");
            assert_eq!(distance(other, one), expected, "{other} {one}");
        }
    }

    #[test]
    fn a_far_word_has_no_neighbour() {
        assert_eq!(nearest("upstream", ["name", "owner"]), None);
        assert_eq!(nearest("", ["name"]), None);
    }

    #[test]
    fn a_slip_finds_its_word() {
        assert_eq!(nearest("upstraem", ["path", "upstream"]), Some("upstream"));
        assert_eq!(nearest("lisen", ["listen", "url"]), Some("listen"));
        assert_eq!(nearest("ur", ["listen", "url"]), Some("url"));
    }
}

//! The name that somebody most likely meant.

/// The candidate with the fewest edits from `word`, when they are few for its length.
pub(crate) fn nearest<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let allowed = (word.chars().count() / 3).clamp(1, 3);
    candidates
        .iter()
        .map(|candidate| (distance(word, candidate), *candidate))
        .filter(|(edits, _)| *edits <= allowed)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Insertions, deletions, replacements and swaps of neighbours between two words.
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<_>, Vec<_>) = (left.chars().collect(), right.chars().collect());
    let mut rows = vec![(0..=right.len()).collect::<Vec<_>>()];
    for (i, from) in left.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, to) in right.iter().enumerate() {
            let replaced = rows[i][j] + usize::from(from != to);
            let mut best = replaced.min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *from == right[j - 1] && left[i - 1] == *to {
                best = best.min(rows[i - 1][j - 1] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[left.len()][right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_far_word_has_no_neighbour() {
        assert_eq!(nearest("upstream", &["name", "owner"]), None);
        assert_eq!(nearest("", &["name"]), None);
    }

    #[test]
    fn a_slip_finds_its_word() {
        assert_eq!(nearest("upstraem", &["path", "upstream"]), Some("upstream"));
        assert_eq!(nearest("lisen", &["listen", "url"]), Some("listen"));
        assert_eq!(nearest("ur", &["listen", "url"]), Some("url"));
    }
}

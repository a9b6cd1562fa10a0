//! Sentences about numbers and lists of names, as findings and recommendations say them.

/// Names spelled out before the rest becomes a number.
const NAMED_MAX: usize = 3;

/// `1 call`, `2 calls`.
pub(crate) fn counted(number: u64, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

/// `Refund order`, `List orders and Refund order`, `A, B, C and 4 more`.
pub(crate) fn listed(names: &[String]) -> String {
    let shown = names.get(..NAMED_MAX).unwrap_or(names);
    match (names.len() - shown.len(), shown.split_last()) {
        (0, Some((last, []))) => last.clone(),
        (0, Some((last, before))) => format!("{} and {last}", before.join(", ")),
        (more, _) => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_not_many_and_long_lists_end_in_a_number() {
        assert_eq!([counted(1, "call"), counted(0, "call")], ["1 call", "0 calls"]);
        let names: Vec<String> = ["A", "B", "C", "D", "E"].map(str::to_owned).to_vec();
        assert_eq!(listed(&names[..1]), "A");
        assert_eq!(listed(&names[..3]), "A, B and C");
        assert_eq!(listed(&names), "A, B, C and 2 more");
    }
}

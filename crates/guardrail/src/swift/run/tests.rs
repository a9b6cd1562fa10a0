use super::*;

fn fits(text: &str, pattern: &str) -> bool {
    let element = |c| match c {
        '*' => PatternElem::Wildcard,
        c => PatternElem::Char(c),
    };
    like(text, &pattern.chars().map(element).collect::<Vec<_>>())
}

#[test]
fn a_pattern_fits_the_whole_text_and_a_wildcard_any_part_of_it() {
    for (text, pattern) in [
        ("", ""),
        ("", "*"),
        ("abc", "abc"),
        ("abc", "*"),
        ("abc", "a*"),
        ("abc", "*c"),
        ("abc", "a*c"),
        ("abc", "a**c"),
        ("aab", "*ab"),
        ("abcabd", "*abd"),
        ("x.example.com", "*.example.*"),
        ("é€", "é*"),
    ] {
        assert!(fits(text, pattern), "{text} {pattern}");
    }
    for (text, pattern) in [
        ("a", ""),
        ("", "a"),
        ("abc", "ab"),
        ("abc", "b*"),
        ("abc", "*b"),
        ("ab", "a*b*c"),
        ("abcabc", "*abd"),
        ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "*a*a*a*a*a*a*a*a*b"),
    ] {
        assert!(!fits(text, pattern), "{text} {pattern}");
    }
}

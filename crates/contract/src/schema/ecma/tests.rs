use regex::Regex;

use super::*;

fn compiled(pattern: &str) -> Regex {
    let said = translate(pattern).unwrap_or_else(|why| panic!("{pattern} {why}"));
    Regex::new(&said).unwrap_or_else(|why| panic!("{pattern} as {said}: {why}"))
}

#[test]
fn what_needs_a_search_back_is_refused() {
    for (pattern, why) in [
        ("^(?=a)", "looks ahead with `(?=`"),
        ("^(?!a)", "looks ahead with `(?!`"),
        ("(?<=a)b", "looks behind with `(?<=`"),
        ("(?<!a)b", "looks behind with `(?<!`"),
        (r"(a)\1", r"refers to a group with `\1`"),
        (r"(?<x>a)\k<x>", r"refers to a group with `\k`"),
        (r"\A", r"has `\A`, which ECMA-262 does not know"),
        (r"\z", r"has `\z`, which ECMA-262 does not know"),
        (r"a\", r"ends with `\`"),
        ("[a", "has a `[` that is not closed"),
        (r"\u12", "has a code without its digits"),
        (r"\ud83d", r"has half a character in `\u`"),
        (r"\ud83dx", r"has half a character in `\u`"),
        (r"\c1", r"has `\c` without a letter"),
    ] {
        assert_eq!(translate(pattern).unwrap_err(), why, "{pattern}");
    }
}

#[test]
fn classes_are_those_of_ecma() {
    for (pattern, matching, other) in [
        (r"^\d$", "7", "٣"),
        (r"^\D$", "٣", "7"),
        (r"^\w$", "_", "ü"),
        (r"^\W$", "ü", "z"),
        (r"^\s$", "\u{feff}", "x"),
        (r"^\S$", "x", "\u{2003}"),
        (r"^.$", "x", "\u{2028}"),
        (r"^[\d]$", "3", "٣"),
        (r"^[^\d]$", "٣", "3"),
        (r"^[\w.-]$", "-", "é"),
        (r"^\p{Lu}$", "Ü", "ü"),
        (r"^[\p{Lu}0]$", "0", "p"),
        (r"^\bab\b$", "ab", "abc"),
    ] {
        let regex = compiled(pattern);
        assert!(regex.is_match(matching) && !regex.is_match(other), "{pattern}");
    }
}

#[test]
fn marks_without_meaning_stand_for_themselves() {
    for (pattern, matching, other) in [
        (r"^{a}$", "{a}", "a"),
        (r"^a{,2}$", "a{,2}", "aa"),
        (r"^a{2}$", "aa", "a{2}"),
        (r"^a{2,}$", "aaa", "a"),
        (r"^]$", "]", "["),
        (r"^[[]$", "[", "]"),
        (r"^[a&&b]$", "&", "c"),
        (r"^[a~~b]$", "~", "c"),
        (r"^[a-]$", "-", "b"),
        (r"^[-a]$", "-", "b"),
        (r"^[\w-.]$", "-", ","),
        (r"^[a-\d]$", "-", "b"),
        (r"^[+--]$", ",", "."),
        (r"^[a\]]$", "]", "b"),
        (r"^\/$", "/", r"\"),
        (r"^\-\_\<\>$", "-_<>", "x"),
        (r"^[]$", "never", ""),
        (r"^[^]$", "\n", ""),
    ] {
        let regex = compiled(pattern);
        assert_eq!(regex.is_match(matching), pattern != "^[]$", "{pattern}");
        assert!(!regex.is_match(other), "{pattern}");
    }
}

#[test]
fn codes_are_characters() {
    for (pattern, text) in [
        (r"^\x41\u0042\u{43}$", "ABC"),
        (r"^[\x41-\x43]$", "B"),
        (r"^\ud83d\ude00$", "😀"),
        (r"^[\u4e00-\u9fff]$", "中"),
        (r"^\cJ\t\v\f\0$", "\n\t\u{b}\u{c}\0"),
        (r"^[\b]$", "\u{8}"),
        (r"^(?<year>\d{4})(?:-\d\d)?$", "2024-01"),
    ] {
        assert!(compiled(pattern).is_match(text), "{pattern}");
    }
}

#[test]
fn a_pattern_that_takes_others_forever_ends_at_once() {
    let regex = compiled(r"^(a+)+$");
    assert!(!regex.is_match(&format!("{}b", "a".repeat(50_000))));
}

use super::*;

fn sizes(entries: &[(&str, usize)]) -> BTreeMap<String, usize> {
    entries.iter().map(|(place, lines)| ((*place).to_owned(), *lines)).collect()
}

fn verdict(measured: usize, known: &[(&str, usize)]) -> Vec<String> {
    let found = judge(&sizes(&[("f", measured)]), &sizes(known), 70);
    found.into_iter().map(|finding| finding.what).collect()
}

#[test]
fn one_line_above_the_limit_is_a_fault() {
    assert_eq!(verdict(70, &[]), [""; 0]);
    assert_eq!(verdict(71, &[]), ["71 lines; 70 are allowed"]);
}

#[test]
fn a_known_exception_may_stay_but_not_grow() {
    assert_eq!(verdict(90, &[("f", 90)]), [""; 0]);
    assert_eq!(verdict(91, &[("f", 90)]), ["grew from 90 to 91 lines"]);
}

#[test]
fn slack_is_taken_back() {
    assert_eq!(verdict(80, &[("f", 90)]), ["shrank: write 80 in xtask/ratchet.toml"]);
    assert_eq!(verdict(70, &[("f", 90)]), ["fits by now: remove it from xtask/ratchet.toml"]);
    let gone = judge(&sizes(&[]), &sizes(&[("g", 90)]), 70);
    assert_eq!(gone.len(), 1);
}

#[test]
fn an_unknown_key_is_an_error() {
    assert!(Ratchet::parse("packages = 1\nlines = 3\n").is_err());
    assert_eq!(Ratchet::parse("packages = 1\n[files]\n\"a.rs\" = 900\n").unwrap().files.len(), 1);
}

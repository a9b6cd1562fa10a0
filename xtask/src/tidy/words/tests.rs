use super::*;

fn findings_of(path: &str, text: &str) -> usize {
    check(&[TextFile { path: path.to_owned(), text: text.to_owned() }]).len()
}

#[test]
fn every_word_is_found_in_any_text() {
    for (word, _) in ANYWHERE {
        assert_eq!(findings_of("docs/howto/a.md", &format!("see {word}x")), 1, "{word}");
    }
}

#[test]
fn marks_of_unfinished_work_are_found_in_code() {
    for (word, _) in IN_CODE {
        assert_eq!(findings_of("crates/a/src/lib.rs", &format!("// {}", word.to_uppercase())), 1);
        assert_eq!(findings_of("CHANGELOG.md", word), 0, "{word}");
    }
}

#[test]
fn lockfiles_may_name_registries() {
    let host = concat!("registry.npmjs", ".org");
    assert_eq!(findings_of("tests/browser/package-lock.json", host), 0);
    assert_eq!(findings_of("tests/browser/package.json", host), 1);
}

#[test]
fn ticket_numbers_are_found_and_issuing_is_not() {
    assert_eq!(findings_of("a.md", concat!("see Iss", "ue 12")), 1);
    assert_eq!(findings_of("a.md", concat!("see iss", "ue #12")), 1);
    assert_eq!(findings_of("a.md", "issue a key; the issue is open; issue  3"), 0);
}

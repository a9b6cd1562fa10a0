use super::*;

fn file_of(lines: usize) -> TextFile {
    TextFile { path: "crates/x/src/lib.rs".to_owned(), text: "//\n".repeat(lines) }
}

#[test]
fn a_large_file_warns_and_a_huge_one_fails() {
    let ratchet = Ratchet::default();
    assert_eq!(check_files(&[&file_of(500)], &ratchet), []);
    let found = check_files(&[&file_of(501)], &ratchet);
    assert!(found.len() == 1 && found[0].warning, "{found:?}");
    let found = check_files(&[&file_of(801)], &ratchet);
    assert!(found.len() == 1 && !found[0].warning, "{found:?}");
}

#[test]
fn a_long_line_is_named_by_its_number() {
    let text = format!("//\n{0}\n{0}é\n\"{0}\"\n", "é".repeat(110));
    let file = TextFile { path: "a.rs".to_owned(), text };
    let found = check_lines(&[&file]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].place, "a.rs:3");
}

use super::*;

#[test]
fn long_names_and_pointers_are_cut() {
    let long = "n".repeat(1_000);
    assert_eq!(shortened(&long).chars().count(), NAME_CHARS_MAX + 1);
    assert_eq!(shortened("a\r\nb\u{1b}[0m"), "a\u{fffd}\u{fffd}b\u{fffd}[0m");
    let mut pointer = Pointer::default();
    (0..100).for_each(|index| pointer.outward_index(index));
    assert!(pointer.text().starts_with("/99/98/"), "{}", pointer.text());
    assert!(pointer.text().ends_with("/68/…"), "{}", pointer.text());
}

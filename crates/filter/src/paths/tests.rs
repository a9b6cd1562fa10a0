use super::*;

fn report(paths: &Paths) -> Report {
    let mut report = Report::default();
    paths.report(&mut report);
    report
}

#[test]
fn a_cut_name_is_never_remembered_as_that_of_one_property() {
    let mut paths = Paths::new();
    let long = vec![b'a'; NAME_BYTES_MAX + 1];
    let number = paths.property(Paths::ROOT, NONE, &long);
    paths.plan(number, &long, 0, 7);
    assert_eq!(paths.planned(number, 0), None);
    let quoted = [long.as_slice(), b"\":12345678"].concat();
    assert_eq!(paths.expected(Paths::ROOT, NONE, &quoted, 0), None);
    assert_eq!(paths.expected(Paths::ROOT, NONE, &quoted, 1), None);
}

#[test]
fn a_name_that_is_written_otherwise_is_not_expected() {
    let mut paths = Paths::new();
    for name in [b"a\"b".as_slice(), b"a\\b", b"a\nb"] {
        let number = paths.property(Paths::ROOT, NONE, name);
        assert_ne!(number, NONE);
        let written = [name, b"\":12345678"].concat();
        assert_eq!(paths.expected(Paths::ROOT, NONE, &written, 0), None, "{name:?}");
    }
}

#[test]
fn what_has_no_room_is_counted_and_not_kept() {
    let mut paths = Paths::new();
    for number in 0..10_000 {
        let property = paths.property(Paths::ROOT, NONE, format!("name{number}").as_bytes());
        paths.removed(property);
        paths.saw(property);
    }
    let report = report(&paths);
    assert_eq!(report.removed.len(), REMOVED_MAX);
    assert_eq!(report.removed_more, 10_000 - REMOVED_MAX as u64);
    assert_eq!(report.seen.len(), SEEN_MAX);
    assert!(report.seen_more);
    assert!(paths.memory_bytes() < 12 * 1_024, "{}", paths.memory_bytes());
    let inside = paths.property(NONE, NONE, b"x");
    assert_eq!(inside, NONE);
}

#[test]
fn long_names_and_paths_are_cut_between_characters() {
    let mut paths = Paths::new();
    let (mut object, name) = (Paths::ROOT, "é".repeat(100));
    for _ in 0..8 {
        object = paths.property(object, NONE, name.as_bytes());
        assert_ne!(object, NONE);
    }
    paths.removed(object);
    paths.saw(object);
    let report = report(&paths);
    assert_eq!(report.removed, ["é".repeat(64)]);
    assert!(report.seen[0].len() <= SEEN_BYTES_MAX);
    assert!(report.seen[0].starts_with(&format!("{}.é", "é".repeat(64))));
}

#[test]
fn what_is_undone_was_never_there() {
    let mut paths = Paths::new();
    let [a, b, c] = [b"a", b"b", b"c"].map(|name| paths.property(Paths::ROOT, NONE, name));
    paths.saw(a);
    let outer = paths.mark();
    paths.removed(a);
    paths.saw(b);
    let inner = paths.mark();
    paths.saw(b);
    paths.saw(c);
    paths.saw(NONE);
    paths.removed(NONE);
    paths.undo(inner);
    let inside = report(&paths);
    assert_eq!((inside.seen, inside.removed), (vec!["a".into(), "b".into()], vec!["a".into()]));
    assert_eq!((inside.seen_more, inside.removed_more), (false, 0));
    paths.undo(outer);
    paths.settle();
    let outside = report(&paths);
    assert_eq!((outside.seen, outside.removed), (vec!["a".into()], vec![]));
}

#[test]
fn names_are_found_again_and_expected_in_their_order() {
    let mut paths = Paths::new();
    let a = paths.property(Paths::ROOT, NONE, b"a");
    let b = paths.property(Paths::ROOT, a, b"b");
    assert_eq!(paths.property(Paths::ROOT, NONE, b"a"), a);
    assert_ne!(paths.property(a, NONE, b"a"), a);
    let expected = |last, written: &[u8]| paths.expected(Paths::ROOT, last, written, 0);
    assert_eq!(expected(NONE, b"a\":12345678"), Some((a, 2)));
    assert_eq!(expected(a, b"b\":12345678"), Some((b, 2)));
    assert_eq!(expected(a, b"bc\":12345678"), None);
    assert_eq!(expected(a, b"b:12345678"), None);
    assert_eq!(expected(b, b"a\":12345678"), None);
}

#[test]
fn names_of_every_length_are_expected_as_they_are_written() {
    for length in 0..=NAME_BYTES_MAX {
        let mut paths = Paths::new();
        let name = &b"abcdefghijklmnopqrstuvwxyz".repeat(5)[..length];
        let number = paths.property(Paths::ROOT, NONE, name);
        let mut written = [name, b"\":12345678"].concat();
        let expected = |written: &[u8]| paths.expected(Paths::ROOT, NONE, written, 0);
        assert_eq!(expected(&written), Some((number, length + 1)));
        for at in 0..=length {
            written[at] ^= 1;
            assert_eq!(expected(&written), None, "{at} of {length}");
            written[at] ^= 1;
        }
    }
}

#[test]
fn a_plan_s_node_is_remembered_for_the_object_s_node_only() {
    let mut paths = Paths::new();
    let a = paths.property(Paths::ROOT, NONE, b"a");
    paths.plan(a, b"a", 3, 4);
    assert_eq!((paths.planned(a, 3), paths.planned(a, 5)), (Some(4), None));
}

#[test]
fn paths_are_written_as_the_catalogue_writes_them() {
    let mut paths = Paths::new();
    for names in [&["lines", "sku"][..], &["a.b", "c\\d"], &["*", "x"], &["e", ""]] {
        let property = |object, name: &&str| paths.property(object, NONE, name.as_bytes());
        let last = names.iter().fold(Paths::ROOT, property);
        paths.saw(last);
    }
    paths.removed(Paths::ROOT);
    assert_eq!(report(&paths).seen, ["\\*.x", "a\\.b.c\\\\d", "e.", "lines.sku"]);
    assert_eq!(report(&paths).removed, ["[]"]);
}

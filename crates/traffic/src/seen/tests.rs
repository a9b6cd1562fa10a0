use super::*;

fn of(passed: &[&str], catalogued: &'static [&'static str]) -> FieldsSeen {
    let passed: Vec<_> = passed.iter().map(|path| (*path).to_owned()).collect();
    let find = |path: &str| catalogued.iter().copied().find(|name| *name == path);
    FieldsSeen::of(&passed, false, find)
}

#[test]
fn a_name_that_the_catalogue_does_not_have_is_counted_and_not_kept() {
    let seen = of(&["by_mail.ann@x\\.example", "id"], &["id"]);
    assert_eq!(seen, FieldsSeen { paths: vec!["id".to_owned()], other: true, more: false });
    assert!(!of(&["id"], &["id"]).other);
}

#[test]
fn what_is_kept_is_bounded() {
    let passed: Vec<_> = (0..200).map(|number| format!("p{number:03}")).collect();
    let names: Vec<_> = passed.iter().map(String::as_str).collect();
    let find = |path: &str| names.iter().copied().find(|name| *name == path);
    let seen = FieldsSeen::of(&passed, false, find);
    assert_eq!((seen.paths.len(), seen.more, seen.other), (PATHS_MAX, true, false));
    assert!(FieldsSeen::of(&[], true, find).more);

    let deep = ["a.b.c.d.e.f.g.h.i", "a.b.c.d.e.f.g.h.i.j"];
    assert_eq!(of(&deep, &["a.b.c.d.e.f.g.h.i", "a.b.c.d.e.f.g.h.i.j"]).paths, ["a.b.c.d.e.f.g.h"]);
    assert_eq!(of(&["a.b.c.d.e.f.g.h"], &["a.b.c.d.e.f.g.h"]).paths, ["a.b.c.d.e.f.g.h"]);
}

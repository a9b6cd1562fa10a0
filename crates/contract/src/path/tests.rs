use super::*;

#[test]
fn a_path_of_another_template_has_no_values() {
    for (template, path) in [
        ("/a/{id}", "/a"),
        ("/a/{id}", "/a/1/2"),
        ("/a/{id}", "/a//"),
        ("/a/{id}.json", "/a/1.xml"),
        ("/a/{id}.json", "/a/.json"),
        ("/a/x{id}", "/a/1"),
        ("/a/{x}-{y}", "/a/1"),
        ("/a/{x", "/a/1"),
    ] {
        assert_eq!(values(template, path), None, "{template} {path}");
    }
}

#[test]
fn values_are_those_that_the_matcher_saw() {
    for (template, path, expected) in [
        ("/", "/", &[][..]),
        ("/a/b", "/a/b/", &[]),
        ("/a/{id}", "/a/1%2F2", &[("id", "1%2F2")]),
        ("/{x}/{y}/", "/1/2", &[("x", "1"), ("y", "2")]),
        ("/{x}.{y}", "/a.b.c", &[("x", "a"), ("y", "b.c")]),
        ("/v{x}:{y}.tar", "/v::b.tar", &[("x", ":"), ("y", "b")]),
        ("/{id}:cancel", "/a:b:cancel", &[("id", "a:b")]),
        ("/{x}ü{y}", "/ñüe", &[("x", "ñ"), ("y", "e")]),
    ] {
        assert_eq!(values(template, path).as_deref(), Some(expected), "{template} {path}");
    }
}

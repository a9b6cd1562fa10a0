use super::*;

fn names(names: &[&str]) -> Vec<Step> {
    names.iter().map(|name| Step::Name((*name).to_owned())).collect()
}

#[test]
fn what_is_no_path_is_refused() {
    for path in ["", ".", "a.", ".a", "a..b", "a\\", "a\\b", "\\u0061"] {
        assert!(field(path).is_err(), "{path}");
        assert!(tie(path).is_err(), "{path}");
    }
}

#[test]
fn a_tie_that_names_no_property_or_many_is_refused() {
    for path in [
        "[]", "a[]", "a.b[]", "[][]", "*", "a.*", "a[].*", "[].*.b", "*[].t", "*.a[].t", "a[]b",
        "a[][", "a[]\\.",
    ] {
        assert!(tie(path).is_err(), "{path}");
    }
}

#[test]
fn dots_part_names() {
    assert_eq!(field("lines.sku"), Ok(names(&["lines", "sku"])));
    assert_eq!(field("a\\.b.c\\\\d"), Ok(names(&["a.b", "c\\d"])));
    assert_eq!(field("é"), Ok(names(&["é"])));
}

#[test]
fn a_star_is_any_name_only_alone_and_unescaped() {
    let any_b = vec![Step::Any, Step::Name("b".to_owned())];
    assert_eq!(field("*.b"), Ok(any_b));
    assert_eq!(field("\\*"), Ok(names(&["*"])));
    assert_eq!(field("a*"), Ok(names(&["a*"])));
}

#[test]
fn a_star_of_a_document_is_none_of_the_names_beside_it() {
    let read = |paths: &[&str]| paths.iter().map(|path| field(path).unwrap()).collect::<Vec<_>>();
    let paths = described(read(&["a.*.x", "a.b", "\\*"]), &read(&["a.c.d", "e", "b.c"]));
    let name = |name: &str| Step::Name(name.to_owned());
    let others = Step::Other(["b".to_owned(), "c".to_owned()].into());
    let expected = [
        vec![name("*"), Step::Values],
        vec![name("a"), name("b"), Step::Values],
        vec![name("a"), others, name("x"), Step::Values],
    ];
    assert_eq!(paths, expected.into());
}

#[test]
fn brackets_are_lists_to_ties_and_letters_to_fields() {
    assert_eq!(field("filter[name]"), Ok(names(&["filter[name]"])));
    assert_eq!(field("a[]"), Ok(names(&["a[]"])));
    assert_eq!(tie("a\\[]"), Ok(names(&["a[]"])));
    let name = |name: &str| Step::Name(name.to_owned());
    assert_eq!(tie("t"), Ok(names(&["t"])));
    assert_eq!(tie("[].t"), Ok(vec![Step::Items, name("t")]));
    assert_eq!(tie("[][].t"), Ok(vec![Step::Items, Step::Items, name("t")]));
    let nested = vec![name("o"), Step::Items, name("m"), Step::Items, name("t")];
    assert_eq!(tie("o[].m[].t"), Ok(nested));
}

#[test]
fn a_name_that_is_appended_reads_back_as_itself() {
    for name in ["a", "a.b", "a\\b", "*", "é", "a[]", "\\", "."] {
        let mut path = "x".to_owned();
        append(&mut path, name);
        assert_eq!(field(&path), Ok(names(&["x", name])), "{path}");
    }
}

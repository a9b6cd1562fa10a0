use super::*;

#[test]
fn what_is_no_media_type_fits_nothing() {
    for given in ["", "json", "/", "a/", "/b", "a/b/c", "*/*", "application/*", "a b/c", "a/b c"] {
        assert_eq!(Range::new(Range::ANY).fits(given), None, "{given}");
    }
    for given in ["application/jsonx", "text/json", "application/json+x", "application"] {
        assert_eq!(Range::new("application/json").fits(given), None, "{given}");
    }
}

#[test]
fn the_closer_range_fits_better() {
    let closeness = |range: &str, given: &str| Range::new(range).fits(given);
    let given = "application/json; charset=utf-8";
    assert_eq!(closeness("*/*", given), Some(0));
    assert_eq!(closeness("Application/*", given), Some(1));
    assert_eq!(closeness("application/json", given), Some(3));
    assert_eq!(closeness("application/json;v=2", given), Some(2));
    assert_eq!(closeness("application/JSON;charset=UTF-8", given), Some(4));
}

#[test]
fn json_is_known_by_name_and_suffix() {
    for given in
        ["application/json", "APPLICATION/JSON;a=b", "application/problem+json", "text/json"]
    {
        assert!(is_json(given), "{given}");
    }
    for given in ["application/xml", "application/json-seq", "application/jsonl", "json", ""] {
        assert!(!is_json(given), "{given}");
    }
    for (range, allows) in [("*/*", true), ("application/*", true), ("image/*", false)] {
        assert_eq!(Range::new(range).allows_json(), allows, "{range}");
    }
}

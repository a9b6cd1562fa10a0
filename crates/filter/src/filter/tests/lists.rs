//! Ties on the items of a list: what becomes of an answer in which the list is not there.

use super::*;

#[test]
fn a_list_that_a_tie_names_must_be_there() {
    let withheld = |tie: &str, document: &str| {
        let plan = [all().tied(tie, &["1"])];
        assert_eq!(text(&plan, document), Err(Trouble::Withheld), "{tie}: {document}");
    };
    for document in [
        r#"{"id":"SECRET","t":"x"}"#,
        r#"{"id":"SECRET","t":"1"}"#,
        r#"{"items":[{"t":"1"}]}"#,
        r#""SECRET""#,
        "{}",
        "null",
    ] {
        withheld("[].t", document);
    }
    for document in [
        r#"{"data":[{"t":"x"}],"id":"SECRET"}"#,
        r#"[{"t":"1","id":"SECRET"}]"#,
        r#"[{"items":[{"t":"1"}]}]"#,
        r#"{"items":{"t":"x","id":"SECRET"}}"#,
        r#"{"items":{"t":"1","id":"SECRET"}}"#,
        r#"{"items":{"0":{"t":"1","id":"SECRET"}}}"#,
        r#"{"t":"1","id":"SECRET"}"#,
        r#"{"id":"SECRET","items":null}"#,
        r#"{"id":"SECRET","items":"1"}"#,
        r#"{"a":{"items":[{"t":"1"}]}}"#,
        "{}",
        "5",
        "[]",
    ] {
        withheld("items[].t", document);
    }
    for document in
        [r#"{"a":[{"items":[{"t":1}]}]}"#, r#"{"items":[],"a":{}}"#, r#"{"a":[],"items":[]}"#]
    {
        withheld("a.items[].t", document);
    }
    withheld("items", r#"{"items":["1"],"id":"SECRET"}"#);
}

#[test]
fn a_list_that_comes_twice_on_the_way_to_a_tie_is_refused() {
    for document in [r#"{"items":[],"items":{"id":"SECRET"}}"#, r#"{"items":[],"items":[]}"#] {
        let plan = [all().tied("items[].t", &["1"])];
        assert_eq!(text(&plan, document), Err(Trouble::Ambiguous), "{document}");
    }
}

#[test]
fn what_comes_before_a_list_that_a_tie_names_waits_for_it() {
    let plan = Arc::new(Plan::compile(vec![all().tied("items[].t", &["1"])]).unwrap());
    let mut filter = Filter::new(plan, Mode::Document, Limits::default());
    let mut out = Vec::new();
    filter.push(b"{\"n\":7,\"items\":", &mut out).unwrap();
    assert!(out.is_empty() && !filter.has_written());
    filter.push(b"[", &mut out).unwrap();
    assert_eq!(out, b"{\"n\":7,\"items\":[");
    filter.push(b"{\"t\":2}],\"m\":1", &mut out).unwrap();
    assert_eq!(out, b"{\"n\":7,\"items\":[],\"m\":1");

    let limits = Limits { hold_bytes: 100, ..Limits::default() };
    let plan = [all().tied("items[].t", &["1"])];
    let large = "x".repeat(200);
    let late = format!(r#"{{"a":"{large}","items":[]}}"#);
    assert_eq!(within(limits, &plan, &late).unwrap_err(), Trouble::ScopeTooLarge);
    let early = format!(r#"{{"items":[],"a":"{large}"}}"#);
    assert_eq!(within(limits, &plan, &early).unwrap().0, early);
}

#[test]
fn lists_in_items_and_lists_of_lists_are_asked_for_in_each_item() {
    let plan = [all().tied("o[].m[].t", &["1"])];
    let document = r#"{"o":[{"m":[{"t":1},{"t":2}]},{"id":1},{"m":{"t":1}},{"m":[]},[],5]}"#;
    let (out, report) = filtered(&plan, document).unwrap();
    assert_eq!((out.as_str(), report.items_removed), (r#"{"o":[{"m":[{"t":1}]},{"m":[]}]}"#, 5));
    let plan = [all().tied("[][].t", &["1"])];
    let (out, report) = filtered(&plan, r#"[[{"t":1},{"t":2},[]],{"t":1},1,[]]"#).unwrap();
    assert_eq!((out.as_str(), report.items_removed), ("[[{\"t\":1}],[]]", 4));
}

#[test]
fn an_alternative_whose_list_is_missing_leaves_what_others_show() {
    let plan = [only(&["id", "items.id"]), all().tied("items[].t", &["1"])];
    let out = |document| text(&plan, document).unwrap();
    assert_eq!(out(r#"{"id":1,"name":"SECRET"}"#), r#"{"id":1}"#);
    assert_eq!(out(r#"{"name":"SECRET","id":1,"items":5}"#), r#"{"id":1}"#);
    assert_eq!(out(r#"[{"id":1,"t":1}]"#), r#"[{"id":1}]"#);
    let document = r#"{"id":1,"name":"N","items":[{"id":1,"x":2},{"t":1,"x":2}]}"#;
    assert_eq!(out(document), r#"{"id":1,"name":"N","items":[{"id":1},{"t":1,"x":2}]}"#);
}

mod lists;

use super::*;
use crate::plan::{Alternative, Fields, Tie};

fn only(paths: &[&str]) -> Alternative {
    let paths = paths.iter().map(|path| (*path).to_owned()).collect();
    Alternative { fields: Fields::Only(paths), ties: vec![] }
}

fn all() -> Alternative {
    Alternative { fields: Fields::All, ties: vec![] }
}

impl Alternative {
    fn tied(mut self, path: &str, allowed: &[&str]) -> Self {
        let allowed = allowed.iter().map(|value| (*value).to_owned()).collect();
        self.ties.push(Tie { path: path.to_owned(), allowed });
        self
    }
}

fn run(plan: &Arc<Plan>, limits: Limits, pieces: &[&[u8]]) -> Result<(String, Report), Trouble> {
    let mut filter = Filter::new(Arc::clone(plan), Mode::Document, limits);
    let mut out = Vec::new();
    for piece in pieces {
        filter.push(piece, &mut out)?;
    }
    let report = filter.finish(&mut out)?;
    Ok((String::from_utf8(out).unwrap(), report))
}

/// Runs a document whole, byte by byte, and in two pieces parted at every place (of long ones, at
/// many): what comes out must be the same, or the same trouble.
fn filtered(alternatives: &[Alternative], document: &str) -> Result<(String, Report), Trouble> {
    within(Limits::default(), alternatives, document)
}

fn within(
    limits: Limits,
    alternatives: &[Alternative],
    document: &str,
) -> Result<(String, Report), Trouble> {
    let plan = Arc::new(Plan::compile(alternatives.to_vec()).unwrap());
    let bytes = document.as_bytes();
    let whole = run(&plan, limits, &[bytes]);
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(run(&plan, limits, &single), whole, "{document} byte by byte");
    for at in (0..=bytes.len()).step_by(bytes.len() / 150 + 1) {
        let (first, second) = bytes.split_at(at);
        assert_eq!(run(&plan, limits, &[first, second]), whole, "{document} parted at {at}");
    }
    whole
}

fn text(alternatives: &[Alternative], document: &str) -> Result<String, Trouble> {
    filtered(alternatives, document).map(|(text, _)| text)
}

#[test]
fn what_is_not_json_is_refused_also_where_it_would_be_removed() {
    for document in [
        "",
        " ",
        "[1,]",
        "{\"a\":1,}",
        "{,}",
        "[,1]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\" 1}",
        "{a:1}",
        "{'a':1}",
        "[1 2]",
        "{\"a\":1 \"b\":2}",
        "[1}",
        "{\"a\":1]",
        "[",
        "{",
        "[1",
        "{\"a\":1",
        "]",
        "1 2",
        "{} {}",
        "[]]",
        "tru",
        "True",
        "nul",
        "NaN",
        "Infinity",
        "-",
        "01",
        "1.",
        ".5",
        "+1",
        "1e",
        "0x1",
        "\"a",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"a\tb\"",
        "[\"a\nb\"]",
        "\u{feff}{}",
        "// a\n1",
        "{\"a\":1}x",
        "[1]\u{a0}",
        "\"\u{7f}\"x",
        "[true,falsy]",
        "{\"a\":nulL}",
    ] {
        let trouble = text(&[all()], document).unwrap_err();
        assert!(matches!(trouble, Trouble::Invalid { .. }), "{document}: {trouble:?}");
        let inside = format!("{{\"removed\":[{document}],\"kept\":1}}");
        if !document.trim().is_empty() {
            let trouble = text(&[only(&["kept"])], &inside).unwrap_err();
            assert!(matches!(trouble, Trouble::Invalid { .. }), "{inside}: {trouble:?}");
        }
    }
}

#[test]
fn trouble_says_where_it_is() {
    for (document, offset) in
        [("[1,]", 3), ("{\"a\":1}x", 7), ("[\"a\\x\"]", 4), ("[1", 2), ("[01]", 2)]
    {
        match text(&[all()], document) {
            Err(Trouble::Invalid { offset: found, .. }) => assert_eq!(found, offset, "{document}"),
            done => panic!("{document}: {done:?}"),
        }
    }
}

#[test]
fn bytes_that_are_not_utf8_are_refused_anywhere() {
    let plan = Arc::new(Plan::compile(vec![only(&["kept"])]).unwrap());
    for bad in [&b"\"\xff\""[..], b"\"\xc3\x28\"", b"{\"\xed\xa0\x80\":1}", b"\xc3\xa9"] {
        for document in [[b"{\"kept\":", bad, b"}"].concat(), [b"{\"x\":", bad, b"}"].concat()] {
            let trouble = run(&plan, Limits::default(), &[&document]).unwrap_err();
            assert!(matches!(trouble, Trouble::Invalid { .. }), "{document:?}");
        }
    }
}

#[test]
fn half_of_a_surrogate_pair_in_a_name_is_refused_also_where_names_are_not_compared() {
    for document in [r#"{"\ud800":1}"#, r#"{"x":{"a\udc00":1}}"#, r#"{"a":{"\ud800\u0041":1}}"#] {
        for alternative in [all(), only(&["a"])] {
            assert!(text(&[alternative], document).is_err(), "{document}");
        }
    }
    assert_eq!(text(&[all()], r#"{"a":"\ud800"}"#).unwrap(), r#"{"a":"\ud800"}"#);
}

#[test]
fn what_exceeds_a_limit_is_refused_wherever_it_stands() {
    let limits = Limits { depth: 3, name_bytes: 8, number_bytes: 40, ..Limits::default() };
    let refused = |document: &str| within(limits, &[only(&["a"])], document).unwrap_err();
    for property in ["a", "x"] {
        let holds = |value: &str| format!("{{\"{property}\":{value}}}");
        assert_eq!(refused(&holds("[[[1]]]")), Trouble::TooDeep);
        assert_eq!(refused(&holds("{\"123456789\":1}")), Trouble::NameTooLong);
        assert_eq!(refused(&holds(&"1".repeat(41))), Trouble::NumberTooLong);
        assert!(within(limits, &[only(&["a"])], &holds("[{\"12345678\":1}]")).is_ok());
        assert!(within(limits, &[only(&["a"])], &holds(&"1".repeat(40))).is_ok());
    }
    let small = Limits { number_bytes: 3, ..Limits::default() };
    assert_eq!(within(small, &[all()], "[1234]").unwrap_err(), Trouble::NumberTooLong);
    assert_eq!(within(small, &[only(&["a"])], "[[1234]]").unwrap_err(), Trouble::NumberTooLong);
}

#[test]
fn a_long_name_passes_where_names_make_no_difference() {
    let document = format!("{{\"{}\":{{\"{}\":1}}}}", "n".repeat(3_000), "\\u0041".repeat(600));
    let (out, report) = filtered(&[all()], &document).unwrap();
    assert_eq!(out, document);
    assert_eq!(report.seen, [format!("{}.{}", "n".repeat(128), "A".repeat(128))]);
}

#[test]
fn a_name_is_compared_whole_although_only_its_beginning_is_tracked() {
    let (listed, other) = ("n".repeat(128), "n".repeat(129));
    let document = format!("[{{\"{listed}\":1,\"{other}\":2}},{{\"{other}\":3,\"{listed}\":4}}]");
    assert_eq!(
        text(&[only(&[&listed])], &document).unwrap(),
        format!("[{{\"{listed}\":1}},{{\"{listed}\":4}}]")
    );
    assert_eq!(
        text(&[only(&[&other])], &document).unwrap(),
        format!("[{{\"{other}\":2}},{{\"{other}\":3}}]")
    );
}

#[test]
fn a_response_that_no_alternative_matches_is_withheld() {
    let tied = only(&["a"]).tied("t", &["1"]);
    for document in [
        r#"{"a":1,"t":2}"#,
        r#"{"a":1}"#,
        r#"{"a":1,"t":null}"#,
        r#"{"a":1,"t":["1"]}"#,
        r#"{"a":1,"t":{"t":"1"}}"#,
        r#"{"a":1,"t":1.0}"#,
        r#"{"a":1,"t":1e0}"#,
        r#"{"a":1,"t":"01"}"#,
        r#"{"a":1,"t":true}"#,
        r#"{"a":1,"T":1}"#,
        r#"{"a":1,"b":{"t":1}}"#,
        r#"[{"a":1,"t":1}]"#,
        r#""t""#,
        "1",
        "[]",
        "{}",
    ] {
        assert_eq!(
            text(std::slice::from_ref(&tied), document),
            Err(Trouble::Withheld),
            "{document}"
        );
    }
    assert_eq!(text(&[only(&["a"])], "null"), Err(Trouble::Withheld));
    assert_eq!(text(&[all().tied("t", &[])], r#"{"t":""}"#), Err(Trouble::Withheld));
    assert_eq!(text(&[all().tied("t", &["null"])], r#"{"t":null}"#), Err(Trouble::Withheld));
}

#[test]
fn a_name_on_the_way_to_a_tie_that_comes_twice_is_refused() {
    let ambiguous = |alternative: Alternative, document: &str| {
        assert_eq!(text(&[alternative], document), Err(Trouble::Ambiguous), "{document}");
    };
    for document in
        [r#"{"t":1,"t":1}"#, r#"{"t":1,"a":2,"\u0074":2}"#, r#"{"t":1,"x":[{"t":1}],"t":null}"#]
    {
        ambiguous(all().tied("t", &["1"]), document);
    }
    ambiguous(all().tied("o.t", &["1"]), r#"{"o":{"t":1},"o":{"t":1}}"#);
    ambiguous(all().tied("o.t", &["1"]), r#"{"o":{"t":1},"o":5}"#);
    // also in items that are removed, and in what may not be seen anyway
    ambiguous(all().tied("[].t", &["1"]), r#"[{"t":2,"t":1}]"#);
    ambiguous(all().tied("[].t", &["1"]), r#"[{"t":2,"x":{"y":3},"t":1}]"#);
    ambiguous(only(&["a"]).tied("x.y[].t", &["1"]), r#"{"a":1,"x":{"y":[{"t":1},{"t":1,"t":1}]}}"#);
    // but not outside of what is judged
    let twice = r#"{"t":1,"x":{"t":1,"t":2},"y":2,"y":3}"#;
    assert_eq!(text(&[all().tied("t", &["1"])], twice).unwrap(), twice);
}

#[test]
fn what_is_described_as_a_value_is_shown_as_a_value_only() {
    let set = |paths: &[&str]| paths.iter().map(|path| (*path).to_owned()).collect();
    let plan = |shown: &[&str], others: &[&str]| {
        let fields = Fields::Described { shown: set(shown), others: set(others) };
        [Alternative { fields, ties: vec![] }]
    };
    let document = r#"{"note":{"ssn":"SECRET"},"list":["a",{"ssn":"SECRET"},["b",{"c":1}]],"o":{"x":1,"y":2},"n":null}"#;
    let (out, report) = filtered(&plan(&["note", "list", "o.x", "n"], &["o"]), document).unwrap();
    assert_eq!(out, r#"{"list":["a",["b"]],"o":{"x":1},"n":null}"#);
    assert_eq!(report.removed, ["list", "note", "o.y"]);
    // A scalar where only an object is described.
    assert_eq!(text(&plan(&["o.x"], &[]), r#"{"o":"SECRET"}"#).unwrap(), "{}");
    // Names that are listed are not among the others.
    let tags = plan(&["tags.*", "tags.id.x"], &["tags.ssn"]);
    let document =
        r#"{"tags":{"red":1,"ssn":"SECRET","id":"SECRET","blue":{"ssn":"SECRET"},"green":["g"]}}"#;
    assert_eq!(text(&tags, document).unwrap(), r#"{"tags":{"red":1,"green":["g"]}}"#);
    // Beside others, each shows its own.
    let mut both = tags.to_vec();
    both.push(only(&["tags.blue"]));
    let shown = r#"{"tags":{"red":1,"blue":{"ssn":"SECRET"},"green":["g"]}}"#;
    assert_eq!(text(&both, document).unwrap(), shown);
}

#[test]
fn a_scope_that_is_not_decided_in_time_is_refused_and_one_that_is_passes() {
    let limits = Limits { hold_bytes: 100, ..Limits::default() };
    let large = "x".repeat(200);
    let late = format!(r#"{{"a":"{large}","t":1}}"#);
    let early = format!(r#"{{"t":1,"a":"{large}"}}"#);
    let tied = [all().tied("t", &["1"])];
    assert_eq!(within(limits, &tied, &late).unwrap_err(), Trouble::ScopeTooLarge);
    assert_eq!(within(limits, &tied, &early).unwrap().0, early);
    let tied = [all().tied("[].t", &["1"])];
    assert_eq!(within(limits, &tied, &format!("[{late}]")).unwrap_err(), Trouble::ScopeTooLarge);
    let many = format!("[{early},{}]", [r#"{"t":1}"#; 50].join(","));
    assert_eq!(within(limits, &tied, &many).unwrap().0, many);
    // two views: the second tie decides which
    let two = [only(&["a"]).tied("t", &["1"]), only(&["b"]).tied("t", &["2"])];
    let document = format!(r#"{{"b":1,"t":2,"a":"{large}","b":2}}"#);
    assert_eq!(within(limits, &two, &document).unwrap().0, r#"{"b":1,"b":2}"#);
}

#[test]
fn nothing_of_a_push_with_trouble_is_left_in_the_output() {
    let plan = Arc::new(Plan::compile(vec![all()]).unwrap());
    let mut filter = Filter::new(Arc::clone(&plan), Mode::Document, Limits::default());
    let mut out = b"before".to_vec();
    let trouble = filter.push(b"{\"a\":1,]", &mut out).unwrap_err();
    assert_eq!((out.as_slice(), filter.has_written()), (b"before".as_slice(), false));
    assert_eq!(filter.push(b"}", &mut out), Err(trouble));
    assert_eq!(filter.finish(&mut out), Err(trouble));

    let mut filter = Filter::new(plan, Mode::Document, Limits::default());
    filter.push(b"{\"a\":1", &mut out).unwrap();
    filter.push(b",\"b\":2,]", &mut out).unwrap_err();
    assert_eq!(out, b"before{\"a\":1");
    assert!(filter.has_written());
}

#[test]
fn nothing_of_a_response_leaves_before_its_ties_are_decided() {
    let plan = Arc::new(Plan::compile(vec![only(&["a"]).tied("t", &["1"])]).unwrap());
    let mut filter = Filter::new(plan, Mode::Document, Limits::default());
    let mut out = Vec::new();
    filter.push(b" {\"a\":1,\"b\":2,\"t\":", &mut out).unwrap();
    assert_eq!((out.as_slice(), filter.has_written()), (b"".as_slice(), false));
    filter.push(b"1", &mut out).unwrap();
    assert!(out.is_empty(), "the number may go on");
    filter.push(b",", &mut out).unwrap();
    assert_eq!(out, b" {\"a\":1");
    filter.push(b"\"a\":3", &mut out).unwrap();
    assert_eq!(out, b" {\"a\":1,\"a\":3", "what is decided is not held back");
}

#[test]
fn an_item_leaves_whole_or_not_at_all() {
    let plan = Arc::new(Plan::compile(vec![all().tied("[].t", &["1"])]).unwrap());
    let mut filter = Filter::new(plan, Mode::Document, Limits::default());
    let mut out = Vec::new();
    filter.push(b"[{\"t\":1,\"a\":2", &mut out).unwrap();
    assert_eq!(out, b"[");
    filter.push(b"},{\"t\":1,\"t\":", &mut out).unwrap_err();
    assert_eq!(out, b"[", "a name came twice in the same piece");
}

#[test]
fn what_is_not_listed_is_removed_with_its_comma() {
    let plan = [only(&["b", "d.e"])];
    for (document, expected) in [
        (r#"{"a":1,"b":2,"c":3}"#, r#"{"b":2}"#),
        (r#"{"b":2,"a":1,"b":3}"#, r#"{"b":2,"b":3}"#),
        (r#"{"a":1,"c":2}"#, "{}"),
        (r#"{"a":{"b":1},"d":{"e":{"f":[1]},"g":2}}"#, r#"{"d":{"e":{"f":[1]}}}"#),
        (r#"{"d":5,"b":6}"#, r#"{"b":6}"#),
        (r#"{"d":[1,{"e":2,"x":3},[{"e":4},5],"s"]}"#, r#"{"d":[{"e":2},[{"e":4}]]}"#),
        (r#"[{"a":1},{"b":2},3,[{"c":4}]]"#, r#"[{},{"b":2},[{}]]"#),
        ("{\n  \"a\": 1,\n  \"b\": 2\n}\n", "{\n  \"b\": 2\n}\n"),
        ("{\n  \"b\": 2,\n  \"a\": 1\n}", "{\n  \"b\": 2\n}"),
        ("[ 1 , { \"b\" : 2 , \"a\" : 3 } , 4 ]", "[ { \"b\" : 2  }  ]"),
        ("{ }", "{ }"),
        ("[ [ ] ]", "[ [ ] ]"),
    ] {
        assert_eq!(text(&plan, document).unwrap(), expected, "{document}");
    }
}

#[test]
fn what_is_kept_is_kept_as_it_is_written() {
    let document =
        "{\t\"a\" :\r\n[1.50e+3 , \"\\u0041\\/é😀\\ud83d\\ude00\" ,{ } , [ ] ] , \"a\" : -0 }  ";
    assert_eq!(text(&[all()], document).unwrap(), document);
    assert_eq!(text(&[only(&["a"])], document).unwrap(), document);
}

#[test]
fn names_are_compared_by_what_they_say() {
    let document = r#"{"\u0061":1,"a\u002eb":2,"\ud83d\ude00":3,"x":4}"#;
    let plan = [only(&["a", "a\\.b", "😀"])];
    assert_eq!(text(&plan, document).unwrap(), r#"{"\u0061":1,"a\u002eb":2,"\ud83d\ude00":3}"#);
}

#[test]
fn long_white_space_before_what_may_be_removed_is_cut_and_the_rest_is_kept() {
    let blank = " ".repeat(300);
    let document =
        format!("{blank}[{blank}{{{blank}\"a\"{blank}:{blank}1{blank},{blank}\"b\":2{blank}}}]");
    let out = text(&[only(&["a"])], &document).unwrap();
    assert_eq!(out.split_whitespace().collect::<String>(), r#"[{"a":1}]"#);
    assert_eq!(text(&[all()], &document).unwrap(), document);
}

#[test]
fn ties_compare_what_a_value_says() {
    let passes = |allowed: &str, value: &str| {
        let document = format!(r#"{{"t":{value}}}"#);
        assert_eq!(text(&[all().tied("t", &[allowed])], &document).unwrap(), document);
    };
    for (allowed, value) in [
        ("42", "42"),
        ("42", "\"42\""),
        ("-0", "-0"),
        ("1.5", "1.5"),
        ("true", "true"),
        ("false", "\"false\""),
        ("", "\"\""),
        ("a\"b", r#""a\"b""#),
        ("tenant", r#""\u0074enant""#),
        ("é😀", r#""é\ud83d\ude00""#),
    ] {
        passes(allowed, value);
    }
    passes(&"v".repeat(1_024), &format!("\"{}\"", "v".repeat(1_024)));
    let long = "v".repeat(1_025);
    assert_eq!(
        text(&[all().tied("t", &[&long])], &format!("{{\"t\":\"{long}\"}}")),
        Err(Trouble::Withheld)
    );
}

#[test]
fn items_are_judged_each_on_its_own() {
    let plan = [all().tied("items[].t", &["1"])];
    let document =
        r#"{"items":[{"t":1,"a":1},{"t":2},{"a":{"t":1}},5,null,[{"t":1}],{"a":2,"t":"1"}],"n":7}"#;
    let (out, report) = filtered(&plan, document).unwrap();
    assert_eq!(out, r#"{"items":[{"t":1,"a":1},{"a":2,"t":"1"}],"n":7}"#);
    assert_eq!(report.items_removed, 5);
    assert!(report.removed.is_empty());
    assert_eq!(report.seen, ["items.a", "items.t", "n"]);
}

#[test]
fn the_tie_s_value_need_not_be_visible() {
    let plan = [only(&["a"]).tied("[].o.t", &["1"])];
    let document = r#"[{"a":1,"o":{"t":2}},{"a":2,"o":{"t":1}},{"o":{"x":[],"t":"1"},"a":3}]"#;
    let (out, report) = filtered(&plan, document).unwrap();
    assert_eq!(out, r#"[{"a":2},{"a":3}]"#);
    assert_eq!((report.items_removed, report.removed), (1, vec!["o".to_owned()]));
}

#[test]
fn an_item_shows_what_its_matching_alternatives_show_together() {
    let plan = [
        only(&["a"]).tied("[].t", &["1", "3"]),
        only(&["b"]).tied("[].t", &["2", "3"]),
        only(&["c"]).tied("[].u", &["1"]),
    ];
    let document = r#"[{"a":1,"b":1,"c":1,"t":1},{"a":2,"b":2,"t":2,"c":2},{"t":3,"a":3,"b":3,"c":3,"u":1},{"a":4,"t":4,"u":1,"c":4},{"c":5}]"#;
    let (out, report) = filtered(&plan, document).unwrap();
    assert_eq!(out, r#"[{"a":1},{"b":2},{"a":3,"b":3,"c":3},{"c":4}]"#);
    assert_eq!(report.items_removed, 1);
}

#[test]
fn judged_lists_inside_each_other_are_judged_from_the_outside() {
    let plan = [all().tied("t", &["1"]).tied("o[].t", &["1"]).tied("o[].m[].t", &["1"])];
    let document = r#"{"o":[{"m":[{"t":1},{"t":2}],"t":1},{"t":2,"m":[{"t":1}]},{"t":1,"m":[{"t":2}]}],"t":1}"#;
    let (out, report) = filtered(&plan, document).unwrap();
    assert_eq!(out, r#"{"o":[{"m":[{"t":1}],"t":1},{"t":1,"m":[]}],"t":1}"#);
    assert_eq!(report.items_removed, 3, "those in a removed item are not counted");
}

#[test]
fn an_alternative_without_ties_shows_what_it_shows_everywhere() {
    let plan = [only(&["id"]), all().tied("[].t", &["1"])];
    let document = r#"[{"id":1,"t":1,"a":2},{"id":2,"t":2,"a":3}]"#;
    assert_eq!(text(&plan, document).unwrap(), r#"[{"id":1,"t":1,"a":2},{"id":2}]"#);
}

#[test]
fn the_report_names_what_was_removed_and_what_passed() {
    let document =
        r#"{"a":{"b":1,"c.d":[2,{"e":null}],"f":{},"g":[]},"x":{"y":1},"x":2,"*":3,"l":[1]}"#;
    let (_, report) =
        filtered(&[only(&["a.b", "a.c\\.d", "a.f", "a.g", "l.m"])], document).unwrap();
    assert_eq!(report.removed, ["\\*", "l", "x"]);
    assert_eq!(report.seen, ["a.b", "a.c\\.d", "a.c\\.d.e"]);
    let (_, report) = filtered(&[only(&["a"])], "[1,[true],{\"a\":1}]").unwrap();
    assert_eq!((report.removed, report.seen), (vec!["[]".to_owned()], vec!["a".to_owned()]));
}

#[test]
fn a_watch_tells_what_passes_and_what_cannot_be_read() {
    let mut watch = Watch::new(Mode::Document, Limits::default());
    watch.push(b"{\"a\":[{\"b\":1},").unwrap();
    watch.push(b"{\"c\":\"x\"}]}").unwrap();
    let report = watch.finish().unwrap();
    assert_eq!(report.seen, ["a.b", "a.c"]);
    assert_eq!((report.bytes_in, report.bytes_out), (25, 25));
    let mut watch = Watch::new(Mode::Document, Limits::default());
    watch.push(b"{\"a\":1,").unwrap();
    assert!(watch.push(b"]").is_err() && watch.finish().is_err());
    assert_eq!(watch.report().seen, ["a"]);
}

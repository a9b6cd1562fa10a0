use std::sync::Arc;

use crate::{Alternative, Fields, Filter, Limits, Mode, Plan, Report, Tie, Trouble};

fn plan() -> Arc<Plan> {
    let allowed = ["1".to_owned()].into();
    let fields = Fields::Only(["a".to_owned(), "t".to_owned()].into());
    let ties = vec![Tie { path: "t".to_owned(), allowed }];
    Arc::new(Plan::compile(vec![Alternative { fields, ties }]).unwrap())
}

fn run(plan: &Arc<Plan>, pieces: &[&[u8]]) -> Result<(String, Report), Trouble> {
    let mut filter = Filter::new(Arc::clone(plan), Mode::Lines, Limits::default());
    let mut out = Vec::new();
    for piece in pieces {
        filter.push(piece, &mut out)?;
    }
    let report = filter.finish(&mut out)?;
    Ok((String::from_utf8(out).unwrap(), report))
}

/// Whole, byte by byte, and in two pieces parted anywhere.
fn filtered(plan: &Arc<Plan>, body: &str) -> Result<(String, Report), Trouble> {
    let whole = run(plan, &[body.as_bytes()]);
    let single: Vec<&[u8]> = body.as_bytes().chunks(1).collect();
    assert_eq!(run(plan, &single), whole, "{body:?}");
    for at in 0..=body.len() {
        let (first, second) = body.as_bytes().split_at(at);
        assert_eq!(run(plan, &[first, second]), whole, "{body:?} at {at}");
    }
    whole
}

#[test]
fn a_line_that_is_not_one_document_is_refused() {
    for body in [
        "{\"t\":1}\n{\"t\":1,\n\"a\":2}\n",
        "{\"t\":1} {\"t\":1}\n",
        "{\"t\":1}\nx\n",
        "{\"t\":1}\n{\"t\":1",
        "[\"a\nb\"]\n",
        "{\"t\":1},\n",
        "\u{feff}{\"t\":1}\n",
    ] {
        let trouble = filtered(&plan(), body).unwrap_err();
        assert!(matches!(trouble, Trouble::Invalid { .. }), "{body:?}: {trouble:?}");
    }
    let twice = "{\"t\":1}\n{\"t\":1,\"t\":1}\n";
    assert_eq!(filtered(&plan(), twice), Err(Trouble::Ambiguous));
}

#[test]
fn trouble_in_a_line_leaves_the_lines_before_it() {
    let mut filter = Filter::new(plan(), Mode::Lines, Limits::default());
    let mut out = Vec::new();
    let trouble = filter.push(b"{\"t\":1}\n{\"t\":1,\"a\":2,]\n", &mut out).unwrap_err();
    assert_eq!(trouble, Trouble::Invalid { offset: 21, what: "a name should be here" });
    assert_eq!(out, b"{\"t\":1}\n");
    assert!(filter.has_written());
}

#[test]
fn a_line_that_no_alternative_matches_is_left_out_and_counted() {
    let body =
        "{\"t\":2,\"a\":1}\n{\"a\":1,\"t\":1}\n5\n[1]\n{\"a\":2}\n{\"t\":1,\"b\":2}\n{\"t\":2}";
    let (out, report) = filtered(&plan(), body).unwrap();
    assert_eq!(out, "{\"a\":1,\"t\":1}\n{\"t\":1}\n");
    assert_eq!(report.withheld, 5);
    assert_eq!((report.seen, report.removed), (vec!["a".into(), "t".into()], vec!["b".into()]));
}

#[test]
fn empty_lines_and_their_ends_stay() {
    let body = "\n\r\n{\"t\":1}\r\n  \n{\"t\":1}";
    let (out, _) = filtered(&plan(), body).unwrap();
    assert_eq!(out, "\n\n{\"t\":1}\r\n\n{\"t\":1}");
    assert_eq!(filtered(&plan(), "").unwrap().0, "");
    let everything = Arc::new(Plan::everything());
    assert_eq!(filtered(&everything, "[1]\n\n{}\n").unwrap().0, "[1]\n\n{}\n");
}

#[test]
fn a_line_leaves_when_it_has_ended() {
    let mut filter = Filter::new(plan(), Mode::Lines, Limits::default());
    let mut out = Vec::new();
    filter.push(b"{\"a\":1,\"t\":1", &mut out).unwrap();
    assert!(out.is_empty());
    filter.push(b"}\n", &mut out).unwrap();
    assert_eq!(out, b"{\"a\":1,\"t\":1}\n");
}

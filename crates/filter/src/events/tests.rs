use std::sync::Arc;

use crate::{Alternative, Fields, Filter, Limits, Mode, Plan, Report, Tie, Trouble};

fn plan() -> Arc<Plan> {
    let allowed = ["1".to_owned()].into();
    let fields = Fields::Only(["a".to_owned(), "t".to_owned()].into());
    let ties = vec![Tie { path: "t".to_owned(), allowed }];
    Arc::new(Plan::compile(vec![Alternative { fields, ties }]).unwrap())
}

fn filter(limits: Limits) -> Filter {
    Filter::new(plan(), Mode::Events, limits)
}

fn run(limits: Limits, pieces: &[&[u8]]) -> Result<(String, Report), Trouble> {
    let (mut filter, mut out) = (filter(limits), Vec::new());
    for piece in pieces {
        filter.push(piece, &mut out)?;
    }
    let report = filter.finish(&mut out)?;
    Ok((String::from_utf8(out).unwrap(), report))
}

/// Whole, byte by byte, in two pieces parted anywhere, and with all three ends of lines.
fn filtered(body: &str) -> Result<(String, Report), Trouble> {
    let limits = Limits { hold_bytes: 64, event_lines_bytes: 40, ..Limits::default() };
    let whole = run(limits, &[body.as_bytes()]);
    let outcome = |done: &Result<(String, Report), Trouble>| {
        done.clone().map(|(out, report)| (out, report.withheld, report.removed, report.seen))
    };
    for body in [body.to_owned(), body.replace('\n', "\r"), body.replace('\n', "\r\n")] {
        let body = body.as_bytes();
        let single: Vec<&[u8]> = body.chunks(1).collect();
        assert_eq!(outcome(&run(limits, &single)), outcome(&whole), "{body:?}");
        for at in 0..=body.len() {
            let (first, second) = body.split_at(at);
            assert_eq!(
                outcome(&run(limits, &[first, second])),
                outcome(&whole),
                "{body:?} at {at}"
            );
        }
    }
    whole
}

fn text(body: &str) -> Result<String, Trouble> {
    filtered(body).map(|(out, _)| out)
}

#[test]
fn an_event_whose_data_is_not_json_is_refused() {
    for body in [
        "data: DONE\n\n",
        "data: {\"t\":1}\ndata: [DONE]\n\n",
        "data: {\"t\":1\n\n",
        "data: {\"t\":1}}\n\n",
        "data: {\"t\":1,\"a\":\"x\ndata: y\"}\n\n",
        "data: \u{feff}1\n\n",
        "data: {\"t\":1}\ndata: {\"t\":1}\n\n",
    ] {
        let trouble = text(body).unwrap_err();
        assert!(matches!(trouble, Trouble::Invalid { .. }), "{body:?}: {trouble:?}");
    }
    assert_eq!(text("data:{\"t\":1,\"t\":1}\n\n"), Err(Trouble::Ambiguous));
}

#[test]
fn an_event_that_is_too_large_is_refused() {
    let large = "x".repeat(70);
    for body in [
        format!("data: {{\"t\":1,\"a\":\"{large}\"}}\n\n"),
        format!("data: {{\"t\":1,\ndata:\"a\":\"{large}\"}}\n\n"),
        format!("id: {large}\n\n"),
        format!("{large}\n\n"),
        format!("{large}: x\n\n"),
        "data:\n".repeat(70),
        "data\n".repeat(70),
        "event: x\n:\n".repeat(40),
    ] {
        assert_eq!(text(&body), Err(Trouble::EventTooLarge), "{body:?}");
    }
}

#[test]
fn trouble_in_an_event_leaves_the_events_before_it() {
    let (mut filter, mut out) = (filter(Limits::default()), Vec::new());
    filter.push(b"data: {\"t\":1}\n\nid: 7\ndata: {\"t\":1,]\n\n", &mut out).unwrap_err();
    assert_eq!(out, b"data: {\"t\":1}\n\n");
    assert!(filter.has_written());
}

#[test]
fn an_event_that_no_alternative_matches_is_left_out_whole_and_counted() {
    let body = "event: x\nid: 1\ndata: {\"t\":2}\n\ndata: {\"t\":1}\n\ndata: 5\nid: 2\n\n";
    let (out, report) = filtered(body).unwrap();
    assert_eq!(out, "data: {\"t\":1}\n\n");
    assert_eq!(report.withheld, 2);
}

#[test]
fn an_event_that_is_not_complete_is_left_out() {
    assert_eq!(text("data: {\"t\":1}\n\ndata: {\"t\":1}\n").unwrap(), "data: {\"t\":1}\n\n");
    assert_eq!(text("data: {\"t\":1}").unwrap(), "");
    assert_eq!(text("data: {\"t").unwrap(), "");
}

#[test]
fn what_comments_and_unknown_fields_say_is_left_out() {
    assert_eq!(text(": secret\n\n").unwrap(), ":\n\n");
    assert_eq!(text(":secret\n:more\n").unwrap(), ":\n:\n");
    assert_eq!(text("x: secret\ndatax: 1\nData: 2\n y\n\n").unwrap(), "\n");
    assert_eq!(
        text("event: a\n: secret\ndata: {\"t\":1}\n\n").unwrap(),
        "event: a\n:\ndata: {\"t\":1}\n\n"
    );
}

#[test]
fn the_data_of_each_event_is_filtered_and_the_rest_goes_on() {
    let body = "event: order\nid:7\nretry: 100\ndata: {\"a\":1,\"b\":2,\"t\":1}\n\n";
    let (out, report) = filtered(body).unwrap();
    assert_eq!(out, "event: order\nid:7\nretry: 100\ndata: {\"a\":1,\"t\":1}\n\n");
    assert_eq!((report.removed, report.seen), (vec!["b".into()], vec!["a".into(), "t".into()]));
    assert_eq!(text("id\n\ndata:{\"t\":1}\n\n").unwrap(), "id\n\ndata: {\"t\":1}\n\n");
}

#[test]
fn lines_of_data_are_one_document() {
    let body = "data: {\ndata:   \"t\":1,\ndata\ndata:\"a\":\ndata:2}\n\n";
    assert_eq!(text(body).unwrap(), "data: {   \"t\":1,  \"a\": 2}\n\n");
}

#[test]
fn data_that_says_nothing_keeps_the_connection_alive() {
    assert_eq!(text("data\n\n").unwrap(), "data: \n\n");
    assert_eq!(text("data:  \n\n\n").unwrap(), "data: \n\n\n");
}

#[test]
fn a_byte_order_mark_may_come_first_and_nowhere_else() {
    assert_eq!(text("\u{feff}data:{\"t\":1}\n\n").unwrap(), "data: {\"t\":1}\n\n");
    assert_eq!(text("\u{feff}\u{feff}data:{\"t\":1}\n\n").unwrap(), "\n");
    assert_eq!(run(Limits::default(), &[b"\xef\xbbdata:1\n\n"]).unwrap().0, "\n");
}

#[test]
fn the_word_that_ends_a_stream_passes() {
    let body = "data: {\"t\":1,\"a\":2}\n\nevent: end\ndata:[DONE]\n\n";
    let (out, report) = filtered(body).unwrap();
    assert_eq!(out, "data: {\"t\":1,\"a\":2}\n\nevent: end\ndata: [DONE]\n\n");
    assert_eq!(report.withheld, 0);
    for body in [
        "data:  [DONE]\n\n",
        "data: [DONE] \n\n",
        "data: [DONE]\ndata: {\"t\":1}\n\n",
        "data: [DONE\n\n",
        "data: [\"DONE\",DONE]\n\n",
    ] {
        let shown = text(body).unwrap_or_default();
        assert!(!shown.contains("DONE"), "{body:?}: only the word alone");
    }
}

#[test]
fn an_event_leaves_when_its_empty_line_has_come() {
    let (mut filter, mut out) = (filter(Limits::default()), Vec::new());
    filter.push(b"data: {\"t\":1}\r\n", &mut out).unwrap();
    assert!(out.is_empty());
    filter.push(b"\r", &mut out).unwrap();
    assert_eq!(out, b"data: {\"t\":1}\n\n");
    filter.push(b"\n: x\n", &mut out).unwrap();
    assert_eq!(out, b"data: {\"t\":1}\n\n:\n", "a line feed belongs to the end before it");
}

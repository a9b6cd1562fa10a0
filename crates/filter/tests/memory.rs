//! A stream takes at most 64 KiB, whatever comes through it and however much.

mod common;

use std::fmt::Write as _;
use std::sync::Arc;

use filter::{Alternative, Fields, Filter, Limits, Mode, Plan, Tie, Trouble, Watch};

const MEMORY_MAX: usize = 64 * 1_024;
const PIECE: usize = 16 * 1_024;

/// Pushes pieces as they are made, and looks at the memory after each one. Bytes in and out.
fn stream(
    mut filter: Filter,
    pieces: impl Iterator<Item = Vec<u8>>,
) -> Result<(u64, u64), Trouble> {
    let (mut out, mut written) = (Vec::new(), 0);
    for piece in pieces {
        let done = filter.push(&piece, &mut out);
        let memory = filter.memory_bytes();
        assert!(memory <= MEMORY_MAX, "{memory} bytes");
        assert!(out.len() <= piece.len() + MEMORY_MAX, "{} bytes at once", out.len());
        done?;
        written += out.len() as u64;
        out.clear();
    }
    let report = filter.finish(&mut out)?;
    assert_eq!(report.bytes_out, written + out.len() as u64);
    Ok((report.bytes_in, report.bytes_out))
}

fn tied(path: &str, fields: Fields) -> Alternative {
    let allowed = ["1".to_owned()].into();
    Alternative { fields, ties: vec![Tie { path: path.to_owned(), allowed }] }
}

/// Pieces of a text that is repeated between a beginning and an end.
fn repeated(begin: &str, part: &str, end: &str, bytes: usize) -> impl Iterator<Item = Vec<u8>> {
    let (begin, part, end) = (begin.to_owned(), part.to_owned(), end.to_owned());
    let mut body = begin.into_bytes();
    let mut made = 0;
    let mut ended = false;
    std::iter::from_fn(move || {
        while body.len() < PIECE && made < bytes {
            body.extend_from_slice(part.as_bytes());
            made += part.len();
        }
        if made >= bytes && !ended {
            ended = true;
            body.extend_from_slice(end.as_bytes());
        }
        let rest = body.split_off(body.len().min(PIECE));
        let piece = std::mem::replace(&mut body, rest);
        (!piece.is_empty()).then_some(piece)
    })
}

#[test]
fn a_body_of_a_hundred_mebibytes_streams_through_in_constant_memory() {
    const BYTES: usize = 100 * 1_024 * 1_024;
    let long = "a long text that is kept as it is, ".repeat(60);
    let item = format!(
        r#"{{"id":12345,"t":1,"secret":"{long}","lines":[{{"sku":"A-1","note":"{long}"}},{{"sku":"B"}}],"text":"{long}"}},"#
    );
    let other = item.replace("\"t\":1", "\"t\":2");
    let fields = ["id", "t", "lines.sku", "text"].map(str::to_owned).into();
    let plan = common::plan(&[tied("[].t", Fields::Only(fields))]);
    let part = format!("{item}{other}");
    let pieces = repeated("[", &part, r#"{"id":1,"t":1}]"#, BYTES);
    let (bytes_in, bytes_out) = stream(common::filter(&plan, Mode::Document), pieces).unwrap();
    assert!(bytes_in > BYTES as u64);
    let shown =
        format!(r#"{{"id":12345,"t":1,"lines":[{{"sku":"A-1"}},{{"sku":"B"}}],"text":"{long}"}},"#);
    let count = (BYTES.div_ceil(part.len())) as u64;
    assert_eq!(bytes_out, count * shown.len() as u64 + 2 + r#"{"id":1,"t":1}"#.len() as u64);
}

#[test]
fn what_is_long_takes_no_more_memory() {
    const BYTES: usize = 200 * 1_024;
    let plans = [
        Arc::new(Plan::everything()),
        common::plan(&[common::only(&["a", "b.c"])]),
        common::plan(&[tied("[].t", Fields::All)]),
        common::plan(&[tied("t", Fields::All), common::only(&["a"])]),
    ];
    for plan in &plans {
        for (begin, part, end) in [
            ("{\"a\":\"", "text ", "\"}"),
            ("{\"x\":\"", "\\u0041", "\"}"),
            ("{\"a\":[", "1,", "2]}"),
            ("[", "{},", "1]"),
            ("[", "{\"t\":1},", "1]"),
            ("[", "{\"t\":1,\"a\":{\"b\":2}},{\"t\":2},", "1]"),
            ("{", " ", "}"),
            ("[", "   1 ,\n\n", "2]"),
            ("{\"a\":", "\n\n ", "1}"),
            ("{\"a\" ", "\n\n ", ":1}"),
            ("{\"x\":[", "[[[1],{\"y\":2}]],", "2]}"),
        ] {
            let pieces = repeated(begin, part, end, BYTES);
            match stream(common::filter(plan, Mode::Document), pieces) {
                Ok(_) | Err(Trouble::Withheld | Trouble::ScopeTooLarge) => {}
                Err(trouble) => panic!("{begin}{part}{end}: {trouble:?}"),
            }
        }
    }
}

#[test]
fn names_and_numbers_without_end_are_refused_and_texts_are_not() {
    let plan = common::plan(&[common::only(&["a"])]);
    let run = |begin: &str, part: &str| {
        stream(common::filter(&plan, Mode::Document), repeated(begin, part, "\"}", 100_000))
    };
    assert_eq!(run("{\"", "n"), Err(Trouble::NameTooLong));
    assert_eq!(run("{\"x\":{\"", "n"), Err(Trouble::NameTooLong));
    assert_eq!(run("{\"a\":", "1"), Err(Trouble::NumberTooLong));
    assert_eq!(run("{\"x\":", "1"), Err(Trouble::NumberTooLong));
    assert!(run("{\"x\":\"", "n").is_ok());
    let nested = stream(common::filter(&plan, Mode::Document), repeated("", "[", "", 1_000));
    assert_eq!(nested, Err(Trouble::TooDeep));
}

/// One response that fills whatever can be filled: what is remembered of names, what may be taken
/// back of it, the depth, the lists that are judged inside each other, a name that waits between
/// white space, and what is held.
#[test]
fn the_worst_of_everything_at_once_stays_within_the_bound() {
    let seven = "o[].".repeat(7) + "t";
    let fields = Fields::Only(["a", "b", "c.x", "o"].map(str::to_owned).into());
    let plan = common::plan(&[tied(&seven, fields.clone()), tied("o[].t", fields)]);
    let names: String = (0..320).fold(String::new(), |mut names, n| {
        write!(names, "\"{n:04}\":{n},").unwrap();
        names
    });
    let long: String = (0..40).fold(String::new(), |mut names, n| {
        write!(names, "\"{n:0128}\":{n},").unwrap();
        names
    });
    let blank = " ".repeat(300);
    let parts = [
        format!("{{\"o\":[{{{names}{long}\"t\":1}},"),
        "{\"t\":1,\"o\":[".repeat(6) + "{" + &long + "\"h\":",
        format!("1{}}},{{\"t\":1,\"h\":\"{}", "}]".repeat(6), "h".repeat(48_900)),
        format!("h\"}}],\"b\":{}1{}", "[".repeat(127), "]".repeat(127)),
        format!(",\"c\":{{\"x\":1{blank},{blank}\"{}", "n".repeat(1_000)),
        format!("\"{blank}:{blank}1}}}}"),
    ];
    let mut filter = common::filter(&plan, Mode::Document);
    let mut most = 0;
    for part in &parts {
        filter.push(part.as_bytes(), &mut Vec::new()).unwrap();
        most = most.max(filter.memory_bytes());
    }
    filter.finish(&mut Vec::new()).unwrap();
    assert!(most <= MEMORY_MAX, "{most} bytes");
    // It is the worst only if it comes near.
    assert!(most > MEMORY_MAX - 4_096, "{most} bytes");
}

#[test]
fn lines_and_events_take_no_more() {
    let plan = common::plan(&[tied("t", Fields::All)]);
    let line = "{\"a\":\"some text\",\"t\":1}\n".repeat(50) + "{\"t\":2}\n";
    let pieces = repeated("", &line, "", 256 * 1_024);
    stream(common::filter(&plan, Mode::Lines), pieces).unwrap();
    let text = "x".repeat(46_000);
    let event = format!(
        "id: 1\n: c\nevent: {}\ndata: {{\"a\":\"{text}\",\ndata: \"t\":1}}\n\n",
        "e".repeat(1_900)
    );
    let pieces = repeated("", &event, "", 256 * 1_024);
    stream(common::filter(&plan, Mode::Events), pieces).unwrap();
    let held = format!("{{\"a\":\"{text}\",\"t\":1}}\n");
    let pieces = repeated("", &held, "", 256 * 1_024);
    stream(common::filter(&plan, Mode::Lines), pieces).unwrap();
}

#[test]
fn a_watch_takes_no_more() {
    let mut watch = Watch::new(Mode::Document, Limits::default());
    let names = (0..5_000).map(|n| format!("\"{n:0100}\":{{\"x{n}\":[1]}},").into_bytes());
    watch.push(b"{").unwrap();
    for piece in names {
        watch.push(&piece).unwrap();
        assert!(watch.memory_bytes() < 16 * 1_024, "{}", watch.memory_bytes());
    }
    watch.push(b"\"z\":0}").unwrap();
    let report = watch.finish().unwrap();
    assert!(report.seen_more && report.seen.len() <= 256);
}

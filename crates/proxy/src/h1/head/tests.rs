use proptest::prelude::*;

use super::*;

/// A head as an owned value.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Owned {
    version: Version,
    method: String,
    target: Vec<u8>,
    fields: Vec<(String, Vec<u8>)>,
    bytes: usize,
}

fn read_owned(input: &[u8], limits: &Limits) -> Result<Option<Owned>, Reason> {
    let mut space = field_space();
    let head = read(input, limits, &mut space)?;
    Ok(head.map(|head| Owned {
        version: head.version,
        method: head.method.to_owned(),
        target: head.target.to_vec(),
        fields: head.fields.iter().map(|f| (f.name.to_owned(), f.value.to_vec())).collect(),
        bytes: head.bytes,
    }))
}

/// Reads as a connection does: again with each byte more, until there is an answer.
fn read_bytewise(input: &[u8], limits: &Limits) -> Result<Option<Owned>, Reason> {
    for end in 0..=input.len() {
        match read_owned(&input[..end], limits) {
            Ok(None) => {}
            answer => return answer,
        }
    }
    Ok(None)
}

#[test]
fn what_is_no_head_is_refused() {
    let wrong = [
        "\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        "\nGET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\n\n",
        "GET / HTTP/1.1\r\na: b\n\r\n",
        "GET / HTTP/1.1\r\na: b\r\n\n",
        "GET / HTTP/1.1\r\na : b\r\n\r\n",
        "GET / HTTP/1.1\r\n a: b\r\n\r\n",
        "GET / HTTP/1.1\r\na: b\r\n c\r\n\r\n",
        "GET / HTTP/1.1\r\na\r\n\r\n",
        "GET  / HTTP/1.1\r\n\r\n",
        "GET / HTTP/2.0\r\n\r\n",
        "GET / HTTP/1.1 \r\n\r\n",
        "GET /\r\n\r\n",
        "G\u{1}T / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\na: \u{1}\r\n\r\n",
        "GET / HTTP/1.1\r\na: b\rc\r\n\r\n",
    ];
    for text in wrong {
        assert_eq!(
            read_owned(text.as_bytes(), &Limits::default()),
            Err(Reason::MalformedRequest),
            "{text:?}"
        );
    }
    let long = format!("{} / HTTP/1.1\r\n\r\n", "A".repeat(METHOD_BYTES_MAX + 1));
    assert_eq!(read_owned(long.as_bytes(), &Limits::default()), Err(Reason::MalformedRequest));
}

#[test]
fn a_head_has_as_many_bytes_and_fields_as_allowed_and_no_more() {
    let text = b"GET / HTTP/1.1\r\na: b\r\nc: d\r\n\r\n";
    let exact = Limits { head_bytes: text.len(), fields: 2, ..Limits::default() };
    assert_eq!(read_bytewise(text, &exact).unwrap().unwrap().fields.len(), 2);
    let short = Limits { head_bytes: text.len() - 1, ..exact.clone() };
    assert_eq!(read_bytewise(text, &short), Err(Reason::TooLarge));
    assert_eq!(read_owned(text, &short), Err(Reason::TooLarge));
    let few = Limits { fields: 1, ..exact };
    assert_eq!(read_owned(text, &few), Err(Reason::TooLarge));
}

fn heads() -> impl Strategy<Value = Vec<u8>> {
    let line_end = prop::sample::select(vec!["\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\n", "\r"]);
    let field = prop_oneof![
        9 => "[a-zA-Z-]{1,12}: ?[ -~]{0,20}",
        1 => "[ -~]{0,12}",
    ];
    let fields = prop::collection::vec((field, line_end.clone()), 0..6);
    let line = prop_oneof![
        9 => "(GET|POST|X) /[a-z/.%]{0,12} HTTP/1\\.[01]",
        1 => "[ -~]{0,20}",
    ];
    ((line, line_end.clone()), fields, line_end, "[a-z]{0,5}").prop_map(
        |(line, fields, end, body)| {
            let fields: String =
                fields.iter().map(|(field, end)| format!("{field}{end}")).collect();
            format!("{}{}{fields}{end}{body}", line.0, line.1).into_bytes()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_024))]

    #[test]
    fn where_the_bytes_are_split_makes_no_difference(input in heads()) {
        let limits = Limits::default();
        let whole = read_owned(&input, &limits);
        let bytewise = read_bytewise(&input, &limits);
        prop_assert_eq!(&bytewise, &whole);
        if let Ok(Some(head)) = whole {
            // What follows the head is no part of it.
            prop_assert_eq!(read_owned(&input[..head.bytes], &limits), Ok(Some(head)));
        }
    }

    #[test]
    fn an_accepted_head_has_no_bare_line_end(input in heads()) {
        if let Ok(Some(head)) = read_owned(&input, &Limits::default()) {
            let text = String::from_utf8_lossy(&input[..head.bytes]).replace("\r\n", "");
            prop_assert!(!text.contains(['\r', '\n']));
        }
    }
}

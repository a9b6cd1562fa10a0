use super::*;

fn body_of(bytes: &[u8]) -> Option<Vec<u8>> {
    parse(bytes).unwrap().map(|answer| answer.body)
}

#[test]
fn an_answer_is_complete_when_its_length_is_reached() {
    let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
    assert_eq!(body_of(whole), Some(b"abc".to_vec()));
    for cut in 0..whole.len() {
        assert_eq!(body_of(&whole[..cut]), None, "{cut}");
    }
}

#[test]
fn chunks_are_joined() {
    let whole =
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n";
    assert_eq!(body_of(whole), Some(b"abc".to_vec()));
    for cut in 0..whole.len() {
        assert_eq!(body_of(&whole[..cut]), None, "{cut}");
    }
}

#[test]
fn what_is_no_http_is_an_error() {
    assert!(parse(b"HELLO\r\n\r\n").is_err());
    assert!(parse(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n").is_err());
}

#[test]
fn a_closing_answer_says_so() {
    let answer = parse(b"HTTP/1.1 401 No\r\nConnection: close\r\n\r\n").unwrap().unwrap();
    assert_eq!((answer.status, answer.closes), (401, true));
}

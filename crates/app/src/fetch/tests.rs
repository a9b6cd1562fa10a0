use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// Answers every connection with these bytes; gives the address.
async fn server(answer: impl Into<Vec<u8>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = answer.into();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 1024];
            let _ = stream.read(&mut head).await;
            let _ = stream.write_all(&answer).await;
        }
    });
    format!("http://{address}")
}

async fn problem(url: &str) -> Problem {
    HttpFetcher::new().unwrap().fetch(url).await.unwrap_err()
}

#[tokio::test]
async fn addresses_that_only_a_server_can_reach_are_refused() {
    for host in [
        "169.254.169.254",
        "0xa9fea9fe",
        "2852039166",
        "[fe80::1]",
        "[::ffff:169.254.169.254]",
        "[fd00:ec2::254]",
        "100.100.100.200",
        "0.0.0.0",
        "[::]",
        "224.0.0.1",
    ] {
        let problem = problem(&format!("http://{host}/latest/meta-data")).await;
        assert_eq!(problem.reason, "bad_address", "{host}");
    }
}

#[tokio::test]
async fn other_schemes_and_credentials_are_refused() {
    for url in ["", "file:///etc/passwd", "ftp://x/y", "http://user:pass@127.0.0.1/x"] {
        assert_eq!(problem(url).await.reason, "bad_address", "{url}");
    }
}

#[tokio::test]
async fn a_redirect_to_another_origin_is_not_followed() {
    let other = server("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecret").await;
    let answer = format!("HTTP/1.1 302 Found\r\nlocation: {other}\r\ncontent-length: 0\r\n\r\n");
    let problem = problem(&server(answer).await).await;
    assert_eq!(problem.reason, "fetch_failed");
    assert!(problem.detail.contains("302"), "{problem}");
}

#[tokio::test]
async fn an_endless_document_is_cut_off() {
    let mut answer = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_vec();
    answer.resize(BYTES_MAX + 1_000, b'x');
    let problem = problem(&server(answer).await).await;
    assert!(problem.detail.contains("10 MiB"), "{problem}");
}

#[tokio::test]
async fn an_answer_that_is_no_document_is_refused() {
    let missing = server("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n").await;
    assert!(problem(&missing).await.detail.contains("404"));
    let binary = server(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n\xff\xfe".to_vec()).await;
    assert!(problem(&binary).await.detail.contains("UTF-8"));
}

#[tokio::test]
async fn a_document_is_fetched() {
    let url = server("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
    assert_eq!(HttpFetcher::new().unwrap().fetch(&url).await.unwrap(), "{}");
}

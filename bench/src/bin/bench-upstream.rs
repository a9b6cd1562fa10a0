//! `bench-upstream PORT`: the service behind every proxy. Answers any bodiless request with 1 KiB
//! of JSON that names the request target.

use std::net::Ipv4Addr;

use portreeve_bench::answer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A request head beyond this is no request of ours.
const HEAD_MAX: usize = 64 * 1024;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port: u16 = std::env::args().nth(1).ok_or("usage: bench-upstream PORT")?.parse()?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let template = template();
    loop {
        let (stream, _) = listener.accept().await?;
        let template = template.clone();
        // a caller that goes away ends its own task and nothing else
        tokio::spawn(async move { serve(stream, template).await.ok() });
    }
}

/// Head and body for no target in particular.
fn template() -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\nServer: bench\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nCache-Control: no-store\r\n\r\n",
        answer::BODY_LEN
    );
    [head.into_bytes(), answer::body(b"")].concat()
}

async fn serve(mut stream: TcpStream, mut template: Vec<u8>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let body_at = template.len() - answer::BODY_LEN;
    let mut received = Vec::with_capacity(4096);
    while received.len() < HEAD_MAX && stream.read_buf(&mut received).await? > 0 {
        while let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") {
            let mark = format!("{:016x}", answer::fingerprint(answer::target(&received)));
            let range = answer::fingerprint_range();
            if let Some(place) = template.get_mut(body_at + range.start..body_at + range.end) {
                place.copy_from_slice(mark.as_bytes());
            }
            stream.write_all(&template).await?;
            received.drain(..end + 4);
        }
    }
    Ok(())
}

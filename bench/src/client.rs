//! A keep-alive HTTP/1.1 connection that sends prepared bytes and reads whole answers.

use std::io;
use std::net::Ipv4Addr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Headers that an answer may have.
const HEADERS_MAX: usize = 64;

/// One whole answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Body, decoded from chunks.
    pub body: Vec<u8>,
    /// The server closes the connection after it.
    pub closes: bool,
}

/// A connection to a port of this machine.
#[derive(Debug)]
pub struct Connection {
    port: u16,
    stream: TcpStream,
    received: Vec<u8>,
}

impl Connection {
    /// Connects to 127.0.0.1.
    pub async fn open(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        stream.set_nodelay(true)?;
        Ok(Self { port, stream, received: Vec::with_capacity(4096) })
    }

    /// Sends one request and waits for its whole answer. After an answer that closes the
    /// connection, or an error, a new one is opened for the next request.
    pub async fn exchange(&mut self, request: &[u8]) -> io::Result<Answer> {
        let answer = self.attempt(request).await;
        if answer.as_ref().map_or(true, |answer| answer.closes) {
            *self = Self::open(self.port).await?;
        }
        answer
    }

    async fn attempt(&mut self, request: &[u8]) -> io::Result<Answer> {
        self.received.clear();
        self.stream.write_all(request).await?;
        loop {
            if self.stream.read_buf(&mut self.received).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(answer) = parse(&self.received)? {
                return Ok(answer);
            }
        }
    }
}

/// `None` until the answer is complete.
fn parse(bytes: &[u8]) -> io::Result<Option<Answer>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut head = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(used) = head.parse(bytes).map_err(invalid)? else {
        return Ok(None);
    };
    let rest = bytes.get(used..).unwrap_or_default();
    let says = |name: &str, word: &str| {
        header(head.headers, name).is_some_and(|value| value.to_ascii_lowercase().contains(word))
    };
    let body = if says("transfer-encoding", "chunked") {
        unchunk(rest)?
    } else {
        let length = header(head.headers, "content-length").unwrap_or("0");
        rest.get(..length.trim().parse().map_err(invalid)?).map(<[u8]>::to_vec)
    };
    let (status, closes) = (head.code.unwrap_or(0), says("connection", "close"));
    Ok(body.map(|body| Answer { status, body, closes }))
}

fn header<'a>(headers: &[httparse::Header<'a>], name: &str) -> Option<&'a str> {
    let found = headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
    std::str::from_utf8(found.value).ok()
}

fn unchunk(mut bytes: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let mut body = Vec::new();
    loop {
        let parsed = httparse::parse_chunk_size(bytes).map_err(|_| io::ErrorKind::InvalidData)?;
        let httparse::Status::Complete((line, size)) = parsed else { return Ok(None) };
        let size = usize::try_from(size).map_err(invalid)?;
        let Some(chunk) = bytes.get(line..line + size) else { return Ok(None) };
        body.extend_from_slice(chunk);
        let Some(rest) = bytes.get(line + size + 2..) else { return Ok(None) };
        bytes = rest;
        if size == 0 {
            return Ok(Some(body));
        }
    }
}

fn invalid(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

#[cfg(test)]
mod tests;

//! An upstream that the test scripts byte by byte: it sees exactly what arrives, and answers what
//! no HTTP library would.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A request as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Which connection, counted from 1.
    pub connection: usize,
    /// Everything up to and with the empty line.
    pub head: String,
    /// The body, out of its framing.
    pub body: Vec<u8>,
}

impl Seen {
    /// The request line.
    pub fn line(&self) -> &str {
        self.head.lines().next().unwrap_or_default()
    }

    /// The values of all fields with this name, in order.
    pub fn fields(&self, name: &str) -> Vec<&str> {
        self.head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(':'))
            .filter(|(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
            .collect()
    }

    /// The names of all fields, in lower case and in order.
    pub fn names(&self) -> Vec<String> {
        let lines = self.head.lines().skip(1);
        lines.filter_map(|line| Some(line.split_once(':')?.0.to_ascii_lowercase())).collect()
    }
}

/// A running upstream. Ends with the value.
#[derive(Debug)]
pub struct Upstream {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    connections: Arc<AtomicUsize>,
    accepting: JoinHandle<()>,
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Upstream {
    /// Answers every request with 200 and `{"id":42}`, and keeps connections.
    pub async fn start() -> Self {
        Self::scripted(|mut conversation| async move {
            while conversation.request().await?.is_some() {
                conversation.send(OK).await?;
            }
            Ok(())
        })
        .await
    }

    /// Runs `script` for each connection.
    ///
    /// # Panics
    /// When no port can be opened on loopback.
    pub async fn scripted<S, F>(script: S) -> Self
    where
        S: Fn(Conversation) -> F + Send + Sync + 'static,
        F: Future<Output = io::Result<()>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port on loopback");
        let address = listener.local_addr().expect("its address");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(AtomicUsize::new(0));
        let (log, count) = (Arc::clone(&seen), Arc::clone(&connections));
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let number = count.fetch_add(1, Ordering::SeqCst) + 1;
                let seen = Arc::clone(&log);
                let conversation = Conversation { stream, input: Vec::new(), number, seen };
                tokio::spawn(script(conversation));
            }
        });
        Self { address, seen, connections, accepting }
    }

    /// `http://127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Every request so far.
    pub fn seen(&self) -> Vec<Seen> {
        lock(&self.seen).clone()
    }

    /// How many connections were opened so far.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// What [`Upstream::start`] answers.
pub const OK: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{\"id\":42}";

/// One connection, from the upstream's side.
#[derive(Debug)]
pub struct Conversation {
    stream: TcpStream,
    input: Vec<u8>,
    /// Which connection, counted from 1.
    pub number: usize,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Conversation {
    /// Reads the next request, body included. `None` = the gate closed the connection.
    pub async fn request(&mut self) -> io::Result<Option<Seen>> {
        let Some(head) = self.head().await? else { return Ok(None) };
        let mut seen = Seen { connection: self.number, head, body: Vec::new() };
        let length = seen.fields("content-length").first().and_then(|text| text.parse().ok());
        if let Some(length) = length {
            seen.body = self.bytes(length).await?;
        } else if !seen.fields("transfer-encoding").is_empty() {
            seen.body = self.chunks().await?;
        }
        lock(&self.seen).push(seen.clone());
        Ok(Some(seen))
    }

    /// Reads a head only.
    pub async fn head(&mut self) -> io::Result<Option<String>> {
        loop {
            if let Some(at) = find(&self.input, b"\r\n\r\n") {
                let head: Vec<u8> = self.input.drain(..at + 4).collect();
                return Ok(Some(String::from_utf8_lossy(&head).into_owned()));
            }
            if self.fill().await? == 0 {
                return Ok(None);
            }
        }
    }

    /// Reads so many bytes.
    pub async fn bytes(&mut self, count: usize) -> io::Result<Vec<u8>> {
        while self.input.len() < count {
            if self.fill().await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(self.input.drain(..count).collect())
    }

    /// Reads until the gate ends its side, and returns what had come.
    pub async fn rest(&mut self) -> io::Result<Vec<u8>> {
        while self.fill().await? > 0 {}
        Ok(std::mem::take(&mut self.input))
    }

    async fn chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let size = self.line().await?;
            let size = usize::from_str_radix(&size, 16).map_err(io::Error::other)?;
            body.extend(self.bytes(size).await?);
            self.line().await?;
            if size == 0 {
                return Ok(body);
            }
        }
    }

    async fn line(&mut self) -> io::Result<String> {
        loop {
            if let Some(at) = find(&self.input, b"\r\n") {
                let line: Vec<u8> = self.input.drain(..at + 2).take(at).collect();
                return Ok(String::from_utf8_lossy(&line).into_owned());
            }
            if self.fill().await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    async fn fill(&mut self) -> io::Result<usize> {
        self.stream.read_buf(&mut self.input).await
    }

    /// Sends bytes as they are.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref()).await
    }

    /// Ends this side; the other may still send.
    pub async fn end(&mut self) -> io::Result<()> {
        self.stream.shutdown().await
    }
}

fn find(bytes: &[u8], pattern: &[u8]) -> Option<usize> {
    bytes.windows(pattern.len()).position(|window| window == pattern)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

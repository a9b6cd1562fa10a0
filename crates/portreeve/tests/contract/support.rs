//! Starts the binary, talks to it, and makes its output comparable.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::Value;

/// A directory that is gone after the test.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("portreeve-test-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What a command did.
pub(crate) struct Ran {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) status: i32,
}

impl Ran {
    /// Standard output as JSON of a command that must have succeeded.
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.status, 0, "{}{}", self.stdout, self.stderr);
        serde_json::from_str(&self.stdout).unwrap()
    }

    /// Everything that a script or a person sees.
    pub(crate) fn seen(&self) -> String {
        format!("status {}\n--- stdout\n{}--- stderr\n{}", self.status, self.stdout, self.stderr)
    }
}

/// The binary with an environment that has nothing of the machine's.
pub(crate) fn command(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portreeve"));
    command
        .env_clear()
        .env("HOME", home)
        .env("XDG_CONFIG_HOME", home.join("config"))
        .env("TZ", "UTC")
        .env("USER", "ada")
        .current_dir(home)
        .stdin(Stdio::null());
    // A test with certificates of its own puts what commands are to trust here.
    let roots = home.join("roots.pem");
    if roots.exists() {
        command.env("SSL_CERT_FILE", roots);
    }
    command
}

pub(crate) fn run(home: &Path, arguments: &[&str]) -> Ran {
    finished(command(home).args(arguments))
}

pub(crate) fn finished(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    Ran {
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
        status: output.status.code().unwrap_or(-1),
    }
}

/// Makes an installation in `state`; the admin token of ada.
pub(crate) fn installed(home: &Path, more: &[&str]) -> String {
    let init = ["init", "--state", "state", "--port", "0", "--admin", "ada", "--json"];
    let ran = run(home, &[&init, more].concat());
    ran.json()["admin_token"].as_str().unwrap().to_owned()
}

/// Adds to the configuration of an installation: keys at its head, tables at its end.
pub(crate) fn configure(home: &Path, keys: &str, tables: &str) {
    let file = home.join("state/portreeve.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{keys}\n{text}\n{tables}\n")).unwrap();
}

/// A running `serve` or `demo`.
pub(crate) struct Server {
    child: Child,
    home: PathBuf,
    pub(crate) ready: Value,
    token: String,
}

impl Server {
    /// Makes an installation and runs it on free ports.
    pub(crate) fn fresh(home: &Path) -> Self {
        let token = installed(home, &[]);
        Self::serve(home, &token)
    }

    /// Runs an installation that exists.
    pub(crate) fn serve(home: &Path, token: &str) -> Self {
        let file = home.join("state").join("portreeve.toml");
        let mut command = command(home);
        command.args(["serve", "--config", file.to_str().unwrap(), "--json"]);
        Self::start(home, command, token)
    }

    pub(crate) fn demo(home: &Path) -> Self {
        let mut command = command(home);
        command.args(["demo", "--port", "0", "--json"]);
        let mut server = Self::start(home, command, "");
        server.token = server.ready["admin_token"].as_str().unwrap().to_owned();
        server
    }

    fn start(home: &Path, mut command: Command, token: &str) -> Self {
        let log = std::fs::File::create(home.join("server.log")).unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        if line.is_empty() {
            let _ = child.kill();
            let _ = child.wait();
            panic!("did not start: {}", std::fs::read_to_string(home.join("server.log")).unwrap());
        }
        let ready = serde_json::from_str(&line).unwrap();
        Self { child, home: home.to_owned(), ready, token: token.to_owned() }
    }

    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.home.join("server.log")).unwrap()
    }

    /// Waits until the log has this text. Bounded by the patience of [`eventually`].
    pub(crate) fn wait_for_log(&self, text: &str) {
        eventually(|| self.log().contains(text), || format!("`{text}` in {}", self.log()));
    }

    /// Runs a command against this server.
    pub(crate) fn cli(&self, arguments: &[&str]) -> Ran {
        self.cli_as(&self.token, arguments)
    }

    pub(crate) fn cli_as(&self, token: &str, arguments: &[&str]) -> Ran {
        let url = self.ready["console"].as_str().unwrap();
        let mut command = command(&self.home);
        finished(command.args(arguments).env("PORTREEVE_URL", url).env("PORTREEVE_TOKEN", token))
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let mut arguments = arguments.to_vec();
        arguments.push("--json");
        self.cli(&arguments).json()
    }

    pub(crate) fn proxy(&self) -> Connection {
        Connection::open(self.ready["proxy"].as_str().unwrap())
    }

    pub(crate) fn console(&self) -> Connection {
        Connection::open(self.ready["console"].as_str().unwrap())
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status().unwrap();
        assert!(sent.success());
    }

    /// Ends it as an operator does; the exit status.
    pub(crate) fn stop(mut self) -> i32 {
        self.signal("TERM");
        self.child.wait().unwrap().code().unwrap_or(-1)
    }

    /// Ends it as a power cut does.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An upstream that answers every request with the same JSON.
pub(crate) struct Upstream {
    pub(crate) url: String,
}

impl Upstream {
    pub(crate) fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        // The thread ends with the test process; it holds nothing but its socket.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                std::thread::spawn(move || answer(stream));
            }
        });
        Self { url }
    }
}

fn answer(stream: TcpStream) {
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        let mut head = 0;
        loop {
            line.clear();
            match reader.read_line(&mut line) {
                Ok(0) | Err(_) => return,
                Ok(_) if line == "\r\n" => break,
                Ok(_) => head += 1,
            }
        }
        let body = "{\"ok\":true}";
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        if head == 0 || reader.get_mut().write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// One keep-alive connection, as raw as a test needs it.
pub(crate) struct Connection(BufReader<TcpStream>);

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

impl Connection {
    fn open(url: &str) -> Self {
        let stream = TcpStream::connect(url.trim_start_matches("http://")).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        Self(BufReader::new(stream))
    }

    pub(crate) fn get(&mut self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send("GET", path, headers, "")
    }

    pub(crate) fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut text = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n");
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() {
            text.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        text.push_str("\r\n");
        text.push_str(body);
        self.0.get_mut().write_all(text.as_bytes()).unwrap();
        self.read()
    }

    fn read(&mut self) -> Answer {
        let mut head = String::new();
        let mut length = 0;
        loop {
            let mut line = String::new();
            assert_ne!(self.0.read_line(&mut line).unwrap(), 0, "closed after `{head}`");
            if line == "\r\n" {
                break;
            }
            let lower = line.to_lowercase();
            if let Some(value) = lower.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            head.push_str(&line);
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head, body: String::from_utf8(body).unwrap() }
    }
}

/// Waits, within reason, until something holds.
pub(crate) fn eventually(holds: impl Fn() -> bool, what: impl Fn() -> String) {
    for _ in 0..1_200 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(25));
    }
    panic!("did not come to pass: {}", what());
}

/// Compares with a stored snapshot, ids, secrets, times and places of this run taken out.
#[macro_export]
macro_rules! assert_seen {
    ($name:literal, $text:expr) => {{
        let mut settings = insta::Settings::clone_current();
        settings.set_prepend_module_to_snapshot(false);
        settings.set_snapshot_path("snapshots");
        for (pattern, shown) in $crate::support::FILTERS {
            settings.add_filter(pattern, *shown);
        }
        settings.bind(|| insta::assert_snapshot!($name, $text));
    }};
}

/// What differs from run to run, and what it is shown as.
pub(crate) const FILTERS: &[(&str, &str)] = &[
    (r"/\S*/portreeve-test-\d+-\d+", "<dir>"),
    (r"\b(api|cred|cmp|g|grp|item|fnd|r|node|dec|actor|id)_[0-9a-z]{26}\b", "${1}_<id>"),
    (r"\bpr_(live|demo|admin|test)_[0-9A-Za-z]+(…[0-9A-Za-z]+)?", "pr_${1}_<secret>"),
    (r"ledger\+[0-9a-f]{8}\+[0-9A-Za-z+/=]+", "ledger+<key>"),
    (r"once=[0-9A-Za-z_-]+", "once=<code>"),
    (r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z", "<time>"),
    (r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}", "<minute>"),
    (r"until \d{2}:\d{2}", "until <hh:mm>"),
    (r"until \d{4}-\d{2}-\d{2}", "until <date>"),
    (r"127\.0\.0\.1:[1-9]\d+", "127.0.0.1:<port>"),
    (r"\b[0-9a-f]{64}\b", "<digest>"),
    (r"[ \t]+\n", "\n"),
];

//! The built `portreeve`, asked about itself.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::repository::Chore;

/// The admin API's own document.
const OPENAPI_PATH: &str = "/api/openapi.json";

pub(super) struct Binary {
    path: PathBuf,
}

impl Binary {
    /// The given one, or the one beside this program.
    pub(super) fn find(given: Option<PathBuf>) -> Chore<Self> {
        let beside = || std::env::current_exe().ok().map(|path| path.with_file_name("portreeve"));
        let path = given.or_else(beside).filter(|path| path.exists());
        path.map(|path| Self { path }).ok_or_else(|| {
            "there is no built portreeve: run `cargo build --bin portreeve` first".to_owned()
        })
    }

    /// What a command prints on stdout.
    pub(super) fn output(&self, arguments: &[&str]) -> Chore<String> {
        let mut command = Command::new(&self.path);
        // help tells the defaults, never what the caller's shell holds
        command.env_remove("PORTREEVE_URL").env_remove("PORTREEVE_TOKEN");
        let done = command.args(arguments).stdin(Stdio::null()).output();
        let done = done.map_err(|e| format!("{}: {e}", self.path.display()))?;
        if !done.status.success() {
            let error = String::from_utf8_lossy(&done.stderr);
            return Err(format!("portreeve {}: {}", arguments.join(" "), error.trim()));
        }
        String::from_utf8(done.stdout).map_err(|_| "portreeve printed no text".to_owned())
    }

    /// The OpenAPI document that a running demo serves.
    pub(super) fn openapi(&self) -> Chore<serde_json::Value> {
        let demo = Demo::start(&self.path)?;
        let body = get(&demo.console, OPENAPI_PATH)?;
        serde_json::from_str(&body).map_err(|e| format!("{OPENAPI_PATH}: {e}"))
    }
}

/// A demo on free ports; ended when dropped.
struct Demo {
    child: Child,
    console: String,
}

impl Demo {
    fn start(program: &PathBuf) -> Chore<Self> {
        let mut command = Command::new(program);
        command.args(["demo", "--port", "0", "--json"]).stdout(Stdio::piped());
        // the demo signs its user in on this machine; this user is nobody
        let nobody = std::env::temp_dir().join(format!("portreeve-docs-{}", std::process::id()));
        command.env("HOME", &nobody).env("XDG_CONFIG_HOME", &nobody);
        let child = command.stderr(Stdio::null()).spawn().map_err(|e| e.to_string())?;
        let mut demo = Self { console: String::new(), child };
        let line = first_line(&mut demo.child)?;
        let ready: serde_json::Value =
            serde_json::from_str(&line).map_err(|e| format!("demo printed `{line}`: {e}"))?;
        demo.console = ready["console"].as_str().unwrap_or_default().to_owned();
        Ok(demo)
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // told to end rather than killed, so that it takes its folder away
        Command::new("kill").arg(self.child.id().to_string()).status().ok();
        self.child.wait().ok();
    }
}

fn first_line(child: &mut Child) -> Chore<String> {
    let mut stdout = child.stdout.take().ok_or("demo has no output")?;
    let mut line = Vec::new();
    let mut byte = [0];
    while stdout.read(&mut byte).map_err(|e| e.to_string())? == 1 && byte != *b"\n" {
        line.extend(byte);
    }
    String::from_utf8(line).map_err(|e| e.to_string())
}

/// The body of a GET over plain HTTP/1.0, which neither chunks nor keeps alive.
fn get(base: &str, path: &str) -> Chore<String> {
    let authority = base.split("//").nth(1).unwrap_or(base).split('/').next().unwrap_or_default();
    let mut stream = TcpStream::connect(authority).map_err(|e| format!("{authority}: {e}"))?;
    let request = format!("GET {path} HTTP/1.0\r\nHost: {authority}\r\n\r\n");
    stream.write_all(request.as_bytes()).map_err(|e| e.to_string())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(|e| e.to_string())?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("no HTTP answer")?;
    let ok = head.split(' ').nth(1) == Some("200");
    ok.then(|| body.to_owned())
        .ok_or_else(|| format!("{path}: {}", head.lines().next().unwrap_or_default()))
}

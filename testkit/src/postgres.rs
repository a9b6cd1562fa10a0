//! A private PostgreSQL cluster: in a scratch directory, on a Unix socket only, started once per
//! test process and gone with it however that ends.
//!
//! A supervising shell owns the server. It reads from its standard input, a pipe from the test
//! process, when to stop and start it, and waits for the pipe to close: the kernel does that also
//! when the process is killed. Then it stops the server by its process id and removes the directory.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// How to get it where it is missing.
const MISSING: &str = "PostgreSQL is not installed: there is no /usr/lib/postgresql/*/bin/initdb. \
                       The store is tested on both databases; install Debian's `postgresql`.";

/// Runs as the user that owns the cluster. `$1` is the directory of the programs.
const SUPERVISOR: &str = r#"
set -e
dir=$(mktemp -d "${TMPDIR:-/tmp}/portreeve-pg-XXXXXX")
trap 'rm -rf "$dir"' EXIT
bin=$1
"$bin/initdb" -D "$dir/data" -U portreeve -A trust -E UTF8 --locale=C -N >"$dir/initdb.log" 2>&1 ||
    { cat "$dir/initdb.log" >&2; exit 1; }
halt() {
    test -z "$server" || { kill -INT $server; wait $server; } 2>/dev/null || true
    server=
}
run() {
    "$bin/postgres" -D "$dir/data" -k "$dir" -h '' -c fsync=off -c full_page_writes=off \
        -c max_connections=200 -c shared_buffers=16MB </dev/null >>"$dir/server.log" 2>&1 &
    server=$!
    until "$bin/pg_isready" -q -h "$dir" -U portreeve; do
        kill -0 $server 2>/dev/null || { cat "$dir/server.log" >&2; exit 1; }
        sleep 0.05
    done
}
server=
trap 'halt; rm -rf "$dir"' EXIT
trap '' INT HUP TERM
run
echo "$dir"
while read -r word; do
    case $word in
        stop) halt ;;
        start) run ;;
    esac
    echo done
done
"#;

/// A running cluster.
#[derive(Debug)]
pub struct Cluster {
    programs: PathBuf,
    socket: String,
    /// Closing it, by whatever end of this process, stops the cluster.
    lifeline: ChildStdin,
    answers: BufReader<ChildStdout>,
    _supervisor: Child,
}

static CLUSTER: OnceLock<Cluster> = OnceLock::new();
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// The cluster of this test process; started by the first caller.
///
/// # Panics
/// When PostgreSQL is not installed or does not start: tests that need it fail, they do not skip.
pub fn postgres() -> &'static Cluster {
    CLUSTER.get_or_init(|| {
        let programs = programs().unwrap_or_else(|| panic!("{MISSING}"));
        start(programs)
    })
}

/// A cluster of the caller's own, which may be stopped and started.
///
/// # Panics
/// When PostgreSQL is not installed or does not start.
pub fn private_postgres() -> Cluster {
    start(programs().unwrap_or_else(|| panic!("{MISSING}")))
}

/// The programs of the newest version that is installed.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut found: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let version = path.file_name()?.to_str()?.parse().ok()?;
            let bin = path.join("bin");
            bin.join("initdb").exists().then_some((version, bin))
        })
        .collect();
    found.sort();
    found.pop().map(|(_, bin)| bin)
}

/// The supervisor's command. The server refuses to run as root, so root hands it to the user that
/// the package made, else to `nobody`.
fn supervisor(programs: &Path) -> Command {
    let shell = |mut command: Command| {
        command.args(["-c", SUPERVISOR, "supervisor"]).arg(programs).current_dir("/");
        command
    };
    if !is_root() {
        return shell(Command::new("sh"));
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let has = |name: &str| users.lines().any(|line| line.split(':').next() == Some(name));
    let user = if has("postgres") { "postgres" } else { "nobody" };
    let mut command = Command::new("setpriv");
    command.args(["--reuid", user, "--regid", &group_of(&users, user), "--clear-groups", "sh"]);
    shell(command)
}

/// Whether this process runs as root, as the owner of its own entry in `/proc` says.
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

fn group_of(users: &str, user: &str) -> String {
    let line = users.lines().find(|line| line.split(':').next() == Some(user));
    line.and_then(|line| line.split(':').nth(3)).unwrap_or("65534").to_owned()
}

fn start(programs: PathBuf) -> Cluster {
    let mut child = supervisor(&programs)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start PostgreSQL: {error}"));
    let lifeline = child.stdin.take().unwrap_or_else(|| panic!("no pipe to the supervisor"));
    let answers = child.stdout.take().unwrap_or_else(|| panic!("no pipe from the supervisor"));
    let mut answers = BufReader::new(answers);
    let mut socket = String::new();
    let _ = answers.read_line(&mut socket);
    let socket = socket.trim().to_owned();
    assert!(!socket.is_empty(), "PostgreSQL did not start; its own words are above");
    Cluster { programs, socket, lifeline, answers, _supervisor: child }
}

impl Cluster {
    /// Stops the server: connections end, and new ones find nobody. Returns when it is down.
    ///
    /// # Panics
    /// When the supervisor is gone.
    pub fn stop(&mut self) {
        self.tell("stop");
    }

    /// Starts the server again, on the same data. Returns when it takes connections.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start(&mut self) {
        self.tell("start");
    }

    fn tell(&mut self, word: &str) {
        let told = writeln!(self.lifeline, "{word}").and_then(|()| self.lifeline.flush());
        let mut answer = String::new();
        let heard = self.answers.read_line(&mut answer);
        assert!(told.is_ok() && heard.is_ok() && answer == "done\n", "{word}: `{answer}`");
    }

    /// Makes an empty database; gives its address.
    ///
    /// # Panics
    /// When the server refuses.
    pub fn create_database(&self) -> String {
        let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let made = Command::new(self.programs.join("createdb"))
            .args(["-h", &self.socket, "-U", "portreeve", &name])
            .status();
        assert!(made.is_ok_and(|status| status.success()), "cannot make database {name}");
        format!("postgres://portreeve@localhost/{name}?host={}", self.socket)
    }
}

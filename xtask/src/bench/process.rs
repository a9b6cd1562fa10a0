//! Programs that a bench starts: pinned to a CPU, measured as a whole tree, ended with the bench.
#![expect(clippy::disallowed_methods, reason = "waits for programs to start and end, with a limit")]

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::repository::Chore;

const START_LIMIT: Duration = Duration::from_secs(60);
const STOP_LIMIT: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(20);

/// A program in the background; ended when dropped.
pub(super) struct Running {
    child: Child,
    name: String,
    log: std::path::PathBuf,
}

/// CPU time of a process tree.
#[derive(Debug, Clone, Copy)]
pub(super) struct CpuTime {
    /// Exact, of the threads that live.
    pub(super) living_ns: u64,
    /// Rounded to ticks, of all threads that ever lived.
    pub(super) all_ns: u64,
}

impl Running {
    /// Starts `command`, on one CPU if wanted; its output goes to `folder/name.log`.
    pub(super) fn start(
        name: &str,
        cpu: Option<usize>,
        command: &[String],
        folder: &Path,
    ) -> Chore<Self> {
        let log = folder.join(format!("{name}.log"));
        let out = File::create(&log).map_err(|e| format!("{}: {e}", log.display()))?;
        let error_out = out.try_clone().map_err(|e| e.to_string())?;
        let mut pinned = pinned(cpu, command);
        pinned.stdin(Stdio::null()).stdout(out).stderr(error_out).current_dir(folder);
        let child = pinned.spawn().map_err(|e| format!("{name}: {e}"))?;
        Ok(Self { child, name: name.to_owned(), log })
    }

    /// Waits until something listens on `port`.
    pub(super) fn wait_for_port(&mut self, port: u16) -> Chore<()> {
        self.wait_until(|| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok().map(drop))
    }

    /// Waits for the first line of output that is a JSON object.
    pub(super) fn wait_for_json(&mut self) -> Chore<serde_json::Value> {
        let log = self.log.clone();
        self.wait_until(|| {
            let text = fs::read_to_string(&log).ok()?;
            let (whole, _) = text.rsplit_once('\n')?;
            whole.lines().find_map(|line| serde_json::from_str(line).ok())
        })
    }

    fn wait_until<T>(&mut self, mut ready: impl FnMut() -> Option<T>) -> Chore<T> {
        let start = Instant::now();
        while start.elapsed() < START_LIMIT {
            if let Some(found) = ready() {
                return Ok(found);
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("{} ended with {status}: {}", self.name, self.last_words()));
            }
            thread::sleep(POLL);
        }
        Err(format!("{} did not start in {START_LIMIT:?}: {}", self.name, self.last_words()))
    }

    fn last_words(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().rev().take(8).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    /// The process and all below it.
    fn tree(&self) -> Vec<u32> {
        let mut pids = vec![self.child.id()];
        let mut next = 0;
        while let Some(pid) = pids.get(next).copied() {
            next += 1;
            for task in tasks(pid) {
                let children = fs::read_to_string(format!("{task}/children")).unwrap_or_default();
                pids.extend(children.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
            }
        }
        pids
    }

    /// CPU time that the tree has used so far.
    pub(super) fn cpu_time(&self) -> CpuTime {
        let pids = self.tree();
        CpuTime {
            living_ns: pids.iter().flat_map(|pid| tasks(*pid)).map(|task| on_cpu_ns(&task)).sum(),
            all_ns: pids.iter().map(|pid| ticks(*pid)).sum::<u64>() * NS_PER_TICK,
        }
    }

    /// Resident memory of the tree, in MiB.
    pub(super) fn resident_mib(&self) -> f64 {
        let kib = |pid: &u32| {
            let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
            line.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or(0.0)
        };
        self.tree().iter().map(kib).sum::<f64>() / 1024.0
    }
}

/// Linux counts user and system time in hundredths of a second wherever this runs.
const NS_PER_TICK: u64 = 10_000_000;

impl Drop for Running {
    fn drop(&mut self) {
        let terminate = self.tree().into_iter().rev().map(|pid| pid.to_string());
        // `kill` of this process's own descendants only; one that has ended already is no error
        Command::new("kill").args(terminate).stderr(Stdio::null()).status().ok();
        let start = Instant::now();
        while start.elapsed() < STOP_LIMIT {
            if matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)) {
                return;
            }
            thread::sleep(POLL);
        }
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// `command`, to be run on one CPU if wanted.
pub(super) fn pinned(cpu: Option<usize>, command: &[String]) -> Command {
    let all = match cpu {
        Some(cpu) => format!("{cpu}"),
        None => format!("0-{}", thread::available_parallelism().map_or(1, usize::from) - 1),
    };
    let mut pinned = Command::new("taskset");
    pinned.args(["-c", &all]).args(command);
    pinned
}

/// Fails when the machine lacks what every bench of the gate needs.
pub(super) fn check_machine() -> Chore<()> {
    let cpus = thread::available_parallelism().map_or(1, usize::from);
    if cpus < 2 {
        return Err("the proxy needs a CPU of its own: two are needed".to_owned());
    }
    Command::new("taskset").arg("--version").output().map_err(|e| format!("taskset: {e}"))?;
    Ok(())
}

/// A port that nothing listens on.
pub(super) fn free_port() -> Chore<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|e| e.to_string())?;
    listener.local_addr().map(|address| address.port()).map_err(|e| e.to_string())
}

fn tasks(pid: u32) -> Vec<String> {
    let folder = format!("/proc/{pid}/task");
    let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
    entries.map(|entry| format!("{folder}/{}", entry.file_name().to_string_lossy())).collect()
}

fn on_cpu_ns(task: &str) -> u64 {
    let text = fs::read_to_string(format!("{task}/schedstat")).unwrap_or_default();
    text.split_whitespace().next().and_then(|first| first.parse().ok()).unwrap_or(0)
}

/// User and system time in ticks: fields 14 and 15, counted after the name in parentheses.
fn ticks(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum()
}

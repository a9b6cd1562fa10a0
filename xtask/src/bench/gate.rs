//! What governing a request costs: CPU time of portreeve per request, divided by that of nginx
//! doing nothing but `proxy_pass`, in the same minute on the same CPU.
//!
//! Each proxy has CPU 0 to itself while it is measured; upstream and load have CPU 1. Runs
//! interleave (nginx, portreeve, nginx, …) and each run of portreeve is divided by the mean of the
//! nginx runs on either side, because absolute times move by half within a minute and ratios do
//! not. 1,000 credentials rotate. Every answer is checked, in the measured runs too; every forged
//! credential must have got 401 before anything is measured.

use std::path::{Path, PathBuf};

use super::process::{Running, check_machine, free_port, pinned};
use super::product::{self, Installation};
use super::statistics::Spread;
use super::{OTHER_CPU, PROXY_CPU, Programs, requests_with, start_upstream, work_folder, write};
use crate::repository::Chore;

const PATH: &str = "/api/v1/orders/";
const WARM_UP: usize = 3000;
/// Forged requests are sent this often each.
const FORGED_ROUNDS: usize = 4;

#[derive(clap::Args)]
pub(super) struct Options {
    /// Print only the last line, one JSON object
    #[arg(long)]
    json: bool,
    /// How many runs of portreeve are measured
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    /// Requests in a run
    #[arg(long, default_value_t = 20_000)]
    count: usize,
    /// Keep-alive connections
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// Also measure what a guardrail and a limit cost on every request
    #[arg(long)]
    governed: bool,
}

/// A proxy under load and the requests for it.
struct Target {
    name: &'static str,
    running: Running,
    port: u16,
    requests: PathBuf,
    /// Requests sent so far: each run goes on in the file where the last one ended.
    sent: usize,
}

/// One measured run.
struct Run {
    cpu_us: f64,
    seconds: f64,
    p50_us: f64,
}

pub(super) fn run(programs: &Programs, options: &Options) -> Chore<()> {
    check_machine()?;
    let folder = work_folder("gate")?;
    let (_upstream, upstream_port) = start_upstream(programs, &folder)?;

    let mut targets = vec![start_portreeve(programs, &folder.join("plain"), upstream_port, false)?];
    if options.governed {
        let folder = folder.join("governed");
        targets.push(start_portreeve(programs, &folder, upstream_port, true)?);
    }
    let mut nginx = start_nginx(&folder, upstream_port)?;
    let bench = Bench { options, load: programs.path("bench-load") };
    bench.verify(&mut nginx, None)?;
    for target in &mut targets {
        let forged = target.requests.with_file_name("forged.txt");
        bench.verify(target, Some(&forged))?;
    }
    let (base, own) = bench.interleave(&mut nginx, &mut targets)?;
    report(options, &base, &own, &targets)
}

fn start_portreeve(
    programs: &Programs,
    folder: &Path,
    upstream_port: u16,
    governed: bool,
) -> Chore<Target> {
    std::fs::create_dir_all(folder).map_err(|e| e.to_string())?;
    let installation = Installation::init(&programs.path("portreeve"), folder)?;
    let product = installation.serve(folder, Some(PROXY_CPU))?;
    let keys = product.seed_orders(folder, upstream_port, product::KEYS)?;
    if governed {
        product.govern(folder)?;
    }
    let requests = folder.join("keys.txt");
    write(&requests, &requests_with(PATH, keys.iter().map(|key| format!("X-API-Key: {key}\r\n"))))?;
    write(&folder.join("forged.txt"), &requests_with(PATH, forged(&keys).into_iter()))?;
    let (running, port) = product.into_running();
    let name = if governed { "portreeve, API key, guardrail, limit" } else { "portreeve, API key" };
    Ok(Target { name, running, port, requests, sent: 0 })
}

fn start_nginx(folder: &Path, upstream_port: u16) -> Chore<Target> {
    let port = free_port()?;
    let config = folder.join("nginx.conf");
    write(&config, &nginx_config(folder, port, upstream_port))?;
    let requests = folder.join("plain.txt");
    write(&requests, &requests_with(PATH, (0..product::KEYS).map(|_| String::new())))?;
    let error_log = folder.join("nginx-error.log").display().to_string();
    let command =
        ["nginx", "-e", &error_log, "-c", &config.display().to_string()].map(str::to_owned);
    let mut running = Running::start("nginx", Some(PROXY_CPU), &command, folder)?;
    running.wait_for_port(port)?;
    Ok(Target { name: "nginx plain", running, port, requests, sent: 0 })
}

fn nginx_config(folder: &Path, port: u16, upstream_port: u16) -> String {
    include_str!("nginx.conf")
        .replace("@RUN@", &folder.display().to_string())
        .replace("@PORT@", &port.to_string())
        .replace("@UPSTREAM@", &upstream_port.to_string())
}

/// Header lines that must all be refused with 401: unknown, altered, cut, extended, absent.
fn forged(keys: &[String]) -> Vec<String> {
    let real = keys.first().cloned().unwrap_or_default();
    let middle = real.len() / 2;
    let (head, tail) = real.split_at(middle);
    let changed = if tail.starts_with('a') { 'b' } else { 'a' };
    let altered = format!("{head}{changed}{}", tail.get(1..).unwrap_or_default());
    let cut = real.get(..real.len().saturating_sub(1)).unwrap_or_default().to_owned();
    let extended = format!("{real}0");
    let unknown = "pr_live_0000000000000000000000000000000000000000000000000".to_owned();
    let values = [unknown, altered, cut, extended, "x".to_owned()];
    let lines = values.into_iter().map(|value| format!("X-API-Key: {value}\r\n"));
    lines.chain([String::new()]).collect()
}

struct Bench<'a> {
    options: &'a Options,
    load: String,
}

impl Bench<'_> {
    /// Every answer right, every forged credential refused.
    fn verify(&self, target: &mut Target, forged: Option<&Path>) -> Chore<()> {
        let tally = self.send(target, &target.requests, self.options.connections, WARM_UP)?;
        target.sent += WARM_UP;
        expect(target.name, &tally, "right", WARM_UP)?;
        if let Some(forged) = forged {
            let text = std::fs::read_to_string(forged).map_err(|e| e.to_string())?;
            let count = FORGED_ROUNDS * text.matches("\r\n\r\n").count();
            let tally = self.send(target, forged, 2, count)?;
            expect(target.name, &tally, "refused", count)?;
            eprintln!("{}: {WARM_UP} answers right, {count} forged refused", target.name);
        }
        Ok(())
    }

    /// Runs of nginx (one more) and of each target, in turns.
    fn interleave(
        &self,
        nginx: &mut Target,
        targets: &mut [Target],
    ) -> Chore<(Vec<Run>, Vec<Vec<Run>>)> {
        let mut base = vec![self.measure(nginx)?];
        let mut own: Vec<Vec<Run>> = targets.iter().map(|_| Vec::new()).collect();
        for round in 1..=self.options.rounds {
            for (runs, target) in own.iter_mut().zip(targets.iter_mut()) {
                runs.push(self.measure(target)?);
            }
            base.push(self.measure(nginx)?);
            eprintln!("round {round} of {}", self.options.rounds);
        }
        Ok((base, own))
    }

    fn measure(&self, target: &mut Target) -> Chore<Run> {
        let before = target.running.cpu_time();
        let tally =
            self.send(target, &target.requests, self.options.connections, self.options.count)?;
        let after = target.running.cpu_time();
        target.sent += self.options.count;
        expect(target.name, &tally, "right", self.options.count)?;
        let used = after.living_ns.saturating_sub(before.living_ns);
        let all = after.all_ns.saturating_sub(before.all_ns);
        // ticks round to 10 ms per process; beyond that a thread must have ended unmeasured
        if all.saturating_sub(used) > (used / 20).max(60_000_000) {
            return Err(format!("{}: threads ended during the run: no figure", target.name));
        }
        let figure = |name: &str| tally[name].as_f64().unwrap_or(0.0);
        let cpu_us = used as f64 / 1000.0 / self.options.count as f64;
        Ok(Run { cpu_us, seconds: figure("seconds"), p50_us: figure("p50_us") })
    }

    fn send(
        &self,
        target: &Target,
        file: &Path,
        connections: usize,
        count: usize,
    ) -> Chore<serde_json::Value> {
        let numbers = [connections, target.sent, count].map(|number| number.to_string());
        let mut command =
            vec![self.load.clone(), target.port.to_string(), file.display().to_string()];
        command.extend(numbers);
        let done = pinned(Some(OTHER_CPU), &command).output().map_err(|e| e.to_string())?;
        serde_json::from_slice(&done.stdout).map_err(|_| {
            format!("load generator: {}", String::from_utf8_lossy(&done.stderr).trim())
        })
    }
}

fn expect(name: &str, tally: &serde_json::Value, what: &str, count: usize) -> Chore<()> {
    if tally[what].as_u64() == u64::try_from(count).ok() {
        return Ok(());
    }
    Err(format!("{name}: not all of {count} were {what}: {tally}"))
}

/// CPU time of each run, divided by the mean of the nginx runs on either side.
fn ratios(base: &[Run], own: &[Run]) -> Vec<f64> {
    let pairs = own.iter().zip(base.iter().zip(base.iter().skip(1)));
    pairs.map(|(run, (before, after))| run.cpu_us * 2.0 / (before.cpu_us + after.cpu_us)).collect()
}

fn report(options: &Options, base: &[Run], own: &[Vec<Run>], targets: &[Target]) -> Chore<()> {
    if !options.json {
        tell(options, "nginx plain", base);
        for (target, runs) in targets.iter().zip(own) {
            tell(options, target.name, runs);
            println!("{}: {:.0} MiB resident", target.name, target.running.resident_mib());
        }
    }
    let each: Vec<Vec<f64>> = own.iter().map(|runs| ratios(base, runs)).collect();
    if let [plain, governed] = each.as_slice() {
        let more: Vec<f64> = governed.iter().zip(plain).map(|(more, less)| more - less).collect();
        println!("{}", line("governing", "extra", &Spread::of(&more).ok_or("no runs")?));
    }
    let plain = each.first().and_then(|ratios| Spread::of(ratios)).ok_or("no runs")?;
    println!("{}", line("nginx_plain", "ratio", &plain));
    Ok(())
}

fn tell(options: &Options, name: &str, runs: &[Run]) {
    let of = |figure: fn(&Run) -> f64| {
        Spread::of(&runs.iter().map(figure).collect::<Vec<_>>()).map_or(0.0, |s| s.median)
    };
    let rate = options.count as f64 / of(|run| run.seconds);
    let busy = of(|run| run.cpu_us) * rate / 10_000.0;
    println!(
        "{name}: {:.1} us CPU per request, {rate:.0} requests/s, CPU {busy:.0} % busy, \
         p50 {:.0} us (medians of {} runs)",
        of(|run| run.cpu_us),
        of(|run| run.p50_us),
        runs.len()
    );
}

fn line(target: &str, figure: &str, spread: &Spread) -> serde_json::Value {
    serde_json::json!({
        "target": target, figure: round(spread.median), "q1": round(spread.q1),
        "q3": round(spread.q3), "n": spread.n,
    })
}

fn round(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_forged_credential_is_a_real_one() {
        let keys = vec!["pr_live_abcabc".to_owned(), "pr_live_xyzxyz".to_owned()];
        let forged = forged(&keys);
        assert_eq!(forged.len(), 6);
        for key in &keys {
            assert!(!forged.contains(&format!("X-API-Key: {key}\r\n")));
        }
        assert_eq!(forged.last().unwrap(), "");
    }

    #[test]
    fn a_run_with_one_wrong_answer_has_no_figure() {
        let tally = serde_json::json!({ "right": 99, "wrong": 1 });
        assert!(expect("x", &tally, "right", 100).is_err());
        assert!(expect("x", &tally, "right", 99).is_ok());
        assert!(expect("x", &serde_json::json!({}), "right", 0).is_err());
    }
}

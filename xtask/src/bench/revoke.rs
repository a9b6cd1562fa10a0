//! How soon a revoke holds: from its acknowledgement to the first refusal, while others call, in a
//! large organisation. Calls that were sent after the acknowledgement and passed are counted; there
//! must be none, and the bench fails when there is one.

use std::process::{Command, Stdio};

use super::load::{self, Size};
use super::{Programs, product, requests_with, write};
use crate::repository::Chore;

/// Keep-alive connections of the other callers.
const OTHERS: usize = 16;
/// Their requests: more than they can send meanwhile, so that the load does not end first.
const OTHERS_REQUESTS: usize = 1_000_000_000;

#[derive(clap::Args)]
pub(super) struct Options {
    /// Print only the last line, one JSON object
    #[arg(long)]
    json: bool,
    /// Grants that are given and revoked
    #[arg(long, default_value_t = 300)]
    revokes: usize,
    #[command(flatten)]
    size: Size,
}

pub(super) fn run(programs: &Programs, options: &Options) -> Chore<()> {
    let loaded = load::load(programs, "revoke", &options.size)?;
    let product = &loaded.product;
    let mut headers = Vec::new();
    for identity in 0..OTHERS.min(options.size.identities) {
        let key = product.issue_key(&format!("service-{identity}"))?;
        headers.push(format!("X-API-Key: {key}\r\n"));
    }
    let others = loaded.folder.join("others.txt");
    write(&others, &requests_with("/api-0/things-0/", headers.into_iter()))?;
    let mut load = Command::new(programs.path("bench-load"))
        .arg(product.port().to_string())
        .arg(&others)
        .args([OTHERS, 0, OTHERS_REQUESTS].map(|number| number.to_string()))
        .stdout(Stdio::null())
        .spawn()
        .map_err(|e| format!("bench-load: {e}"))?;
    let measured = measure(programs, product, options.revokes);
    load.kill().and_then(|()| load.wait()).map_err(|e| format!("bench-load: {e}"))?;
    let mut figures = measured?;
    figures["grants"] = (options.size.identities * options.size.grants_each).into();
    if !options.json {
        println!("p50_ms, p99_ms: from the acknowledgement to the first refused answer");
    }
    println!("{figures}");
    match figures["admitted_after"].as_u64() {
        Some(0) => Ok(()),
        _ => Err("requests passed after their grant's end was acknowledged".to_owned()),
    }
}

fn measure(
    programs: &Programs,
    product: &product::Product,
    revokes: usize,
) -> Chore<serde_json::Value> {
    let mut command = Command::new(programs.path("bench-revoke"));
    command.arg(product.port().to_string());
    command.arg(product::port_of(&product.console)?.to_string()).arg(revokes.to_string());
    let done = command.env("PORTREEVE_TOKEN", product.token()).output();
    let done = done.map_err(|e| format!("bench-revoke: {e}"))?;
    serde_json::from_slice(&done.stdout)
        .map_err(|_| format!("bench-revoke: {}", String::from_utf8_lossy(&done.stderr).trim()))
}

//! `bench-revoke PROXY_PORT CONSOLE_PORT REVOKES`, the admin token in `PORTREEVE_TOKEN`: gives a
//! grant, calls with it in a closed loop, revokes it, and looks at when the calls stopped passing.
//! Again and again; prints one JSON object.
//!
//! The server must hold the company of `bench-fill`.
#![expect(clippy::disallowed_methods, reason = "it measures time, and takes a secret")]

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Instant;

use portreeve_bench::client::Connection;
use portreeve_bench::company::{self, Failure};
use serde_json::{Value, json};
use tokio::task::LocalSet;

/// Calls that must have passed before the grant is revoked.
const CALLS_BEFORE: usize = 20;
/// Calls that are looked at after the revoke was acknowledged.
const CALLS_AFTER: usize = 20;
/// A revoke that is not enforced after so many calls is a failure, not a figure.
const CALLS_MAX: usize = 100_000;
const IDENTITY: &str = "bench-caller";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [proxy, console, revokes] = arguments.as_slice() else {
        return Err("usage: bench-revoke PROXY_PORT CONSOLE_PORT REVOKES".into());
    };
    // a secret does not go on a command line, which everybody on the machine can read
    let token = std::env::var("PORTREEVE_TOKEN")?;
    let (proxy, revokes) = (proxy.parse()?, revokes.parse()?);
    let mut admin = Admin { connection: Connection::open(console.parse()?).await?, token };
    let identity = json!({ "name": IDENTITY, "kind": "service_account" });
    admin.post("/api/v1/identities", &identity).await?;
    let key = admin.post("/api/v1/keys", &json!({ "identity": IDENTITY })).await?;
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: bench\r\nX-API-Key: {}\r\n\r\n",
        company::path(0, 0),
        key["key"].as_str().ok_or("no key was issued")?
    );
    let run = measure(&mut admin, proxy, request.into_bytes(), revokes);
    let rounds = LocalSet::new().run_until(run).await?;
    println!("{}", report(&rounds));
    Ok(())
}

/// A bearer of an administrator's token.
struct Admin {
    connection: Connection,
    token: String,
}

impl Admin {
    async fn post(&mut self, path: &str, body: &Value) -> Result<Value, Failure> {
        let body = body.to_string();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.token,
            body.len()
        );
        let answer = self.connection.exchange(request.as_bytes()).await?;
        if !(200..300).contains(&answer.status) {
            let why = String::from_utf8_lossy(&answer.body).into_owned();
            return Err(format!("POST {path}: {} {why}", answer.status).into());
        }
        Ok(serde_json::from_slice(&answer.body)?)
    }
}

/// One call: when it was sent, when it was answered, with what.
struct Call {
    sent: Instant,
    done: Instant,
    status: u16,
}

/// One grant's end.
struct Round {
    /// From sending the revoke to its acknowledgement.
    acknowledged_ms: f64,
    /// From the acknowledgement to the first refused answer; 0 when that came before.
    refused_ms: f64,
    /// Calls sent after the acknowledgement that passed.
    admitted_after: usize,
}

async fn measure(
    admin: &mut Admin,
    proxy: u16,
    request: Vec<u8>,
    revokes: usize,
) -> Result<Vec<Round>, Failure> {
    let request = Rc::new(request);
    let mut rounds = Vec::with_capacity(revokes);
    for _ in 0..revokes {
        let new = json!({ "subject": IDENTITY, "api": "api-0", "can": ["read-0"] });
        let grant = admin.post("/api/v1/grants", &new).await?;
        let id = grant["id"].as_str().ok_or("the grant has no id")?;
        let calls: Rc<RefCell<Vec<Call>>> = Rc::default();
        let caller = tokio::task::spawn_local(call(proxy, request.clone(), calls.clone()));
        while calls.borrow().len() < CALLS_BEFORE && !caller.is_finished() {
            tokio::task::yield_now().await;
        }
        let began = Instant::now();
        let revoke = format!("/api/v1/grants/{id}/revoke");
        admin.post(&revoke, &json!({ "reason": "bench" })).await?;
        let acknowledged = Instant::now();
        caller.await??;
        let calls = calls.take();
        let first_refused = calls.iter().find(|call| call.status == 403);
        let first_refused = first_refused.ok_or("no call was refused")?;
        if calls.iter().take(CALLS_BEFORE).any(|call| call.status != 200) {
            return Err("a call before the revoke did not pass".into());
        }
        rounds.push(Round {
            acknowledged_ms: (acknowledged - began).as_secs_f64() * 1e3,
            // `duration_since` is zero for an earlier moment
            refused_ms: first_refused.done.duration_since(acknowledged).as_secs_f64() * 1e3,
            admitted_after: calls
                .iter()
                .filter(|call| call.sent > acknowledged && call.status != 403)
                .count(),
        });
    }
    Ok(rounds)
}

/// Calls until a while after the first refusal.
async fn call(
    proxy: u16,
    request: Rc<Vec<u8>>,
    calls: Rc<RefCell<Vec<Call>>>,
) -> Result<(), Failure> {
    let mut connection = Connection::open(proxy).await?;
    let mut left = CALLS_AFTER;
    for _ in 0..CALLS_MAX {
        let sent = Instant::now();
        let status = connection.exchange(&request).await?.status;
        calls.borrow_mut().push(Call { sent, done: Instant::now(), status });
        if status == 403 {
            left -= 1;
        }
        if left == 0 {
            return Ok(());
        }
    }
    Err("the revoke was not enforced".into())
}

fn report(rounds: &[Round]) -> Value {
    let quantile = |q: f64, of: fn(&Round) -> f64| {
        let mut values: Vec<f64> = rounds.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        let place = (values.len().saturating_sub(1) as f64 * q).ceil() as usize;
        (values.get(place).copied().unwrap_or(0.0) * 1e3).round() / 1e3
    };
    json!({
        "revokes": rounds.len(),
        "p50_ms": quantile(0.5, |round| round.refused_ms),
        "p99_ms": quantile(0.99, |round| round.refused_ms),
        "acknowledged_p50_ms": quantile(0.5, |round| round.acknowledged_ms),
        "acknowledged_p99_ms": quantile(0.99, |round| round.acknowledged_ms),
        "admitted_after": rounds.iter().map(|round| round.admitted_after).sum::<usize>(),
    })
}

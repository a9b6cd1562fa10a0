//! A closed loop of callers: each sends its next request as soon as it is answered, and every
//! answer is judged.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::time::Instant;

use crate::client::{Answer, Connection};
use crate::histogram::Histogram;

/// A prepared request and the body that a right answer has.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// Bytes on the wire; no body.
    pub bytes: Vec<u8>,
    /// What the upstream answers to it.
    pub body: Vec<u8>,
}

/// How a run went.
#[derive(Debug, Default)]
pub struct Tally {
    /// 2xx with the right body.
    pub right: u64,
    /// 2xx with another body.
    pub wrong: u64,
    /// 401.
    pub refused: u64,
    /// Any other status.
    pub other: u64,
    /// No answer.
    pub broken: u64,
    /// Wall time of the whole run.
    pub seconds: f64,
    /// From the sending of a request to the end of its answer.
    pub latency: Histogram,
}

impl Tally {
    fn count(&mut self, request: &Prepared, answer: &io::Result<Answer>) {
        *match answer {
            Err(_) => &mut self.broken,
            Ok(answer) if (200..300).contains(&answer.status) && answer.body == request.body => {
                &mut self.right
            }
            Ok(answer) if (200..300).contains(&answer.status) => &mut self.wrong,
            Ok(answer) if answer.status == 401 => &mut self.refused,
            Ok(_) => &mut self.other,
        } += 1;
    }

    /// The run as one JSON object.
    pub fn json(&self) -> serde_json::Value {
        let done = self.right + self.wrong + self.refused + self.other + self.broken;
        serde_json::json!({
            "done": done, "right": self.right, "wrong": self.wrong, "refused": self.refused,
            "other": self.other, "broken": self.broken, "seconds": self.seconds,
            "p50_us": self.latency.quantile_us(0.5), "p99_us": self.latency.quantile_us(0.99),
        })
    }
}

/// Splits a file of bodiless requests, each ending in an empty line.
pub fn prepare(file: &[u8]) -> Vec<Prepared> {
    let mut prepared = Vec::new();
    let mut rest = file;
    while let Some(end) = rest.windows(4).position(|window| window == b"\r\n\r\n") {
        let (bytes, after) = rest.split_at(end + 4);
        let body = crate::answer::body(crate::answer::target(bytes));
        prepared.push(Prepared { bytes: bytes.to_vec(), body });
        rest = after;
    }
    prepared
}

/// Sends `count` requests over `connections`, in rotation from number `skip` on. Must run on a
/// current-thread runtime inside a `LocalSet`: one CPU, no locks.
pub async fn closed_loop(
    port: u16,
    requests: Rc<Vec<Prepared>>,
    connections: usize,
    skip: usize,
    count: usize,
) -> io::Result<Tally> {
    let tally = Rc::new(RefCell::new(Tally::default()));
    let next = Rc::new(RefCell::new(0));
    let start = Instant::now();
    let mut callers = Vec::new();
    for _ in 0..connections {
        let connection = Connection::open(port).await?;
        let (requests, tally, next) = (requests.clone(), tally.clone(), next.clone());
        callers.push(tokio::task::spawn_local(async move {
            call(connection, &requests, &tally, || take(&next, count).map(|n| n + skip)).await;
        }));
    }
    for caller in callers {
        caller.await.map_err(io::Error::other)?;
    }
    let mut tally = tally.take();
    tally.seconds = start.elapsed().as_secs_f64();
    Ok(tally)
}

fn take(next: &RefCell<usize>, count: usize) -> Option<usize> {
    let mut next = next.borrow_mut();
    (*next < count).then(|| {
        *next += 1;
        *next - 1
    })
}

async fn call(
    mut connection: Connection,
    requests: &[Prepared],
    tally: &RefCell<Tally>,
    next: impl Fn() -> Option<usize>,
) {
    while let Some(number) = next() {
        let Some(request) = requests.get(number % requests.len().max(1)) else { return };
        let sent = Instant::now();
        let answer = connection.exchange(&request.bytes).await;
        let took = u64::try_from(sent.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let mut tally = tally.borrow_mut();
        tally.count(request, &answer);
        tally.latency.add(took);
    }
}

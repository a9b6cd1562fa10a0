//! The attack corpus: one case per line, named after the pitfall it stands for. Each goes over a raw
//! socket. A refused case must be refused with its status and must not even open a connection to the
//! upstream; a canonicalised case must arrive as exactly the bytes it says.

use testkit::Upstream;

use crate::kit::{Client, Kit, Response, Setup};

mod cases;
mod headers;
mod stage;

/// What has to become of a request.
pub enum Expect {
    /// Answered by the gate with this status and reason; the upstream sees nothing.
    Refused(u16, &'static str),
    /// The upstream sees this request line.
    Arrives(&'static str),
}

/// One attack. `@KEY` stands for a valid key.
pub struct Case {
    /// Row of the pitfall list, and what is tried.
    pub name: &'static str,
    pub request: &'static str,
    pub expect: Expect,
}

async fn exchange(kit: &Kit, request: &str) -> (Client, Response) {
    let mut client = kit.connect().await;
    client.send(request.replace("@KEY", &kit.key)).await;
    let response = client.response().await;
    (client, response)
}

async fn run(case: &Case) {
    let upstream = Upstream::start().await;
    // Observe mode lets pass what no grant covers: only the form of the request can refuse.
    let adjust = |state: &mut crate::kit::State| state.api.mode = catalog::ApiMode::Observe;
    let setup = Setup { adjust: Box::new(adjust), ..Setup::default() };
    let kit = Kit::with(&upstream.url(), setup).await;
    let (mut client, response) = exchange(&kit, case.request).await;
    let name = case.name;
    match case.expect {
        Expect::Refused(status, reason) => {
            assert_eq!((response.status, response.reason().as_str()), (status, reason), "{name}");
            assert_eq!(response.field("connection"), Some("close"), "{name}");
            client.rest().await;
            assert_eq!(upstream.connections(), 0, "{name}");
        }
        Expect::Arrives(line) => {
            assert_eq!(response.status, 200, "{name}: {}", response.head);
            let seen = upstream.seen();
            assert_eq!(seen.iter().map(|seen| seen.line()).collect::<Vec<_>>(), [line], "{name}");
            let record = kit.record().await;
            let path = line.split(' ').nth(1).unwrap().split('?').next().unwrap();
            assert_eq!(record.path, path, "{name}: recorded as forwarded");
        }
    }
    if matches!(case.expect, Expect::Refused(..)) {
        kit.record().await;
    }
    kit.no_more_records().await;
}

#[tokio::test]
async fn no_target_is_read_in_two_ways() {
    for case in cases::TARGETS {
        run(case).await;
    }
}

#[tokio::test]
async fn no_framing_is_read_in_two_ways() {
    for case in cases::FRAMINGS {
        run(case).await;
    }
}

#[tokio::test]
async fn no_header_is_read_in_two_ways() {
    for case in cases::HEADERS {
        run(case).await;
    }
}

#[tokio::test]
async fn a_request_has_one_authority() {
    for case in cases::AUTHORITIES {
        run(case).await;
    }
}

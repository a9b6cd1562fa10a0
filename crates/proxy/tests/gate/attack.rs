//! The attack corpus: one case per line, named after the pitfall it stands for. Each goes over a raw
//! socket. A refused case must be refused with its status and must not even open a connection to the
//! upstream; a canonicalised case must arrive as exactly the bytes it says.

use testkit::Upstream;

use crate::kit::{Client, Kit, Response, Setup};

mod corpus;
mod headers;
mod stage;

use corpus::{Case, Expect};

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
    let (mut client, response) = exchange(&kit, &case.request).await;
    let name = &case.name;
    match &case.expect {
        Expect::Refused(status, reason) => {
            assert_eq!(
                (response.status, response.reason().as_str()),
                (*status, reason.as_str()),
                "{name}"
            );
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
    for case in corpus::read(include_str!("../cases/targets.txt")) {
        run(&case).await;
    }
}

#[tokio::test]
async fn no_framing_is_read_in_two_ways() {
    for case in corpus::read(include_str!("../cases/framings.txt")) {
        run(&case).await;
    }
}

#[tokio::test]
async fn no_header_is_read_in_two_ways() {
    for case in corpus::read(include_str!("../cases/headers.txt")) {
        run(&case).await;
    }
}

#[tokio::test]
async fn a_request_has_one_authority() {
    for case in corpus::read(include_str!("../cases/authorities.txt")) {
        run(&case).await;
    }
}

#[tokio::test]
async fn row_4_one_empty_line_is_forgiven_however_it_is_split() {
    let upstream = Upstream::start().await;
    let kit = Kit::start(&upstream.url()).await;
    let mut other = kit.connect().await;
    for (pieces, status) in [(["\r", "\n"], 200), (["\r\n", ""], 200), (["\r\n", "\r\n"], 400)] {
        let mut client = kit.connect().await;
        for piece in pieces {
            client.send(piece).await;
            // The gate has read the piece by the time that it has answered somebody else.
            other.send(kit.get("")).await;
            assert_eq!(other.response().await.status, 200);
        }
        client.try_send(kit.get("")).await;
        assert_eq!(client.response().await.status, status, "{pieces:?}");
    }
}

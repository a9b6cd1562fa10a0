//! What is open at the gate: listed, cut by every kind of revocation, and counted in its receipt.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};

use crate::nodes::fleet;
use crate::support::{Scratch, Server, eventually};

const EVENTS: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
                      transfer-encoding: chunked\r\n\r\n5\r\nevent\r\n";

/// Answers everything with an event stream that never ends.
fn upstream() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || serve(stream));
        }
    });
    url
}

fn serve(stream: TcpStream) {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
    }
    if reader.get_mut().write_all(EVENTS.as_bytes()).is_ok() {
        let _ = reader.read_to_end(&mut Vec::new());
    }
}

/// Opens a stream and reads its first event, as soon as the node knows that it may.
fn open(server: &Server, key: &str) -> TcpStream {
    let opened = std::cell::RefCell::new(None);
    let open = || {
        *opened.borrow_mut() = try_open(server, key);
        opened.borrow().is_some()
    };
    eventually(open, || server.log());
    opened.into_inner().unwrap()
}

fn try_open(server: &Server, key: &str) -> Option<TcpStream> {
    let address = server.ready["proxy"].as_str().unwrap().trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let head = format!("GET /orders/42 HTTP/1.1\r\nhost: api\r\nx-api-key: {key}\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut seen = Vec::new();
    let mut read_to = |end: &[u8]| {
        while !seen.ends_with(end) {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            seen.extend(byte);
        }
        seen.starts_with(b"HTTP/1.1 200 ")
    };
    (read_to(b"\r\n\r\n") && read_to(b"5\r\nevent\r\n")).then_some(stream)
}

fn issue(server: &Server, identity: &str) -> (String, String) {
    let issued = server.json(&["key", "issue", identity]);
    (issued["id"].as_str().unwrap().to_owned(), issued["key"].as_str().unwrap().to_owned())
}

fn listed(server: &Server, more: &[&str]) -> Vec<Value> {
    let streams = server.json(&[&["stream", "list"][..], more].concat());
    streams.as_array().unwrap().clone()
}

fn cut(receipt: &Value) -> &Value {
    &receipt["receipts"][0]["streams_cut"]
}

#[test]
fn every_kind_of_revocation_ends_what_is_open_and_says_how_much() {
    let scratch = Scratch::new();
    let server = Server::fresh(scratch.path());
    let document = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/contract/orders.yaml");
    let add = ["api", "add", "orders", "--path", "/orders", "--upstream", &upstream()];
    server.json(&[&add, &["--openapi", document][..]].concat());
    for name in ["svc", "other"] {
        server.json(&["identity", "add", name, "--kind", "service_account", "--owner", "ada"]);
    }
    server.json(&["group", "set", "clerks", "--members", "svc"]);
    server.json(&["grant", "give", "other", "--api", "orders", "--can", "read"]);
    let give = |to: &str| {
        let given = server.json(&["grant", "give", to, "--api", "orders", "--can", "read"]);
        given["id"].as_str().unwrap().to_owned()
    };
    let ended = |mut stream: TcpStream, reason: &str| {
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
        assert_eq!(rest, b"", "no false end");
        let search = ["call", "search", "--identity", "svc", "--outcome", "cancelled"];
        let calls = server.json(&search);
        assert_eq!((&calls[0]["reason"], &calls[0]["status"]), (&json!(reason), &json!(200)));
    };
    let bystander = open(&server, &issue(&server, "other").1);
    let (first, key) = issue(&server, "svc");

    let grant = give("svc");
    let stream = open(&server, &key);
    let found = listed(&server, &["--identity", "svc", "--api", "orders"]);
    let (credential, kind) = (&found[0]["credential_id"], &found[0]["kind"]);
    assert_eq!((credential, kind), (&json!(first), &json!("event_stream")), "{found:?}");
    assert_eq!(found[0]["grant_ids"], json!([grant]));
    assert_eq!(listed(&server, &[]).len(), 2);
    let slip = server.cli(&["stream", "list", "--api", "odrers"]);
    assert!(slip.stderr.contains("did you mean `orders`?"), "{}", slip.stderr);
    let revoked = server.json(&["grant", "revoke", &grant, "--reason", "over"]);
    assert_eq!(cut(&revoked), &json!(1), "{revoked}");
    ended(stream, "no_grant");

    let by_group = give("group:clerks");
    let streams = [open(&server, &key), open(&server, &key)];
    let left = server.json(&["group", "set", "clerks"]);
    assert_eq!((cut(&left), &left["members"]), (&json!(2), &json!([])), "{left}");
    assert!(left["change"].is_u64(), "{left}");
    for stream in streams {
        ended(stream, "no_grant");
    }
    server.json(&["grant", "revoke", &by_group, "--reason", "over"]);

    give("svc");
    let stream = open(&server, &key);
    let suspended = server.json(&["identity", "suspend", "svc", "--reason", "leaked"]);
    assert_eq!(cut(&suspended), &json!(1), "{suspended}");
    ended(stream, "identity_inactive");
    server.json(&["identity", "resume", "svc", "--reason", "mended"]);

    let stream = open(&server, &key);
    let revoked = server.cli(&["key", "revoke", &first]);
    assert!(revoked.stdout.contains("(1 stream cut)"), "{}", revoked.stdout);
    ended(stream, "credential_revoked");

    let found = listed(&server, &[]);
    assert_eq!((found.len(), &found[0]["identity_id"]), (1, &json!("other")), "{found:?}");
    drop(bystander);
    eventually(|| listed(&server, &[]).is_empty(), || server.log());
    assert_eq!(server.stop(), 0);
}

/// A server with the API and one caller, with its key.
fn begun(scratch: &Scratch) -> (Server, String) {
    let server = Server::fresh(scratch.path());
    let document = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/contract/orders.yaml");
    let add = ["api", "add", "orders", "--path", "/orders", "--upstream", &upstream()];
    server.json(&[&add, &["--openapi", document][..]].concat());
    server.json(&["identity", "add", "svc", "--kind", "service_account", "--owner", "ada"]);
    let key = issue(&server, "svc").1;
    (server, key)
}

#[test]
fn what_a_rollout_ends_of_what_is_open_is_told_before_counted_then_and_marked() {
    let scratch = Scratch::new();
    let (server, key) = begun(&scratch);
    let given = server.json(&["grant", "give", "svc", "--api", "orders", "--can", "read"]);
    let streams = [open(&server, &key), open(&server, &key)];
    let file = scratch.path().join("change.toml");
    std::fs::write(&file, format!("revoke = [{}]\n", given["id"])).unwrap();
    let file = file.to_str().unwrap();
    let check = server.json(&["policy", "check", file]);
    let expected = json!({"streams": 2, "ending": 2, "reasons": {"no_grant": 2}});
    assert_eq!(check["open"], expected, "{check}");
    let begun = server.json(&["policy", "publish", file, "--share", "100", "--bound", "5"]);
    assert_eq!(cut(&begun["receipt"]), &json!(2), "{begun}");
    for mut stream in streams {
        stream.read_to_end(&mut Vec::new()).unwrap();
    }
    let seen = server.json(&["policy", "rollout"]);
    let counts = json!({"judged": 2, "governed": 2, "refused": 2});
    assert_eq!((&seen["within_window"], &seen["stage"]), (&counts, &json!("share")), "{seen}");
    let calls = server.json(&["call", "list", "--reason", "no_grant", "--path", "/orders/"]);
    assert_eq!(calls.as_array().unwrap().len(), 2, "{calls}");
    assert_eq!(calls[1]["rollout"]["difference"], json!("newly_refused"), "{calls}");
    let seen = server.json(&["policy", "rollout"]);
    assert_eq!(seen["since_start"], counts, "their records do not count again");
    let revoked = server.cli(&["grant", "revoke", given["id"].as_str().unwrap(), "--reason", "x"]);
    assert!(revoked.stdout.contains("was taken back with it: grant"), "{}", revoked.stdout);
    assert_eq!(server.stop(), 0);
}

#[test]
fn a_role_that_goes_says_what_it_ended() {
    let scratch = Scratch::new();
    let (server, key) = begun(&scratch);
    server.json(&["role", "set", "reader", "--api", "orders", "--can", "read"]);
    server.json(&["grant", "give", "svc", "--api", "orders", "--can", "role:reader"]);
    let mut stream = open(&server, &key);
    let removed = server.json(&["role", "remove", "reader", "--reason", "over"]);
    assert_eq!(cut(&removed), &json!(1), "{removed}");
    stream.read_to_end(&mut Vec::new()).unwrap();
    assert_eq!(server.stop(), 0);
}

#[test]
fn each_node_of_a_fleet_ends_its_own_and_says_how_much() {
    let cluster = testkit::postgres();
    let (first, second) = (Scratch::new(), Scratch::new());
    let fleet = fleet([first.path(), second.path()], &cluster.create_database(), &upstream());
    let key = fleet.key.trim_start_matches("Bearer ");
    let here = open(&fleet.one, key);
    let (there, more) = (open(&fleet.two, key), open(&fleet.two, key));
    assert_eq!((listed(&fleet.one, &[]).len(), listed(&fleet.two, &[]).len()), (1, 2));
    let node = |server: &Server| listed(server, &[])[0]["node"].as_str().unwrap().to_owned();
    let (one, two) = (node(&fleet.one), node(&fleet.two));
    let revoked = fleet.revoke();
    let count = |name: &str| {
        let receipts = revoked["receipts"].as_array().unwrap();
        let receipt = receipts.iter().find(|receipt| receipt["node"] == name);
        receipt.unwrap_or_else(|| panic!("{name} in {revoked}"))["streams_cut"].as_u64()
    };
    assert_eq!((count(&one), count(&two)), (Some(1), Some(2)), "{revoked}");
    for mut stream in [here, there, more] {
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
        assert_eq!(rest, b"");
    }
    assert_eq!((fleet.one.stop(), fleet.two.stop()), (0, 0));
}

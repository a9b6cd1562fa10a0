//! kill -9 at any moment: what was acknowledged is there, and the chain holds.

use std::sync::Mutex;

use crate::support::{Scratch, Server, Upstream};

const ROUNDS: usize = 3;

/// What the server acknowledged before it was killed.
#[derive(Default)]
struct Acknowledged {
    keys: Vec<String>,
    revoked: Vec<String>,
}

/// Gives and takes access until the server is gone.
fn work(server: &Server, round: usize, acknowledged: &Mutex<Acknowledged>) {
    for number in 0.. {
        let name = format!("svc-{round}-{number}");
        let issued =
            server.cli(&["key", "issue", &name, "--api", "orders", "--can", "all", "--json"]);
        if issued.status != 0 {
            return;
        }
        let issued = issued.json();
        let id = |value: &serde_json::Value| value["id"].as_str().unwrap().to_owned();
        acknowledged.lock().unwrap().keys.push(id(&issued));
        let grant = id(&issued["grant"]);
        let revoked = server.cli(&["grant", "revoke", &grant, "--reason", "test", "--json"]);
        if revoked.status != 0 {
            return;
        }
        acknowledged.lock().unwrap().revoked.push(grant);
    }
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let (scratch, upstream) = (Scratch::new(), Upstream::start());
    let acknowledged = Mutex::new(Acknowledged::default());
    let mut server = Server::fresh(scratch.path());
    let token = server.token().to_owned();
    server.json(&["api", "add", "orders", "--path", "/orders", "--upstream", &upstream.url]);
    for round in 0..ROUNDS {
        let enough = || acknowledged.lock().unwrap().keys.len() > round * 2;
        std::thread::scope(|scope| {
            let worker = scope.spawn(|| work(&server, round, &acknowledged));
            crate::support::eventually(enough, || "no key was issued".to_owned());
            server.signal("KILL");
            worker.join().unwrap();
        });
        server.kill();
        server = Server::serve(scratch.path(), &token);
        check(&server, &acknowledged.lock().unwrap());
    }
}

#[test]
fn a_file_that_may_not_grow_ends_no_server() {
    let (scratch, upstream) = (Scratch::new(), Upstream::start());
    let server = Server::fresh(scratch.path());
    server.signal("XFSZ");
    server.json(&["api", "add", "orders", "--path", "/orders", "--upstream", &upstream.url]);
    assert_eq!(server.stop(), 0);
}

fn check(server: &Server, acknowledged: &Acknowledged) {
    let keys = server.json(&["key", "list"]);
    let ids: Vec<_> = keys.as_array().unwrap().iter().map(|key| key["id"].clone()).collect();
    for id in &acknowledged.keys {
        assert!(ids.contains(&serde_json::json!(id)), "key {id} is gone");
    }
    for id in &acknowledged.revoked {
        assert_eq!(server.json(&["grant", "show", id])["status"], "revoked", "{id}");
    }
    assert_eq!(server.json(&["status"])["ledger"]["intact"], true);
}

//! `init`, `serve`, `doctor`: from nothing to a running installation.

use crate::assert_seen;
use crate::support::{Scratch, Server, run};

#[test]
fn init_leaves_an_installation_that_is_there_alone() {
    let scratch = Scratch::new();
    let first = run(scratch.path(), &["init", "--state", "s", "--upstream", "http://127.0.0.1:9"]);
    assert_seen!("init", first.seen());
    let file = std::fs::read_to_string(scratch.path().join("s/portreeve.toml")).unwrap();
    assert_seen!("init_file", file);
    assert_seen!("init_again", run(scratch.path(), &["init", "--state", "s"]).seen());
}

#[test]
fn what_init_writes_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new();
    assert_eq!(run(scratch.path(), &["init", "--state", "s"]).status, 0);
    for name in
        ["s/portreeve.toml", "s/keys/pepper", "s/keys/signing", "config/portreeve/profile.toml"]
    {
        let mode = std::fs::metadata(scratch.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn doctor_says_what_is_wrong_and_how_to_fix_it() {
    let scratch = Scratch::new();
    let arguments = ["init", "--state", ".", "--port", "0", "--upstream", "http://127.0.0.1:1"];
    assert_eq!(run(scratch.path(), &arguments).status, 0);
    let ran = run(scratch.path(), &["doctor", "--json"]);
    assert_eq!(ran.status, 1);
    let found: Vec<serde_json::Value> = serde_json::from_str(&ran.stdout).unwrap();
    let outcome = |check: &str| {
        let finding = found.iter().find(|finding| finding["check"] == check);
        finding.unwrap_or_else(|| panic!("{check} in {found:?}"))["outcome"].clone()
    };
    for check in ["clock", "configuration", "data", "keys", "database", "ledger", "decision log"] {
        assert_eq!(outcome(check), "ok", "{check}: {found:?}");
    }
    assert_eq!(outcome("upstream of main"), "failed");
}

#[test]
fn two_servers_cannot_share_their_data() {
    let scratch = Scratch::new();
    let _server = Server::fresh(scratch.path());
    let ran = run(scratch.path(), &["serve", "--config", "state/portreeve.toml"]);
    assert_seen!("serve_twice", ran.seen());
}

#[test]
fn machines_can_watch_it() {
    let scratch = Scratch::new();
    let server = Server::fresh(scratch.path());
    assert_eq!(server.console().get("/livez", &[]).status, 200);
    let ready = server.console().get("/readyz?verbose", &[]);
    assert_eq!((ready.status, ready.body.contains("[+] store ok")), (200, true), "{}", ready.body);
    server.proxy().get("/nowhere", &[]);
    let metrics = server.console().get("/metrics", &[]).body;
    let line = "portreeve_requests_total{api=\"\",outcome=\"refused\",reason=\"unknown_api\"} 1";
    assert!(metrics.contains(line), "{metrics}");
}

#[test]
fn a_stop_is_orderly() {
    let scratch = Scratch::new();
    assert_eq!(Server::fresh(scratch.path()).stop(), 0);
}

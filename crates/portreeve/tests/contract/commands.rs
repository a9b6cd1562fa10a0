//! The command line's contract: exit codes, help, errors, and the JSON that scripts rely on.

use serde_json::Value;

use crate::assert_seen;
use crate::support::{Scratch, Server, Upstream, command, finished, run};

#[test]
fn a_mistake_on_the_command_line_is_usage() {
    let scratch = Scratch::new();
    assert_seen!("usage_unknown_verb", run(scratch.path(), &["grant", "take"]).seen());
    let missing = run(scratch.path(), &["grant", "revoke", "g_1"]);
    assert_seen!("usage_missing_reason", missing.seen());
}

#[test]
fn a_server_that_is_not_there_is_unreachable() {
    let scratch = Scratch::new();
    let mut command = command(scratch.path());
    let ran = finished(command.args(["api", "list"]).env("PORTREEVE_URL", "http://127.0.0.1:1"));
    assert_eq!(ran.status, 5);
    assert_seen!("unreachable", ran.seen().replace("127.0.0.1:1", "127.0.0.1:<nobody>"));
}

#[test]
fn the_help_is_the_tree_of_nouns() {
    let scratch = Scratch::new();
    assert_seen!("help", run(scratch.path(), &["--help"]).seen());
    let nouns = [
        "api", "identity", "key", "grant", "call", "stream", "finding", "review", "evidence",
        "config",
    ];
    let verbs: String =
        nouns.iter().map(|noun| run(scratch.path(), &[noun, "--help"]).stdout).collect();
    assert_seen!("help_nouns", verbs);
}

#[test]
fn completions_and_man_pages_come_from_the_same_definition() {
    let scratch = Scratch::new();
    for shell in ["bash", "zsh", "fish"] {
        let ran = run(scratch.path(), &["completions", shell]);
        assert_eq!(ran.status, 0, "{shell}");
        assert!(ran.stdout.contains("evidence"), "{shell}");
    }
    let ran = run(scratch.path(), &["man", "pages"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert!(scratch.path().join("pages/portreeve-grant-revoke.1").exists());
}

#[test]
fn who_is_not_signed_in_and_who_may_not_get_the_same_exit_code() {
    let scratch = Scratch::new();
    let server = Server::fresh(scratch.path());
    assert_seen!("not_signed_in", server.cli_as("", &["api", "list"]).seen());
    assert_seen!("bad_token", server.cli_as("pr_admin_wrong", &["api", "list"]).seen());
}

/// The members that the scripting contract names, in every object that a command prints.
fn has(value: &Value, members: &[&str]) {
    let objects = match value {
        Value::Array(items) => {
            assert!(!items.is_empty());
            items.clone()
        }
        object => vec![object.clone()],
    };
    for object in objects {
        for member in members {
            assert!(object.get(member).is_some(), "`{member}` in {object}");
        }
    }
}

#[test]
fn json_has_the_members_that_scripts_rely_on() {
    let scratch = Scratch::new();
    let server = Server::fresh(scratch.path());
    let upstream = Upstream::start();
    scratch.write("orders.yaml", include_str!("orders.yaml"));
    has(&server.ready, &["proxy", "console"]);
    let add = [
        "api",
        "add",
        "orders",
        "--path",
        "/orders",
        "--upstream",
        &upstream.url,
        "--openapi",
        "orders.yaml",
        "--owner",
        "ada",
        "--impact",
        "high",
        "--mode",
        "enforce",
    ];
    has(&server.json(&add)["operations"], &["id", "method", "path", "impact"]);
    has(&server.json(&["api", "list"]), &["id", "name", "path", "mode", "impact", "owner"]);
    let shown = server.json(&["api", "show", "orders"]);
    has(&shown["operations"], &["id", "method", "path", "impact"]);
    has(
        &server.json(&["identity", "add", "svc", "--kind", "service_account", "--owner", "ada"]),
        &["id"],
    );
    let key = server.json(&["key", "issue", "svc", "--for", "1h"]);
    has(&key, &["id", "key"]);
    let grant = server.json(&["grant", "give", "svc", "--api", "orders", "--can", "read"]);
    has(&grant, &["id"]);
    let id = grant["id"].as_str().unwrap();
    assert!(server.json(&["grant", "suggest"]).is_array());
    assert!(server.json(&["finding", "list"]).is_array());
    assert!(server.json(&["stream", "list"]).is_array());
    assert!(server.json(&["review", "list"]).is_array());
    let revoked = server.json(&["grant", "revoke", id, "--reason", "done with it"]);
    has(&revoked, &["change", "receipts"]);
    has(&revoked["receipts"], &["node", "since", "streams_cut"]);
    has(&server.json(&["key", "revoke", key["id"].as_str().unwrap()]), &["change", "receipts"]);
}

#[test]
fn people_get_tables_and_the_next_step() {
    let scratch = Scratch::new();
    let server = Server::fresh(scratch.path());
    let mut seen = String::new();
    let mut step = |arguments: &[&str]| {
        let ran = server.cli(arguments);
        seen.push_str(&format!("$ portreeve {}\n{}\n", arguments.join(" "), ran.seen()));
    };
    step(&["api", "list"]);
    step(&["api", "add", "orders", "--path", "/orders", "--upstream", "http://127.0.0.1:9"]);
    step(&["api", "add", "orders", "--path", "/orders", "--upstream", "http://127.0.0.1:9"]);
    step(&["api", "show", "ordres"]);
    step(&["identity", "add", "svc", "--kind", "service_account", "--owner", "nobody"]);
    step(&["identity", "add", "svc", "--kind", "service_account", "--owner", "ada"]);
    step(&["key", "issue", "svc", "--api", "orders", "--can", "all", "--for", "1h"]);
    step(&["key", "list"]);
    step(&["grant", "list"]);
    step(&["grant", "show", "g_none"]);
    step(&["review", "start", "nothing"]);
    step(&["status"]);
    assert_seen!("people", seen);
}

#[test]
fn an_auditor_gets_a_token_and_a_person_a_link_that_works_once() {
    let scratch = Scratch::new();
    let server = Server::fresh(scratch.path());
    server.json(&["identity", "add", "otto", "--kind", "person"]);
    let token = server.json(&["identity", "token", "otto", "--role", "auditor"]);
    let token = token["token"].as_str().unwrap();
    let refused =
        server.cli_as(token, &["identity", "add", "x", "--kind", "workload", "--owner", "ada"]);
    assert_eq!(refused.status, 4, "{}", refused.seen());
    assert_eq!(server.cli_as(token, &["identity", "list"]).status, 0);
    let link = server.json(&["identity", "sign-in", "otto"]);
    let link = link["link"].as_str().unwrap();
    let (_, path) = link.split_once("/?").unwrap();
    let signs_in = || {
        let answer = server.console().get(&format!("/?{path}"), &[]);
        answer.head.to_lowercase().contains("set-cookie: portreeve=")
    };
    assert!(signs_in());
    assert!(!signs_in());
}

#[test]
fn an_administrator_moves_the_end_of_a_review_and_gives_it_up() {
    let scratch = Scratch::new();
    let server = Server::demo(scratch.path());
    let before = server.json(&["review", "status", "machines"])["deadline"].clone();
    let refused = server.cli(&["review", "extend", "machines", "--days", "1"]);
    assert_eq!(refused.status, 3, "{}", refused.stderr);
    let extended = server.json(&["review", "extend", "machines", "--days", "60"]);
    assert!(extended["deadline"].as_str() > before.as_str(), "{extended}");
    let cancelled = server.json(&["review", "cancel", "machines", "--reason", "started too early"]);
    assert_eq!(cancelled["state"], "CANCELLED");
    assert_eq!(server.cli(&["review", "sign", "machines"]).status, 1);
    assert_eq!(server.stop(), 0);
}

#[test]
fn groups_and_tokens_are_kept_from_the_command_line() {
    let scratch = Scratch::new();
    let server = Server::fresh(scratch.path());
    server.json(&["identity", "add", "kim", "--kind", "person"]);
    let group = server.json(&["group", "set", "platform", "--members", "ada,kim"]);
    assert_eq!(group["members"], serde_json::json!(["ada", "kim"]));
    let refused = server.cli(&["group", "set", "platform", "--members", "ada,kym"]);
    assert!(refused.stderr.contains("did you mean `kim`?"), "{}", refused.stderr);
    assert_eq!(server.json(&["group", "list"])[0]["id"], "platform");

    let issued = server.json(&["identity", "token", "kim", "--role", "auditor"]);
    let token = issued["token"].as_str().unwrap().to_owned();
    let asks = |token: &str| {
        let bearer = format!("Bearer {token}");
        server.console().get("/api/v1/whoami", &[("authorization", bearer.as_str())]).status
    };
    assert_eq!(asks(&token), 200);
    let tokens = server.json(&["identity", "tokens"]);
    let of_kim = tokens.as_array().unwrap().iter().find(|row| row["identity_id"] == "kim").unwrap();
    let id = of_kim["id"].as_str().unwrap();
    server.json(&["identity", "revoke-token", id, "--reason", "lost"]);
    assert_eq!(asks(&token), 401);
    assert_eq!(server.stop(), 0);
}

#[test]
fn an_identity_says_how_seldom_it_works() {
    let scratch = Scratch::new();
    let server = Server::fresh(scratch.path());
    let add = ["identity", "add", "audit-export", "--kind", "workload", "--owner", "ada"];
    let added = server.json(&[&add, &["--seasonality", "annual"][..]].concat());
    assert_eq!(added["seasonality"], "annual");
}

//! How long the gate waits for an upstream.

use std::net::TcpListener;

use crate::support::{Scratch, Server, run};

const TABLE: &str = "[[api]]\nname = \"slow\"\npath = \"/slow\"\nmode = \"observe\"\n";

#[test]
fn a_timeout_that_is_none_is_refused_with_its_place() {
    let scratch = Scratch::new();
    let upstream = "upstream = \"http://127.0.0.1:9\"\n";
    for (timeouts, what) in [
        ("{ response = \"0s\" }", "0ms is no timeout"),
        ("{ idle = \"2h\" }", "2h is no timeout"),
        ("{ connect = \"soon\" }", "soon"),
        ("{ connect = 5 }", "must be a duration"),
        ("{ respond = \"5s\" }", "did you mean `response`?"),
        ("\"5s\"", "must be a table"),
    ] {
        scratch.write("portreeve.toml", &format!("{TABLE}{upstream}timeouts = {timeouts}\n"));
        let ran = run(scratch.path(), &["config", "check"]);
        assert_eq!(ran.status, 2, "{timeouts}");
        assert!(ran.stderr.contains(what), "{timeouts}: {}", ran.stderr);
        assert!(ran.stderr.contains("portreeve.toml:6:"), "{timeouts}: {}", ran.stderr);
    }
    let explained = run(scratch.path(), &["config", "explain", "api.timeouts.response"]);
    assert!(explained.stdout.contains("default  60s"), "{}", explained.stdout);
}

#[test]
fn the_command_line_sets_what_the_gate_keeps_to() {
    let scratch = Scratch::new();
    let server = Server::fresh(scratch.path());
    // Takes connections into its queue, and never answers one.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let add = ["api", "add", "slow", "--path", "/slow", "--upstream", &url];
    let refused = server.cli(&[&add, &["--timeout-response", "3h"][..]].concat());
    assert_eq!(refused.status, 3, "{}", refused.stderr);
    assert!(refused.stderr.contains("timeouts.response"), "{}", refused.stderr);
    server.json(&[&add, &["--mode", "observe", "--timeout-response", "250ms"][..]].concat());
    let shown = server.json(&["api", "show", "slow"]);
    let timeouts = serde_json::json!({"connect": "5s", "response": "250ms", "idle": "1m"});
    assert_eq!(shown["timeouts"], timeouts, "{shown}");
    let issued = server.json(&["key", "issue", "svc", "--api", "slow", "--can", "all"]);
    let bearer = format!("Bearer {}", issued["key"].as_str().unwrap());
    // The reader of the test gives up after 30 s, the default of the gate is 60 s.
    let answer = server.proxy().get("/slow/1", &[("authorization", bearer.as_str())]);
    let reason = answer.json()["reason"].clone();
    assert_eq!((answer.status, reason.as_str()), (504, Some("upstream_timeout")));
}

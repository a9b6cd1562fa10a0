//! Who is taken for the caller when a proxy stands in front.

use crate::support::{Scratch, Server, configure, installed};

/// The address that a call is recorded with, of a caller that says it comes from elsewhere.
fn recorded_source(trusted: &str) -> String {
    let scratch = Scratch::new();
    let token = installed(scratch.path(), &[]);
    configure(scratch.path(), trusted, "");
    let server = Server::serve(scratch.path(), &token);
    let forwarded = ("x-forwarded-for", "198.51.100.1, 203.0.113.9");
    assert_eq!(server.proxy().get("/nothing", &[forwarded]).status, 404);
    let calls = server.json(&["call", "search", "--since", "1h"]);
    calls[0]["source_ip"].as_str().unwrap().to_owned()
}

#[test]
fn row_9_only_a_proxy_that_is_trusted_says_who_calls() {
    assert_eq!(recorded_source(""), "127.0.0.1");
    assert_eq!(recorded_source("trusted-proxies = [\"10.0.0.0/8\"]"), "127.0.0.1");
    assert_eq!(recorded_source("trusted-proxies = [\"127.0.0.0/8\"]"), "203.0.113.9");
}

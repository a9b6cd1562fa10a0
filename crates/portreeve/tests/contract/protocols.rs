//! How upstreams are spoken to, and operations that no document describes.

use serde_json::json;

use crate::support::{Scratch, Server, run};

const TABLE: &str = "[[api]]\nname = \"shop\"\npath = \"/shop.Orders\"\n\
                     upstream = \"http://127.0.0.1:9\"\n";

#[test]
fn what_is_no_protocol_and_no_operation_is_refused_with_its_place() {
    let scratch = Scratch::new();
    for (line, what) in [
        ("protocol = \"h3\"", "`protocol` cannot be \"h3\""),
        ("protocol = 2", "must be text"),
        ("operations = [\"/shop.Orders/Get\", \"Get\"]", "it has no path"),
        ("operations = [\"/other.Orders/Get\"]", "not under the API's path"),
        ("operations = \"/shop.Orders/Get\"", "must be a list"),
        ("operations = [\"/shop.Orders/Get\"]\nopenapi = \"x.yaml\"", "leave one of them out"),
        ("timeouts = { call = \"0s\" }", "0ms is no timeout"),
    ] {
        scratch.write("portreeve.toml", &format!("{TABLE}{line}\n"));
        let ran = run(scratch.path(), &["config", "check"]);
        assert_eq!(ran.status, 2, "{line}");
        assert!(ran.stderr.contains(what), "{line}: {}", ran.stderr);
        assert!(ran.stderr.contains("portreeve.toml:5:"), "{line}: {}", ran.stderr);
    }
    let sound = format!("{TABLE}protocol = \"h2\"\noperations = [\"/shop.Orders/Get\"]\n");
    scratch.write("portreeve.toml", &sound);
    let explained = run(scratch.path(), &["config", "explain", "api.protocol"]);
    assert!(explained.stdout.contains("default  h1"), "{}", explained.stdout);
}

#[test]
fn a_grpc_service_is_declared_by_its_methods() {
    let scratch = Scratch::new();
    let server = Server::fresh(scratch.path());
    let add = ["api", "add", "shop", "--path", "/shop.Orders", "--upstream", "http://127.0.0.1:9"];
    let refused = server.cli(&[&add, &["--operations", "/other.Orders/Get"][..]].concat());
    assert_eq!(refused.status, 3, "{}", refused.stderr);
    assert!(refused.stderr.contains("operations[0]"), "{}", refused.stderr);
    let more = ["--protocol", "h2", "--operations", "/shop.Orders/Watch,/shop.Orders/Get"];
    let more = [&more[..], &["--timeout-call", "30s"]].concat();
    let added = server.json(&[&add[..], &more].concat());
    let call = &added["timeouts"]["call"];
    assert_eq!((&added["protocol"], call), (&json!("h2"), &json!("30s")), "{added}");
    let operations = added["operations"].as_array().unwrap();
    let seen: Vec<_> =
        operations.iter().map(|op| (&op["id"], &op["method"], &op["path"])).collect();
    let (get, watch) = (json!("shop.Orders/Get"), json!("shop.Orders/Watch"));
    let (post, get_path, watch_path) =
        (json!("POST"), json!("/shop.Orders/Get"), json!("/shop.Orders/Watch"));
    assert_eq!(seen, [(&get, &post, &get_path), (&watch, &post, &watch_path)]);
    server.json(&["identity", "add", "svc", "--kind", "service_account"]);
    let given = server.json(&["grant", "give", "svc", "--api", "shop", "--can", "shop.Orders/Get"]);
    assert_eq!(given["operations"], json!(["shop.Orders/Get"]), "{given}");
    assert_eq!(server.json(&["api", "list"])[0]["protocol"], json!("h2"));
    let shown = server.cli(&["api", "show", "shop"]);
    assert!(shown.stdout.contains("http://127.0.0.1:9 (h2)"), "{}", shown.stdout);
}

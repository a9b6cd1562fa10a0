//! Errors in the configuration file as they are printed, and the commands around the file.

use crate::assert_seen;
use crate::support::{Scratch, run};

fn check(text: &str) -> String {
    let scratch = Scratch::new();
    scratch.write("portreeve.toml", text);
    run(scratch.path(), &["config", "check"]).seen()
}

const API: &str =
    "[[api]]\nname = \"orders\"\npath = \"/orders\"\nupstream = \"http://127.0.0.1:9\"\n";

#[test]
fn an_unknown_key_is_an_error_with_the_nearest_name() {
    assert_seen!("config_unknown_key", check(&format!("{API}ownr = \"robin\"\n")));
}

#[test]
fn a_value_of_the_wrong_type_is_an_error() {
    assert_seen!("config_wrong_type", check("durable = \"yes\"\nlisten = 8443\n"));
}

#[test]
fn a_secret_in_the_file_itself_is_an_error() {
    let text = "database = \"postgres://portreeve:hunter2@db/portreeve\"\n";
    assert_seen!("config_literal_secret", check(text));
}

#[test]
fn an_address_beyond_loopback_needs_tls() {
    assert_seen!("config_no_tls", check("listen = \"0.0.0.0:8443\"\n"));
}

#[test]
fn broken_toml_is_shown_with_its_place() {
    assert_seen!("config_bad_toml", check("listen = \"127.0.0.1:8443\nconsole = 1\n"));
}

#[test]
fn a_missing_document_is_found_before_a_start() {
    assert_seen!("config_no_document", check(&format!("{API}openapi = \"gone.yaml\"\n")));
}

#[test]
fn a_broken_document_names_its_line() {
    let scratch = Scratch::new();
    scratch.write("portreeve.toml", &format!("{API}openapi = \"orders.yaml\"\n"));
    scratch.write("orders.yaml", "openapi: 3.1.0\npaths:\n  /orders: [\n");
    assert_seen!("config_bad_document", run(scratch.path(), &["config", "check"]).seen());
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let scratch = Scratch::new();
    assert_seen!("config_no_file", run(scratch.path(), &["serve"]).seen());
}

#[test]
fn errors_have_a_form_for_scripts() {
    let scratch = Scratch::new();
    scratch.write("portreeve.toml", "lisen = 1\n");
    let ran = run(scratch.path(), &["config", "check", "--json"]);
    assert_eq!(ran.status, 2);
    let value: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(value["errors"][0]["line"], 1);
    assert_eq!(value["errors"][0]["hint"], "did you mean `listen`?");
}

#[test]
fn a_valid_file_is_shown_with_its_defaults_and_explained() {
    let scratch = Scratch::new();
    scratch.write("portreeve.toml", API);
    assert_seen!("config_check", run(scratch.path(), &["config", "check"]).seen());
    assert_seen!("config_show", run(scratch.path(), &["config", "show"]).seen());
    assert_seen!("config_explain", run(scratch.path(), &["config", "explain"]).seen());
    let one = run(scratch.path(), &["config", "explain", "api.upstream"]);
    assert_seen!("config_explain_key", one.seen());
    let none = run(scratch.path(), &["config", "explain", "api.upstraem"]);
    assert_seen!("config_explain_unknown", none.seen());
}

#[test]
fn serve_refuses_a_bad_file_with_usage() {
    let scratch = Scratch::new();
    let file = scratch.write("bad.toml", "durable = 1\n");
    let ran = run(scratch.path(), &["serve", "--config", file.to_str().unwrap()]);
    assert_seen!("serve_bad_file", ran.seen());
}

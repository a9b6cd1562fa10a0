//! What changes while it runs: revocations, and the configuration file.

use std::path::Path;

use crate::support::{Scratch, Server, Upstream};

fn add_api(scratch: &Scratch, server: &Server, upstream: &str) {
    scratch.write("orders.yaml", include_str!("orders.yaml"));
    server.json(&[
        "api",
        "add",
        "orders",
        "--path",
        "/orders",
        "--upstream",
        upstream,
        "--openapi",
        "orders.yaml",
    ]);
}

#[test]
fn a_revoked_grant_refuses_the_next_request_on_an_open_connection() {
    let (scratch, upstream) = (Scratch::new(), Upstream::start());
    let server = Server::fresh(scratch.path());
    add_api(&scratch, &server, &upstream.url);
    let issued = server.json(&["key", "issue", "svc", "--api", "orders", "--can", "read"]);
    let bearer = format!("Bearer {}", issued["key"].as_str().unwrap());
    let headers = [("authorization", bearer.as_str())];
    let mut connection = server.proxy();
    assert_eq!(connection.get("/orders/42", &headers).status, 200);
    let grant = issued["grant"]["id"].as_str().unwrap();
    server.json(&["grant", "revoke", grant, "--reason", "over"]);
    let refused = connection.get("/orders/42", &headers);
    assert_eq!((refused.status, refused.json()["reason"].as_str()), (403, Some("no_grant")));
    server.json(&["key", "revoke", issued["id"].as_str().unwrap()]);
    let refused = connection.get("/orders/42", &headers);
    assert_eq!(
        (refused.status, refused.json()["reason"].as_str()),
        (401, Some("credential_revoked"))
    );
}

fn edit(file: &Path, change: impl FnOnce(String) -> String) {
    let text = std::fs::read_to_string(file).unwrap();
    std::fs::write(file, change(text)).unwrap();
}

fn names(server: &Server) -> Vec<String> {
    let apis = server.json(&["api", "list"]);
    apis.as_array().unwrap().iter().map(|api| api["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_file_maintains_its_own_apis_and_a_broken_one_changes_nothing() {
    let (scratch, upstream) = (Scratch::new(), Upstream::start());
    let server = Server::fresh(scratch.path());
    let file = scratch.path().join("state/portreeve.toml");
    add_api(&scratch, &server, &upstream.url);
    let before = std::fs::read_to_string(&file).unwrap();
    let table = |name: &str| {
        format!(
            "\n[[api]]\nname = \"{name}\"\npath = \"/{name}\"\nupstream = \"{}\"\n",
            upstream.url
        )
    };
    edit(&file, |text| text + &table("users") + &table("stock"));
    server.signal("HUP");
    server.wait_for_log("reloaded");
    assert_eq!(names(&server), ["orders", "stock", "users"]);

    edit(&file, |text| text + "\n[[api]\n");
    server.signal("HUP");
    server.wait_for_log("not valid TOML");
    edit(&file, |_| before.clone() + &table("users") + "openapi = \"broken.yaml\"\n");
    std::fs::write(scratch.path().join("state/broken.yaml"), "openapi: 3.1.0\npaths: 7\n").unwrap();
    server.signal("HUP");
    server.wait_for_log("broken.yaml");
    assert_eq!(names(&server), ["orders", "stock", "users"]);
    assert_eq!(server.proxy().get("/users/1", &[]).status, 401);

    edit(&file, |_| before.clone() + &table("users"));
    assert_eq!(server.cli(&["config", "diff", "--config", file.to_str().unwrap()]).status, 2);
    server.signal("HUP");
    crate::support::eventually(|| names(&server) == ["orders", "users"], || server.log());
    let diff = || server.cli(&["config", "diff", "--config", file.to_str().unwrap()]);
    assert_eq!(diff().status, 0);
    edit(&file, |text| text + "\n[[review]]\nname = \"all\"\nfallback = \"ada\"\n");
    assert_eq!((diff().status, diff().stdout.as_str()), (2, "create review all\n"));
    assert_eq!(server.proxy().get("/stock/1", &[]).status, 404);
}

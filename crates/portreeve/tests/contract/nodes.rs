//! Two servers on one PostgreSQL database, which goes away and comes back.

use std::path::Path;

use serde_json::Value;

use crate::support::{Connection, Scratch, Server, Upstream, eventually, installed};

/// Two nodes of one installation, and a caller who may read orders.
pub(crate) struct Fleet {
    pub(crate) one: Server,
    pub(crate) two: Server,
    pub(crate) key: String,
    pub(crate) grant: String,
}

pub(crate) fn fleet(homes: [&Path; 2], database: &str, upstream: &str) -> Fleet {
    let [first, second] = homes;
    let token = installed(first, &["--database", database]);
    // The nodes of one installation have the same keys.
    std::fs::create_dir_all(second.join("state/keys")).unwrap();
    for name in ["state/keys/pepper", "state/keys/signing"] {
        std::fs::copy(first.join(name), second.join(name)).unwrap();
    }
    installed(second, &["--database", database]);
    let (one, two) = (Server::serve(first, &token), Server::serve(second, &token));
    let document = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/contract/orders.yaml");
    let add = ["api", "add", "orders", "--path", "/orders", "--upstream", upstream];
    one.json(&[&add, &["--openapi", document][..]].concat());
    let issued = one.json(&["key", "issue", "svc", "--api", "orders", "--can", "read"]);
    let key = format!("Bearer {}", issued["key"].as_str().unwrap());
    let grant = issued["grant"]["id"].as_str().unwrap().to_owned();
    Fleet { one, two, key, grant }
}

impl Fleet {
    fn status(&self, connection: &mut Connection) -> u16 {
        connection.get("/orders/42", &[("authorization", self.key.as_str())]).status
    }

    fn give(&mut self) {
        let given = self.one.json(&["grant", "give", "svc", "--api", "orders", "--can", "read"]);
        self.grant = given["id"].as_str().unwrap().to_owned();
    }

    fn wait_for_both(&self) {
        for node in [&self.one, &self.two] {
            eventually(|| self.status(&mut node.proxy()) == 200, || node.log());
        }
    }

    pub(crate) fn revoke(&self) -> Value {
        self.one.json(&["grant", "revoke", &self.grant, "--reason", "over"])
    }

    fn assert_refused_everywhere_at_once(&self, open: &mut Connection) {
        let changed = self.revoke();
        assert_eq!(self.status(open), 403, "{changed}");
        let receipts = changed["receipts"].as_array().unwrap();
        let mut nodes: Vec<_> = receipts.iter().map(|receipt| receipt["node"].as_str()).collect();
        nodes.dedup();
        assert_eq!(nodes.len(), 2, "{changed}");
        assert_eq!(self.status(&mut self.one.proxy()), 403);
    }

    fn admin(&self, method: &str, path: &str, body: &str) -> crate::support::Answer {
        let bearer = format!("Bearer {}", self.one.token());
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        self.one.console().send(method, path, &headers, body)
    }
}

#[test]
fn a_revocation_at_one_node_holds_at_the_other_when_it_returns() {
    let cluster = testkit::postgres();
    let (first, second, upstream) = (Scratch::new(), Scratch::new(), Upstream::start());
    let fleet = fleet([first.path(), second.path()], &cluster.create_database(), &upstream.url);
    fleet.wait_for_both();
    let mut open = fleet.two.proxy();
    assert_eq!(fleet.status(&mut open), 200);
    fleet.assert_refused_everywhere_at_once(&mut open);
    assert_eq!((fleet.one.stop(), fleet.two.stop()), (0, 0));
}

/// A change that takes the caller's grant away, in a file.
fn removal(home: &Path, grant: &str) -> String {
    let file = home.join("change.toml");
    std::fs::write(&file, format!("why = \"tidy up\"\nrevoke = [\"{grant}\"]\n")).unwrap();
    file.display().to_string()
}

#[test]
fn a_rollout_is_taken_back_on_every_node_by_what_they_refuse_together() {
    let cluster = testkit::postgres();
    let (first, second, upstream) = (Scratch::new(), Scratch::new(), Upstream::start());
    let fleet = fleet([first.path(), second.path()], &cluster.create_database(), &upstream.url);
    fleet.wait_for_both();
    let file = removal(first.path(), &fleet.grant);
    let none = fleet.one.cli(&["policy", "rollout"]);
    assert_ne!(none.status, 0);
    let shadow = fleet.one.json(&["policy", "publish", &file, "--shadow", "--bound", "3"]);
    assert_eq!(shadow["receipt"]["receipts"].as_array().unwrap().len(), 2, "{shadow}");
    for node in [&fleet.one, &fleet.two] {
        assert_eq!(fleet.status(&mut node.proxy()), 200);
    }
    let differs = |by: &str, calls: u64| {
        let shown = fleet.two.json(&["policy", "rollout"]);
        let rows = shown["differences"].as_array().unwrap();
        let sum = rows.iter().filter(|row| row["governed_by"] == by);
        sum.map(|row| row["calls"].as_u64().unwrap()).sum::<u64>() >= calls
    };
    eventually(|| differs("present", 2), || fleet.two.log());

    fleet.one.json(&["policy", "rollout", "advance", "--share", "100", "--why", "quiet"]);
    for node in [&fleet.one, &fleet.two] {
        // Two each: neither passes the bound of three alone.
        assert_eq!(fleet.status(&mut node.proxy()), 403);
        assert_eq!(fleet.status(&mut node.proxy()), 403);
    }
    fleet.wait_for_both();
    let ended = fleet.one.json(&["policy", "rollout"]);
    assert_eq!(ended["stage"], "returned", "{ended}");
    assert_eq!(ended["steps"][2]["by"], "system:rollout", "{ended}");
    let over = fleet.two.cli(&["policy", "rollout", "advance", "--all"]);
    assert_ne!(over.status, 0);
    assert!(over.stderr.contains("is over"), "{}", over.stderr);
    assert_eq!((fleet.one.stop(), fleet.two.stop()), (0, 0));
}

#[test]
fn without_its_database_a_node_stops_a_rollout_by_its_own_count() {
    let mut cluster = testkit::private_postgres();
    let (first, second, upstream) = (Scratch::new(), Scratch::new(), Upstream::start());
    let fleet = fleet([first.path(), second.path()], &cluster.create_database(), &upstream.url);
    fleet.wait_for_both();
    let file = removal(first.path(), &fleet.grant);
    fleet.one.json(&["policy", "publish", &file, "--share", "100", "--bound", "3"]);
    assert_eq!(fleet.status(&mut fleet.one.proxy()), 403);
    cluster.stop();
    let mut open = fleet.one.proxy();
    (0..3).for_each(|_| assert_eq!(fleet.status(&mut open), 403));
    eventually(|| fleet.status(&mut fleet.one.proxy()) == 200, || fleet.one.log());
    // The other node has refused nobody, and goes on.
    assert_eq!(fleet.status(&mut fleet.two.proxy()), 403);
    cluster.start();
    fleet.wait_for_both();
    eventually(
        || fleet.one.json(&["policy", "rollout"])["stage"] == "returned",
        || fleet.one.log(),
    );
    assert_eq!((fleet.one.stop(), fleet.two.stop()), (0, 0));
}

#[test]
fn without_its_database_the_gate_serves_and_changes_are_refused() {
    let mut cluster = testkit::private_postgres();
    let (first, second, upstream) = (Scratch::new(), Scratch::new(), Upstream::start());
    let mut fleet = fleet([first.path(), second.path()], &cluster.create_database(), &upstream.url);
    fleet.wait_for_both();
    let mut open = fleet.two.proxy();

    cluster.stop();
    for node in [&fleet.one, &fleet.two] {
        assert_eq!(fleet.status(&mut node.proxy()), 200, "{}", node.log());
        assert_eq!(node.proxy().get("/orders/42", &[]).status, 401);
    }
    let revoke = format!("/api/v1/grants/{}/revoke", fleet.grant);
    for (method, path, body) in
        [("GET", "/api/v1/grants", ""), ("POST", revoke.as_str(), "{\"reason\":\"over\"}")]
    {
        let answer = fleet.admin(method, path, body);
        let problem = answer.json();
        assert_eq!((answer.status, problem["reason"].as_str()), (503, Some("store_unavailable")));
        assert!(problem["hint"].as_str().unwrap().contains("database"), "{problem}");
    }
    let ran = fleet.one.cli(&["grant", "revoke", &fleet.grant, "--reason", "over"]);
    assert_eq!((ran.status, ran.stdout.as_str()), (1, ""), "{}", ran.stderr);
    assert!(ran.stderr.contains("hint:"), "{}", ran.stderr);
    assert_eq!(fleet.status(&mut open), 200);

    cluster.start();
    eventually(|| fleet.admin("GET", "/api/v1/grants", "").status == 200, || fleet.one.log());
    let calls = ["call", "search", "--outcome", "allowed", "--limit", "1000"];
    assert!(!fleet.one.json(&calls).as_array().unwrap().is_empty());
    // A second change shows that both follow the log again.
    fleet.revoke();
    eventually(|| fleet.status(&mut fleet.two.proxy()) == 403, || fleet.two.log());
    fleet.give();
    fleet.wait_for_both();
    fleet.assert_refused_everywhere_at_once(&mut open);
    assert_eq!((fleet.one.stop(), fleet.two.stop()), (0, 0));
}

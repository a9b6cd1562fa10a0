//! Limits, from the command line and the file to the caller, and over a kill.

use crate::support::{
    Answer, Connection, Scratch, Server, Upstream, configure, eventually, installed, run,
};

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/contract/orders.yaml");

/// A caller who may read orders; the value of its `Authorization`.
fn caller(server: &Server) -> String {
    let issued = server.json(&["key", "issue", "svc", "--api", "orders", "--can", "read"]);
    format!("Bearer {}", issued["key"].as_str().unwrap())
}

fn call(connection: &mut Connection, bearer: &str) -> Answer {
    connection.get("/orders/42", &[("authorization", bearer)])
}

fn field<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    let lines = answer.head.lines().skip(1);
    let mut fields = lines.filter_map(|line| line.split_once(": "));
    fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

#[test]
fn a_limit_that_is_none_is_refused_where_it_is_written() {
    let scratch = Scratch::new();
    let table = "[[api]]\nname = \"orders\"\npath = \"/orders\"\n\
                 upstream = \"http://127.0.0.1:9\"\nopenapi = \"orders.yaml\"\n";
    scratch.write("orders.yaml", include_str!("orders.yaml"));
    for (line, what, hint, place) in [
        ("limit = \"5/sec per caller\"", "`sec` is no unit of time", "did you mean `s`?", ":6:9"),
        ("limit = [\"5/s per caller\", \"5/s\"]", "does not say whose use", "add `per`", ":6:28"),
        ("limit = 5", "`limit` must be a limit, or a list of limits", "", ":6:9"),
        ("limit = [\"5/s per api\", \"6/s per api\"]", "limit the same", "keep one", ":6:9"),
        ("limits = \"5/s per api\"", "unknown key `limits`", "did you mean `limit`?", ":6:1"),
        ("costs = { getOrder = \"2\" }", "must be a table of whole numbers", "", ":6:22"),
        ("costs = { getOrdr = 2 }", "has a cost, but", "did you mean `getOrder`?", "costs"),
        (
            "limit = \"2/s per api\"\ncosts = { getOrder = 3 }",
            "can never pass",
            "burst 3",
            "limits",
        ),
    ] {
        scratch.write("portreeve.toml", &format!("{table}{line}\n"));
        let ran = run(scratch.path(), &["config", "check"]);
        assert_ne!(ran.status, 0, "{line}");
        for part in [what, hint, place] {
            assert!(ran.stderr.contains(part), "{line}: {part} in {}", ran.stderr);
        }
    }
    scratch.write("portreeve.toml", &format!("{table}\n[overload]\nin-flight = 0\n"));
    let ran = run(scratch.path(), &["config", "check"]);
    assert!(ran.stderr.contains("a gate must bear a request"), "{}", ran.stderr);
}

#[test]
fn commands_set_and_show_what_the_gate_holds_callers_to() {
    let (scratch, upstream) = (Scratch::new(), Upstream::start());
    let server = Server::fresh(scratch.path());
    let add = ["api", "add", "orders", "--path", "/orders", "--upstream", &upstream.url];
    let add = [&add, &["--openapi", DOCUMENT][..]].concat();
    let refused = server.cli(&[&add, &["--limit", "3/months per caller"][..]].concat());
    assert_eq!(refused.status, 3, "{}", refused.seen());
    for part in ["`months` is no unit of time", "--> limits", "did you mean `month`?"] {
        assert!(refused.stderr.contains(part), "{}", refused.stderr);
    }
    let limits = ["--limit", "8/month per caller", "--limit", "100/s per source"];
    server.json(&[&add, &limits[..], &["--cost", "getOrder=3"]].concat());
    let shown = server.cli(&["api", "show", "orders"]).stdout;
    assert!(shown.contains("limit 8/month per identity\nlimit 100/s per source\n"), "{shown}");
    let row = shown.lines().find(|line| line.starts_with("getOrder")).unwrap();
    assert_eq!(row.split_whitespace().nth(4), Some("3"), "{shown}");

    let (bearer, mut connection) = (caller(&server), server.proxy());
    for left in [5, 2] {
        let answer = call(&mut connection, &bearer);
        assert_eq!(answer.status, 200);
        let told = field(&answer, "ratelimit").unwrap();
        assert!(told.starts_with(&format!("\"per-identity-month\";r={left};t=")), "{told}");
    }
    let answer = call(&mut connection, &bearer);
    assert_eq!((answer.status, answer.json()["reason"].as_str()), (429, Some("quota_exceeded")));
    assert!(field(&answer, "retry-after").is_some(), "{}", answer.head);
    let metrics = server.console().get("/metrics", &[]).body;
    let counted = "portreeve_limit_refusals_total{api=\"orders\",limit=\"per-identity-month\"} 1";
    assert!(metrics.contains(counted), "{metrics}");

    // Used stays used; what is not named any more is not limited any more.
    server.json(&["api", "limit", "orders", "--limit", "10/month per caller"]);
    assert_eq!(call(&mut connection, &bearer).status, 200, "of ten, seven");
    server.json(&["api", "limit", "orders", "--none"]);
    let answer = call(&mut connection, &bearer);
    assert_eq!((answer.status, field(&answer, "ratelimit")), (200, None));
    let nothing = server.cli(&["api", "limit", "orders"]);
    assert_eq!(nothing.status, 3, "{}", nothing.seen());
}

#[test]
fn the_file_sets_limits_and_a_reload_changes_them() {
    let (scratch, upstream) = (Scratch::new(), Upstream::start());
    let token = installed(scratch.path(), &[]);
    let table = |limit: &str| {
        format!(
            "[[api]]\nname = \"orders\"\npath = \"/orders\"\nupstream = \"{}\"\n\
             openapi = \"{DOCUMENT}\"\nlimit = {limit}\ncosts = {{ listOrders = 5 }}\n",
            upstream.url
        )
    };
    let file = scratch.path().join("state/portreeve.toml");
    let before = std::fs::read_to_string(&file).unwrap();
    configure(scratch.path(), "", &table("\"1/month per caller burst\""));
    let wrong = run(scratch.path(), &["serve", "--config", file.to_str().unwrap()]);
    assert!(wrong.stderr.contains("nothing follows `burst`"), "{}", wrong.stderr);
    std::fs::write(&file, &before).unwrap();
    configure(scratch.path(), "", &table("\"9/month per caller\""));
    let server = Server::serve(scratch.path(), &token);
    let shown = server.json(&["api", "show", "orders"]);
    assert_eq!(shown["limits"], serde_json::json!(["9/month per identity"]));
    assert_eq!(shown["costs"], serde_json::json!({"listOrders": 5}));
    let config = file.to_str().unwrap();
    let same = server.cli(&["config", "diff", "--config", config]);
    assert_eq!(same.status, 0, "{}", same.seen());
    std::fs::write(&file, &before).unwrap();
    configure(scratch.path(), "", &table("[\"9/month per caller\", \"7/s per source\"]"));
    let differs = server.cli(&["config", "diff", "--config", config]);
    let line = "limit 9/month per identity → 9/month per identity, 7/s per source";
    assert!(differs.stdout.contains(line), "{}", differs.seen());
    let elsewhere = server.cli(&["api", "limit", "orders", "--none"]);
    assert!(
        elsewhere.stderr.contains("maintained by the configuration file"),
        "{}",
        elsewhere.seen()
    );
    server.signal("HUP");
    server.wait_for_log("reloaded");
    let shown = server.json(&["api", "show", "orders"]);
    assert_eq!(shown["limits"], serde_json::json!(["9/month per identity", "7/s per source"]));
}

/// How many calls pass until one is refused.
fn passing(server: &Server, bearer: &str) -> usize {
    let mut connection = server.proxy();
    (0..100).take_while(|_| call(&mut connection, bearer).status == 200).count()
}

#[test]
fn a_quota_outlives_the_server_however_that_ends() {
    let (scratch, upstream) = (Scratch::new(), Upstream::start());
    let token = installed(scratch.path(), &[]);
    configure(scratch.path(), "durable = true", "");
    let server = Server::serve(scratch.path(), &token);
    let add = ["api", "add", "orders", "--path", "/orders", "--upstream", &upstream.url];
    let limit = ["--openapi", DOCUMENT, "--limit", "40/month per caller"];
    server.json(&[&add[..], &limit].concat());
    let bearer = caller(&server);
    let mut connection = server.proxy();
    // Killed at once: nobody was told of these but the records.
    for _ in 0..5 {
        assert_eq!(call(&mut connection, &bearer).status, 200);
    }
    server.kill();

    let server = Server::serve(scratch.path(), &token);
    let mut connection = server.proxy();
    for _ in 0..5 {
        assert_eq!(call(&mut connection, &bearer).status, 200);
    }
    // Killed when an advance is on record: what is left of it counts as used.
    let is_told = || {
        let metrics = server.console().get("/metrics", &[]).body;
        let line =
            metrics.lines().find(|line| line.contains("job=\"limits\",outcome=\"completed\""));
        let rounds = line.and_then(|line| line.rsplit(' ').next()?.parse::<u64>().ok());
        rounds.unwrap_or_default() > 4
    };
    eventually(is_told, || server.log());
    server.kill();

    let server = Server::serve(scratch.path(), &token);
    let mut connection = server.proxy();
    for _ in 0..5 {
        assert_eq!(call(&mut connection, &bearer).status, 200);
    }
    assert_eq!(server.stop(), 0);

    let server = Server::serve(scratch.path(), &token);
    let rest = passing(&server, &bearer);
    assert!((1..=25).contains(&rest), "{rest} after fifteen of forty");
    assert_eq!(passing(&server, &bearer), 0);
    assert_eq!(server.stop(), 0);
    let server = Server::serve(scratch.path(), &token);
    assert_eq!(passing(&server, &bearer), 0, "used up stays used up");
}

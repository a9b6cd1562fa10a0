//! The first five minutes, as they are promised.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::assert_seen;
use crate::support::{Scratch, Server, run};

fn decide(server: &Server, items: &Value) {
    for item in items.as_array().unwrap() {
        let id = item["id"].as_str().unwrap();
        let verdict = item["recommendation"]["verdict"].as_str().unwrap();
        let ran = server.cli(&["review", "decide", id, verdict]);
        assert_eq!(ran.status, 0, "{}", ran.stderr);
    }
}

/// One step after the other, each seen as a person sees it.
#[test]
fn the_first_five_minutes() {
    let scratch = Scratch::new();
    let server = Server::demo(scratch.path());
    let mut seen = String::new();

    let refused = server.proxy().get("/orders/42", &[]);
    seen.push_str(&format!("GET /orders/42\n{}\n{}\n\n", refused.status, refused.body));

    // No URL and no token: the profile that the demo wrote is enough in another terminal.
    let issue = ["key", "issue", "demo-client", "--api", "orders", "--can", "read", "--for", "1h"];
    let issued = run(scratch.path(), &issue);
    seen.push_str(&format!("$ portreeve {}\n{}\n", issue.join(" "), issued.seen()));
    let key = issued.stdout.split_whitespace().next().unwrap().to_owned();

    let bearer = format!("Bearer {key}");
    let allowed = server.proxy().get("/orders/42", &[("authorization", bearer.as_str())]);
    seen.push_str(&format!(
        "GET /orders/42 with the key\n{}\n{}\n\n",
        allowed.status, allowed.body
    ));

    let items = server.json(&["review", "items", "machines"]);
    let needing = items.as_array().unwrap().iter().filter(|item| item["tab"] == "needs_a_look");
    let needing: Vec<String> = needing
        .map(|item| format!("{} {}\n", item["subject"], item["recommendation"]["verdict"]))
        .collect();
    seen.push_str(&format!("{} items\n{}\n", items.as_array().unwrap().len(), needing.concat()));
    assert!(items.as_array().unwrap().iter().all(|item| item["mine"] == true));
    assert_console_leads_to_the_refund(&server);
    decide(&server, &items);
    let signed = server.cli(&["review", "sign", "machines"]);
    assert_eq!(signed.status, 0, "{}", signed.stderr);
    seen.push_str(&format!("$ portreeve review sign machines\n{}\n", signed.stderr));

    let completed = || server.json(&["review", "status", "machines"])["state"] == "COMPLETED";
    crate::support::eventually(completed, || server.log());
    let status = server.cli(&["review", "status", "machines"]);
    seen.push_str(&format!("$ portreeve review status machines\n{}\n", took(&status.seen())));

    let file = "demo-evidence.json";
    assert_eq!(server.cli(&["evidence", "build", "machines", "-o", file]).status, 0);
    let verified = run(scratch.path(), &["evidence", "verify", file]);
    seen.push_str(&format!("$ portreeve evidence verify {file}\n{}", verified.seen()));
    assert_seen!("first_five_minutes", seen);
    assert_tampering_is_found(&scratch, file);
    assert_eq!(server.stop(), 0);
    assert!(!scratch.path().join("config/portreeve/profile.toml").exists());
}

/// What the console shows whoever opens the link, up to the first decision.
fn assert_console_leads_to_the_refund(server: &Server) {
    let link = server.ready["sign_in"].as_str().unwrap();
    let mut console = server.console();
    let arrived = console.get(&link[link.find("/?once=").unwrap()..], &[]);
    assert_eq!(arrived.status, 303);
    let cookie = arrived.head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    let cookie = [("cookie", cookie.split(';').next().unwrap())];
    let today = console.get("/", &cookie).body;
    assert!(today.contains("1 review, 12 items, 3 need a look"), "{today}");
    let review = console.get("/reviews/machines", &cookie).body;
    let first = review.split("data-item ").nth(1).unwrap();
    assert!(first.starts_with("data-name=\"svc-invoice-export\""), "{first}");
    assert!(first.contains("Refund order — never called in 90 days"), "{first}");
    let narrow = first.split("value=\"narrow\"").nth(1).unwrap().split('>').next().unwrap();
    assert!(narrow.contains("data-key=\"2\"") && !narrow.contains("disabled"), "{narrow}");
    assert!(!narrow.contains("data-needs-note"), "2 alone is enough: {narrow}");
    // A link signs in once; whoever is signed in already is not turned away by it.
    let again = console.get(&link[link.find("/?once=").unwrap()..], &cookie);
    assert!(again.head.contains("location: /\r\n"), "{}", again.head);
}

/// How long it took is this machine's business.
fn took(text: &str) -> String {
    let Some((before, rest)) = text.split_once("applied in ") else { return text.to_owned() };
    let (_, after) = rest.split_once(" · ").unwrap();
    format!("{before}applied in <n> s · {after}")
}

fn assert_tampering_is_found(scratch: &Scratch, file: &str) {
    let path = scratch.path().join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    let changed = text.replacen("\"keep\"", "\"kept\"", 1);
    assert_ne!(changed, text);
    std::fs::write(&path, changed).unwrap();
    let ran = run(scratch.path(), &["evidence", "verify", file]);
    assert_eq!(ran.status, 1);
    assert!(ran.stdout.contains("not authentic"), "{}", ran.seen());
}

#[test]
fn the_demo_speaks_to_people_and_to_scripts() {
    let scratch = Scratch::new();
    let server = Server::demo(scratch.path());
    for member in ["proxy", "console", "sign_in", "admin_token"] {
        assert!(server.ready[member].is_string(), "{member}");
    }
    let calls = server.json(&["call", "search", "--since", "91d", "--limit", "10000"]);
    assert!(calls.as_array().unwrap().len() > 3_000);
    let refused = server.json(&["call", "search", "--since", "91d", "--outcome", "refused"]);
    let id = refused[0]["request_id"].as_str().unwrap();
    assert_eq!(server.cli(&["call", "explain", id]).status, 2);
    assert_eq!(server.stop(), 0);
}

/// What the demo prints, and what is left of it.
#[test]
fn the_demo_says_what_it_is_and_leaves_nothing_behind() {
    let scratch = Scratch::new();
    let folder = scratch.path().join("tmp");
    std::fs::create_dir(&folder).unwrap();
    let mut command = crate::support::command(scratch.path());
    command.args(["demo", "--port", "0"]).env("TMPDIR", &folder);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let said: String = lines.by_ref().take(4).map(|line| line.unwrap() + "\n").collect();
    let profile = scratch.path().join("config/portreeve/profile.toml");
    assert!(profile.exists());
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    let sent = Command::new("kill").args(["-s", "TERM", &child.id().to_string()]).status();
    assert!(sent.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(lines.count(), 0);
    let mut complaint = String::new();
    child.stderr.take().unwrap().read_to_string(&mut complaint).unwrap();
    assert_eq!(complaint, "");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
    assert!(!profile.exists());
    assert_seen!("demo_text", said);
}

//! A relation that a configured source answers for, with the binary: asked, explained, measured,
//! reloaded.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

use serde_json::Value;

use crate::support::{Scratch, Server, Upstream, configure, installed};

/// A decision point that says yes to order 42, if it is asked with the token.
fn pdp() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/access/v1/evaluation", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer(stream));
        }
    });
    url
}

fn answer(stream: TcpStream) {
    let mut reader = BufReader::new(stream);
    loop {
        let (mut length, mut knows, mut line) = (0, false, String::new());
        loop {
            line.clear();
            match reader.read_line(&mut line) {
                Ok(0) | Err(_) => return,
                Ok(_) if line == "\r\n" => break,
                Ok(_) => {}
            }
            let field = line.to_ascii_lowercase();
            if let Some(value) = field.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            knows |= field.trim() == "authorization: bearer sesame";
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let asked: Value = serde_json::from_slice(&body).unwrap();
        let yes = knows && asked["resource"]["id"] == "42" && asked["action"]["name"] == "owner";
        let said = format!("{{\"decision\":{yes}}}");
        let length = said.len();
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{said}");
        if reader.get_mut().write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

fn source(url: &str) -> String {
    format!(
        "[[relation-source]]\nname = \"pdp\"\nrelations = [\"owner\"]\nurl = \"{url}\"\n\
         token = {{ file = \"pdp-token\" }}\ntimeout = \"5s\"\n"
    )
}

#[test]
fn an_object_passes_by_what_the_source_says_and_not_when_it_is_gone() {
    let (scratch, upstream) = (Scratch::new(), Upstream::start());
    let token = installed(scratch.path(), &[]);
    scratch.write("orders.yaml", include_str!("orders.yaml"));
    scratch.write("state/pdp-token", "sesame\n");
    configure(scratch.path(), "", &source(&pdp()));
    let server = Server::serve(scratch.path(), &token);
    let orders = ["--path", "/orders", "--upstream", &upstream.url, "--openapi", "orders.yaml"];
    server.json(&[&["api", "add", "orders"][..], &orders].concat());
    server.json(&["identity", "add", "svc", "--kind", "service_account"]);
    let issued = server.json(&["key", "issue", "svc"]);
    let when = ["--can", "read", "--when", "path.id = related.owner"];
    server.json(&[&["grant", "give", "svc", "--api", "orders"][..], &when].concat());
    let bearer = format!("Bearer {}", issued["key"].as_str().unwrap());
    let get = |path: &str| server.proxy().get(path, &[("authorization", &bearer)]);
    let refused = get("/orders/43");
    assert_eq!((refused.status, &refused.json()["reason"]), (403, &"object_not_allowed".into()));
    assert_eq!(get("/orders/42").status, 200);
    assert_eq!(get("/orders/42").status, 200);
    let set = server.cli(&["relation", "set", "svc", "owner", "--add", "43"]);
    assert!(set.status != 0 && set.stderr.contains("a source answers for it"), "{}", set.seen());
    let id = refused.json()["request_id"].as_str().unwrap().to_owned();
    let told = server.cli(&["call", "explain", &id]);
    assert!(told.stdout.contains("relation owner to 43: unrelated (pdp,"), "{}", told.seen());
    let metrics = server.console().get("/metrics", &[]);
    let metrics = metrics.body;
    for (outcome, count) in [("related", 1), ("unrelated", 1), ("cached", 2), ("failed", 0)] {
        let line = format!(
            "portreeve_relation_lookups_total{{source=\"pdp\",outcome=\"{outcome}\"}} {count}"
        );
        assert!(metrics.contains(&line), "{line}\n{metrics}");
    }
    // Another source that is away; the file says so, and the next request knows.
    let file = scratch.path().join("state/portreeve.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let start = text.find("[[relation-source]]").unwrap();
    let text = format!("{}{}", &text[..start], source(&format!("http://{gone}/x")));
    std::fs::write(&file, text).unwrap();
    server.signal("HUP");
    server.wait_for_log("reloaded");
    let refused = get("/orders/42");
    assert_eq!((refused.status, &refused.json()["reason"]), (503, &"relation_unknown".into()));
}

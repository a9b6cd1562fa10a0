//! What a slip of the pen is answered with: where it is, and what was probably meant.

use crate::support::{Scratch, Server, Upstream, configure, installed};

#[test]
fn an_unknown_name_or_word_is_refused_with_the_one_that_was_meant() {
    let scratch = Scratch::new();
    let server = Server::demo(scratch.path());
    let cases: [(&[&str], &str); 8] = [
        (&["grant", "give", "svc-invoice-export", "--api", "orders", "--can", "reed"], "`read`"),
        (
            &["grant", "give", "svc-invoice-export", "--api", "orders", "--can", "getOdrer"],
            "`getOrder`",
        ),
        (&["grant", "give", "svc-invoice-export", "--api", "ordres", "--can", "read"], "`orders`"),
        (
            &["grant", "give", "svc-invoice-exprot", "--api", "orders", "--can", "read"],
            "`svc-invoice-export`",
        ),
        (&["identity", "show", "svc-invoice-exporx"], "`svc-invoice-export`"),
        (&["identity", "own", "svc-invoice-export", "robni"], "`robin`"),
        (&["identity", "add", "x", "--kind", "workload", "--owner", "rboin"], "`robin`"),
        (&["api", "show", "order"], "`orders`"),
    ];
    for (arguments, meant) in cases {
        let ran = server.cli(arguments);
        assert!([1, 3].contains(&ran.status), "{arguments:?} {}", ran.seen());
        assert!(ran.stderr.contains(&format!("did you mean {meant}?")), "{}", ran.seen());
    }
}

#[test]
fn an_owner_who_does_not_exist_is_an_error_in_the_file_too() {
    let (scratch, upstream) = (Scratch::new(), Upstream::start());
    let token = installed(scratch.path(), &[]);
    let table = |owner: &str| {
        let url = &upstream.url;
        format!("[[api]]\nname = \"o\"\npath = \"/o\"\nupstream = \"{url}\"\nowner = \"{owner}\"")
    };
    let file = scratch.path().join("state/portreeve.toml");
    let before = std::fs::read_to_string(&file).unwrap();
    for (owner, hint) in [("adda", "did you mean `ada`?"), ("group:crew", "there already")] {
        configure(scratch.path(), "", &table(owner));
        let arguments = ["serve", "--config", file.to_str().unwrap()];
        let ran = crate::support::run(scratch.path(), &arguments);
        assert_eq!(ran.status, 3, "{}", ran.seen());
        assert!(ran.stderr.contains(&format!("there is no owner `{owner}`")), "{}", ran.stderr);
        assert!(ran.stderr.contains("api `o`: owner"), "{}", ran.stderr);
        assert!(ran.stderr.contains(hint), "{}", ran.stderr);
        std::fs::write(&file, &before).unwrap();
    }
    configure(scratch.path(), "", &table("ada"));
    let server = Server::serve(scratch.path(), &token);
    assert_eq!(server.json(&["api", "show", "o"])["owner"], "ada");
}

#[test]
fn a_path_that_the_admin_api_does_not_have_is_a_problem_document() {
    let scratch = Scratch::new();
    let server = Server::fresh(scratch.path());
    for path in ["/api", "/api/", "/api/v1", "/api/v1/", "/api/v1/nothing", "/api/v2/apis"] {
        let answer = server.console().get(path, &[("accept", "text/html")]);
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.head.contains("application/problem+json"), "{path}: {}", answer.head);
        assert_eq!(answer.json()["reason"], "not_found", "{path}");
    }
    // Everything else is the console's, which speaks to people.
    let page = server.console().get("/nothing", &[("accept", "text/html")]);
    assert!(page.head.contains("text/html"), "{}", page.head);
}

#[test]
fn a_slip_in_what_a_new_caller_may_do_leaves_no_caller_behind() {
    let scratch = Scratch::new();
    let server = Server::fresh(scratch.path());
    let document = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/contract/orders.yaml");
    let add = ["api", "add", "orders", "--path", "/orders", "--upstream", "http://127.0.0.1:9"];
    server.json(&[&add, &["--openapi", document][..]].concat());
    for (slip, meant) in [(["ordres", "read"], "orders"), (["orders", "raed"], "read")] {
        let [api, can] = slip;
        let ran = server.cli(&["key", "issue", "x9", "--api", api, "--can", can]);
        assert_ne!(ran.status, 0);
        assert!(ran.stderr.contains(&format!("did you mean `{meant}`?")), "{}", ran.stderr);
        assert_eq!(server.cli(&["identity", "show", "x9"]).status, 1, "{slip:?}");
    }
}

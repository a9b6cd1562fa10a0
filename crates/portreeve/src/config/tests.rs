use std::path::Path;

use base::Span;

use super::keys::KEYS;
use super::read::parse;
use super::schema::json_schema;

fn errors(text: &str) -> String {
    parse(Path::new("/etc/portreeve/portreeve.toml"), text).unwrap_err().to_string()
}

const API: &str = "[[api]]\nname = \"orders\"\npath = \"/orders\"\nupstream = \"http://h:1\"\n";

#[test]
fn every_error_of_a_file_is_named_in_one_run() {
    insta::assert_snapshot!(errors(concat!(
        "lisen = \"127.0.0.1:1\"\n",
        "durable = \"yes\"\n",
        "[[api]]\n",
        "name = \"orders\"\n",
        "impact = \"hihg\"\n",
        "upstraem = \"http://127.0.0.1:3000\"\n",
        "path = \"/orders\"\n",
    )));
}

#[test]
fn values_that_contradict_each_other_are_refused() {
    let text = format!(
        "listen = \"0.0.0.0:8443\"\nconsole = \"somewhere\"\n\
         database = \"postgres://u:secret@h/d\"\n{API}{API}\
         [[review]]\nname = \"m\"\nfallback = \"group:\"\nof.apis = [\"ordres\"]\ndays = 0\n"
    );
    insta::assert_snapshot!(errors(&text));
}

#[test]
fn what_cannot_be_reached_or_trusted_is_refused_where_it_stands() {
    let text = "trusted-proxies = [\"10.0.0.0/8\", \"10.0.0.7\", \"proxy.internal\"]\n\
         [[issuer]]\nname = \"login\"\nissuer = \"https://login.example.com\"\n\
         jwks = \"http://login.example.com/keys\"\nalgorithms = [\"ES256\"]\naudience = [\"a\"]\n\
         [[api]]\nname = \"a\"\npath = \"/a\"\nupstream = \"http://10.0.0.7:99999\"\n\
         [[api]]\nname = \"b\"\npath = \"/b\"\nupstream = \"http://10.0.0.7/a//b\"\n";
    insta::assert_snapshot!(errors(text));
}

#[test]
fn a_secret_in_the_clear_is_refused() {
    insta::assert_snapshot!(errors("[keys]\npepper = \"hunter2\"\nsigning = { fil = \"x\" }\n"));
}

#[test]
fn broken_toml_names_its_place() {
    insta::assert_snapshot!(errors("url = \"https://api.example.com\nlisten = 3\n"));
}

#[test]
fn what_is_not_written_has_a_default_and_paths_start_at_the_file() {
    let settings = parse(Path::new("/etc/portreeve/portreeve.toml"), API).unwrap();
    assert_eq!(settings.listen.to_string(), "127.0.0.1:8443");
    assert_eq!(settings.console.to_string(), "127.0.0.1:8444");
    assert_eq!(settings.data, Path::new("/etc/portreeve/data"));
    assert_eq!(settings.pepper.path().unwrap(), Path::new("/etc/portreeve/data/keys/pepper"));
    assert_eq!(settings.apis.first().unwrap().api.name, "orders");
}

#[test]
fn a_tls_proxy_in_front_or_tls_itself_allows_other_addresses() {
    for tls in ["behind = \"tls-proxy\"\n", "[tls]\ncert = \"c.pem\"\nkey = \"k.pem\"\n"] {
        let text = format!("listen = \"0.0.0.0:8443\"\n{tls}");
        assert!(parse(Path::new("portreeve.toml"), &text).is_ok(), "{tls}");
    }
}

#[test]
fn client_certificates_need_who_vouches_for_them_and_proofs_do_not_last() {
    let read = |text: &str| parse(Path::new("/etc/portreeve.toml"), text);
    let tls = |more: &str| format!("[tls]\ncert = \"c.pem\"\nkey = \"k.pem\"\n{more}");
    assert!(errors(&tls("client-certificates = \"required\"\n")).contains("nobody vouches"));
    assert!(errors(&tls("client-certificates = \"yes\"\n")).contains("optional"));
    let clients = |text: &str| read(text).unwrap().tls.unwrap().clients;
    assert_eq!(clients(&tls("")), None);
    let asked = clients(&tls("client-roots = \"clients.pem\"\n")).unwrap();
    assert_eq!((asked.roots.as_path(), asked.required), (Path::new("/etc/clients.pem"), false));
    let required = "client-roots = \"clients.pem\"\nclient-certificates = \"required\"\n";
    assert!(clients(&tls(required)).unwrap().required);
    for wrong in ["0s", "11m"] {
        let text = format!("[dpop]\nlifetime = \"{wrong}\"\n");
        assert!(errors(&text).contains("a proof is good for"), "{wrong}");
    }
    assert_eq!(read("").unwrap().proof_lifetime, Span::from_secs(60));
    let text = "[dpop]\nlifetime = \"2m\"\n";
    assert_eq!(read(text).unwrap().proof_lifetime, Span::from_secs(120));
}

#[test]
fn nobody_may_ask_for_others_unless_it_is_written_who() {
    let read = |text: &str| parse(Path::new("portreeve.toml"), text);
    assert_eq!(read("").unwrap().ext_auth, None);
    assert!(errors("ext-auth = {}\n").contains("trusted"));
    for path in ["authorize", "/", "/a/", "/a/../b", "/a?b"] {
        let text = format!("ext-auth = {{ trusted = [\"10.0.0.7\"], path = \"{path}\" }}\n");
        assert!(errors(&text).contains("is not a path"), "{path}");
    }
    let asked = read("[ext-auth]\ntrusted = [\"10.0.0.0/8\"]\n").unwrap().ext_auth.unwrap();
    assert_eq!(asked.path, "/-/authorize");
    assert_eq!(asked.trusted, ["10.0.0.0/8".parse().unwrap()]);
}

#[test]
fn the_schema_has_every_key() {
    let schema = json_schema();
    for key in KEYS {
        let pointer: String = key
            .path
            .split('.')
            .map(|part| match part.strip_suffix("[]") {
                Some(name) => format!("/properties/{name}/items"),
                None => format!("/properties/{part}"),
            })
            .collect();
        assert!(schema.pointer(&pointer).is_some(), "{} at {pointer}", key.path);
    }
}

#[test]
fn a_source_of_relations_that_could_not_be_asked_is_refused_where_it_stands() {
    let source =
        |name: &str, more: &str| format!("[[relation-source]]\nname = \"{name}\"\n{more}\n");
    let url = "url = \"https://pdp.internal/access/v1/evaluation\"";
    let text = [
        source("a", &format!("relations = [\"owner\", \"own er\"]\n{url}\ntimeuot = \"1s\"")),
        source("b", "relations = [\"viewer\"]"),
    ]
    .concat();
    insta::assert_snapshot!("relation_source_shape", errors(&text));
    let text = [
        source("a", &format!("relations = [\"owner\", \"own er\"]\n{url}\ntimeout = \"6s\"")),
        source("a", "relations = [\"owner\"]\nurl = \"http://pdp.internal/access\""),
        source("c", &format!("relations = []\n{url}\ncache-for = \"2h\"\ncache-entries = 1")),
        source("d", "relations = [\"d\"]\nurl = \"https://h/a?b\"\ntimeout = \"0s\""),
    ]
    .concat();
    insta::assert_snapshot!("relation_source_values", errors(&text));
    let text =
        source("pdp", &format!("relations = [\"owner\"]\n{url}\ntoken = {{ file = \"t\" }}"));
    let read = parse(Path::new("/etc/portreeve/portreeve.toml"), &text).unwrap();
    let source = read.relation_sources.first().unwrap();
    assert_eq!((source.timeout, source.cache_for), (Span::from_millis(250), Span::from_secs(30)));
    assert_eq!(source.cache_entries, 65_536);
    let token = source.token.as_ref().and_then(|token| token.path()).unwrap();
    assert_eq!(token, Path::new("/etc/portreeve/t"));
}

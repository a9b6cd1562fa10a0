//! TLS on both sides of the gate, with certificates that the test makes.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Scratch, Server, Upstream, configure, installed, run};

/// An authority, and a certificate of it for 127.0.0.1.
struct Certificates {
    root: String,
    chain: String,
    key: String,
}

impl Certificates {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let root = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
        let leaf = CertificateParams::new(names).unwrap().signed_by(&key, &root).unwrap();
        Self { root: root.pem(), chain: leaf.pem(), key: key.serialize_pem() }
    }

    fn write(&self, scratch: &Scratch) {
        scratch.write("state/cert.pem", &self.chain);
        scratch.write("state/key.pem", &self.key);
    }
}

const TLS: &str = "[tls]\ncert = \"cert.pem\"\nkey = \"key.pem\"\n";

#[test]
fn nothing_leaves_the_machine_in_the_clear() {
    let scratch = Scratch::new();
    installed(scratch.path(), &[]);
    let file = scratch.path().join("state/portreeve.toml");
    let before = std::fs::read_to_string(&file).unwrap();
    for key in ["listen", "console"] {
        let open = before.replacen(
            &format!("{key:<8}= \"127.0.0.1:"),
            &format!("{key:<8}= \"0.0.0.0:"),
            1,
        );
        let open =
            open.replacen(&format!("{key} = \"127.0.0.1:"), &format!("{key} = \"0.0.0.0:"), 1);
        assert_ne!(open, before);
        std::fs::write(&file, &open).unwrap();
        let ran = run(scratch.path(), &["serve", "--config", file.to_str().unwrap()]);
        assert_eq!(ran.status, 3, "{key}: {}", ran.seen());
        assert!(ran.stderr.contains("there is no [tls]"), "{key}: {}", ran.stderr);
    }
}

/// An `https` upstream that tells which HTTP version it was asked in.
async fn upstream(certificates: &Certificates) -> String {
    let (chain, key) = (certificates.chain.as_bytes(), certificates.key.as_bytes());
    let config = proxy::tls::server_config(chain, key, None);
    let acceptor = tokio_rustls::TlsAcceptor::from(config.unwrap());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    match stream.read_u8().await {
                        Ok(byte) => head.push(byte),
                        Err(_) => return,
                    }
                }
                let answer =
                    "HTTP/1.1 200 OK\r\ncontent-length: 6\r\nconnection: close\r\n\r\nsecret";
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    url
}

struct Caller {
    url: String,
    key: String,
}

impl Caller {
    async fn get(
        &self,
        client: reqwest::ClientBuilder,
    ) -> Result<reqwest::Response, reqwest::Error> {
        let client = client.no_proxy().build().unwrap();
        client.get(format!("{}/orders/42", self.url)).bearer_auth(&self.key).send().await
    }
}

fn trusting(root: &str) -> reqwest::ClientBuilder {
    let root = reqwest::Certificate::from_pem(root.as_bytes()).unwrap();
    reqwest::Client::builder().tls_certs_only([root])
}

fn served(scratch: &Scratch, token: &str) -> (Server, Caller) {
    let server = Server::serve(scratch.path(), token);
    let issued = server.json(&["key", "issue", "svc", "--api", "orders", "--can", "all"]);
    let url = server.ready["proxy"].as_str().unwrap().to_owned();
    let key = issued["key"].as_str().unwrap().to_owned();
    (server, Caller { url, key })
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_and_upstreams_are_reached_by_certificates_that_are_trusted() {
    // Another test of this process may have done it already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let scratch = Scratch::new();
    let (own, theirs) = (Certificates::new("own"), Certificates::new("theirs"));
    let upstream = upstream(&theirs).await;
    let token = installed(scratch.path(), &[]);
    own.write(&scratch);
    scratch.write("state/orders.yaml", include_str!("orders.yaml"));
    scratch.write("roots.pem", &own.root);
    let api = format!(
        "[[api]]\nname = \"orders\"\npath = \"/orders\"\nupstream = \"{upstream}\"\n\
         openapi = \"orders.yaml\"\n"
    );
    configure(scratch.path(), "", &format!("{TLS}\n{api}"));

    let (server, caller) = served(&scratch, &token);
    assert!(caller.url.starts_with("https://"), "{}", caller.url);
    assert!(caller.get(trusting(&theirs.root)).await.is_err(), "another authority's certificate");
    let plain = Caller { url: caller.url.replace("https://", "http://"), key: caller.key.clone() };
    assert!(plain.get(reqwest::Client::builder()).await.is_err(), "in the clear");
    // Nobody said yet that the upstream's authority is to be trusted.
    let answer = caller.get(trusting(&own.root)).await.unwrap();
    assert_eq!(answer.status(), 502);
    assert_eq!(server.stop(), 0);

    scratch.write("state/theirs.pem", "no certificate");
    configure(scratch.path(), "upstream-roots = \"theirs.pem\"\n", "");
    let file = scratch.path().join("state/portreeve.toml");
    let ran = run(scratch.path(), &["config", "check", "--config", file.to_str().unwrap()]);
    assert_eq!(ran.status, 2, "{}", ran.seen());
    assert!(ran.stderr.contains("theirs.pem"), "{}", ran.stderr);
    scratch.write("state/theirs.pem", &theirs.root);

    let (server, caller) = served(&scratch, &token);
    for (client, version) in [
        (trusting(&own.root), reqwest::Version::HTTP_2),
        (trusting(&own.root).http1_only(), reqwest::Version::HTTP_11),
    ] {
        let answer = caller.get(client).await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), answer.version()),
            (200, version),
            "{}",
            server.log()
        );
        assert_eq!(answer.text().await.unwrap(), "secret");
    }
    assert_eq!(server.stop(), 0);
}

/// A client's certificate, of an authority that the gate trusts for clients.
#[tokio::test(flavor = "multi_thread")]
async fn a_caller_is_known_by_its_client_certificate_until_that_is_revoked() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let scratch = Scratch::new();
    let (own, clients) = (Certificates::new("own"), Certificates::new("clients"));
    let upstream = Upstream::start();
    let token = installed(scratch.path(), &[]);
    own.write(&scratch);
    scratch.write("state/orders.yaml", include_str!("orders.yaml"));
    scratch.write("roots.pem", &own.root);
    scratch.write("state/clients.pem", &clients.root);
    scratch.write("client.pem", &clients.chain);
    let api = format!(
        "[[api]]\nname = \"orders\"\npath = \"/orders\"\nupstream = \"{}\"\n\
         openapi = \"orders.yaml\"\naccept = [\"certificate\"]\n",
        upstream.url
    );
    configure(scratch.path(), "", &format!("{TLS}client-roots = \"clients.pem\"\n\n{api}"));
    let server = Server::serve(scratch.path(), &token);
    let url = format!("{}/orders/42", server.ready["proxy"].as_str().unwrap());
    let identity = format!("{}{}", clients.chain, clients.key);
    let get = async |with_certificate: bool| {
        let mut client = trusting(&own.root).no_proxy();
        if with_certificate {
            client = client.identity(reqwest::Identity::from_pem(identity.as_bytes()).unwrap());
        }
        client.build().unwrap().get(&url).send().await.unwrap()
    };
    assert_eq!(get(true).await.status(), 401, "registered by nobody");
    let file = scratch.path().join("client.pem");
    let class = ["--class", "certificate", "--cert", file.to_str().unwrap()];
    let issue = ["key", "issue", "svc", "--api", "orders", "--can", "all"];
    let issued = server.json(&[&issue[..], &class[..]].concat());
    assert!(issued["label"].as_str().unwrap().contains("sha256:"), "{issued}");
    assert_eq!(get(false).await.status(), 401);
    assert_eq!(get(true).await.status(), 200);
    let grant = issued["grant"]["id"].as_str().unwrap();
    let shown = server.json(&["grant", "show", grant]);
    assert_eq!(shown["id"], grant, "{shown}");
    server.json(&["key", "revoke", issued["id"].as_str().unwrap()]);
    assert_eq!(get(true).await.status(), 401);
    assert_eq!(server.stop(), 0);
}

//! Every key of the configuration file, once: the check, `config explain`, `config show` and the
//! published schema read this table. A key that is not here does not exist.

/// What a value may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Any text.
    Text,
    /// A file or directory; relative paths start at the file that names them.
    Path,
    /// `true` or `false`.
    Bool,
    /// A whole number, not negative.
    Integer,
    /// A number and a unit: `90d`, `12h`, `15m`, `30s`, `250ms`.
    Span,
    /// A list of texts.
    List,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A list of these words.
    Words(&'static [&'static str]),
    /// `{ file = "…" }`, `{ env = "…" }` or `{ credential = "…" }`; never the secret itself.
    Secret,
    /// A limit, or a list of limits: `200/s per caller`.
    Limits,
    /// A whole number for each of some names: `{ exportOrders = 50 }`.
    Counts,
    /// Text, or a secret's reference when the text would hold a password.
    TextOrSecret,
}

/// One key.
#[derive(Debug)]
pub(crate) struct Key {
    /// Dotted; `[]` marks an array of tables.
    pub(crate) path: &'static str,
    /// What it may be.
    pub(crate) kind: Kind,
    /// What holds when it is not written; empty when nothing does.
    pub(crate) default: &'static str,
    /// Its table is wrong without it.
    pub(crate) needed: bool,
    /// What it does.
    pub(crate) doc: &'static str,
}

const fn key(
    path: &'static str,
    kind: Kind,
    default: &'static str,
    needed: bool,
    doc: &'static str,
) -> Key {
    Key { path, kind, default, needed, doc }
}

const MODES: &[&str] = &["observe", "enforce"];
const CHECKS: &[&str] = &["off", "observe", "enforce"];
const IMPACTS: &[&str] = &["low", "medium", "high"];
const ENVIRONMENTS: &[&str] = &["production", "staging", "test", "development"];
const FIELDS_SEEN: &[&str] = &["filtered", "sample", "all"];
const ACCEPTS: &[&str] = &["token", "key", "certificate"];
const PROTOCOLS: &[&str] = &["h1", "h2"];
const REVIEWERS: &[&str] = &["owner", "api owner"];
const ALGORITHMS: &[&str] =
    &["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"];
const SCOPE_RULES: &[&str] = &["ignore", "enforce"];
const KINDS: &[&str] = &[
    "person",
    "service_account",
    "application",
    "workload",
    "ai_agent",
    "ci_pipeline",
    "third_party",
];

/// Every key there is, in the order in which a file is written.
#[rustfmt::skip]
pub(crate) const KEYS: &[Key] = &[
    key("url", Kind::Text, "the listen address", false, "Where callers reach the proxy."),
    key("listen", Kind::Text, "127.0.0.1:8443", false, "Address and port of the proxy. Port 0 takes a free one."),
    key("console", Kind::Text, "127.0.0.1:8444", false, "Address and port of the console and the admin API; never the callers' port."),
    key("console-url", Kind::Text, "the console's address", false, "Where people and applications reach the console's port; the access API describes itself by it."),
    key("data", Kind::Path, "data", false, "Directory of the database, the decision log and the ledger."),
    key("database", Kind::TextOrSecret, "SQLite under `data`", false, "`sqlite:FILE` or `postgres://…`. A URL with a password is a secret: `{ env = \"…\" }`."),
    key("durable", Kind::Bool, "false", false, "The end of an answer waits until the record of the call is on disk."),
    key("fields-seen", Kind::Word(FIELDS_SEEN), "sample", false, "Of which answers the record says what fields the caller received: `filtered` ones, of which only a part may be seen; `sample`: also every 16th call of operations with fields of a data class above `internal`; or `all` of these."),
    key("behind", Kind::Word(&["tls-proxy"]), "", false, "Says that a TLS proxy stands in front, so that other addresses than loopback need no `[tls]`."),
    key("tls.cert", Kind::Path, "", true, "Certificate chain, PEM, the server's own first."),
    key("tls.key", Kind::Path, "", true, "Private key of the certificate, PEM."),
    key("tls.client-roots", Kind::Path, "none", false, "Certificates, PEM, that vouch for callers' client certificates (mutual TLS, at `listen`). Without them nobody is asked for one."),
    key("tls.client-certificates", Kind::Word(&["optional", "required"]), "optional", false, "Whether connections without a client certificate are taken."),
    key("dpop.lifetime", Kind::Span, "60s", false, "How old a proof of possession (DPoP, RFC 9449) may be, at most `10m`. Each is good once."),
    key("upstream-roots", Kind::Path, "what this machine trusts", false, "Certificates, PEM, by which `https` upstreams are trusted; no others are then."),
    key("trusted-proxies", Kind::List, "none", false, "Networks of the proxies in front, `10.0.0.0/8` or single addresses: their `X-Forwarded-For` says who calls, and no client certificate of theirs counts. Without them all that comes through one is one source."),
    key("ext-auth.trusted", Kind::List, "", true, "Networks of gateways in front that may ask whether to forward a request (nginx `auth_request`, Envoy `ext_authz`); without `[ext-auth]` nobody may."),
    key("ext-auth.path", Kind::Text, "/-/authorize", false, "Where they ask, at the proxy's address."),
    key("overload.in-flight", Kind::Integer, "16384", false, "Requests in flight that the gate bears. Before there are so many, those of low impact are refused, then those of medium."),
    key("overload.delay", Kind::Span, "1s", false, "How late the gate may get to what is due before it refuses in the same order."),
    key("keys.pepper", Kind::Secret, "", false, "Keys the hashes of API keys, tokens and sessions. `portreeve init` makes it."),
    key("keys.signing", Kind::Secret, "", false, "Signs checkpoints and evidence (Ed25519 seed). `portreeve init` makes it."),
    key("sign-in.admins", Kind::List, "", false, "Ids of the people who administer portreeve."),
    key("issuer[].name", Kind::Text, "", true, "What credentials and messages call it."),
    key("issuer[].issuer", Kind::Text, "", true, "The exact `iss` of its tokens."),
    key("issuer[].jwks", Kind::Text, "", true, "Its keys: a file, or an `http(s)://` URL that is read again every few minutes."),
    key("issuer[].algorithms", Kind::Words(ALGORITHMS), "", true, "Signature algorithms that are taken; nothing in a token adds to them."),
    key("issuer[].audience", Kind::List, "", true, "A token must be for one of these."),
    key("issuer[].leeway", Kind::Span, "30s", false, "How far its clock may differ; at most 300s."),
    key("issuer[].scopes", Kind::Word(SCOPE_RULES), "ignore", false, "Whether the scopes of its tokens narrow what grants allow."),
    key("relation-source[].name", Kind::Text, "", true, "What messages, explanations and metrics call it."),
    key("relation-source[].relations", Kind::List, "", true, "The relations that it answers for, as ties name them: `related.owner`. A relation has one source."),
    key("relation-source[].url", Kind::Text, "", true, "Its evaluation endpoint (AuthZEN Authorization API 1.0), over `https` unless it is on this machine."),
    key("relation-source[].token", Kind::Secret, "none", false, "Sent to it as a bearer token; read at start and at each reload."),
    key("relation-source[].timeout", Kind::Span, "250ms", false, "How long an answer may take, at most `5s`. Without one the request is refused."),
    key("relation-source[].cache-for", Kind::Span, "30s", false, "How long an answer holds, at most `1h`; `0s` asks each time."),
    key("relation-source[].cache-entries", Kind::Integer, "65536", false, "Answers kept."),
    key("api[].name", Kind::Text, "", true, "Id and display name."),
    key("api[].owner", Kind::Text, "", false, "Who answers for it: a person's id or `group:<id>`."),
    key("api[].impact", Kind::Word(IMPACTS), "medium", false, "How bad misuse would be; drives risk and reviews."),
    key("api[].path", Kind::Text, "", true, "Path prefix, starting with `/`."),
    key("api[].hosts", Kind::List, "any", false, "Host names that it answers to."),
    key("api[].upstream", Kind::Text, "", true, "Where requests go: `http://host:port`."),
    key("api[].protocol", Kind::Word(PROTOCOLS), "h1", false, "How the upstream is spoken to: HTTP/1.1, or HTTP/2 (gRPC among others), over `https` by ALPN and over `http` with prior knowledge."),
    key("api[].openapi", Kind::Text, "", false, "OpenAPI or Swagger document, a file or a URL; gives the operations their names."),
    key("api[].operations", Kind::List, "", false, "Operations without a document: `/package.Service/Method` of gRPC, or `METHOD /path`."),
    key("api[].accept", Kind::Words(ACCEPTS), "token, key", false, "What callers may present."),
    key("api[].mode", Kind::Word(MODES), "enforce", false, "`observe` lets pass what no grant covers, and says so in every record."),
    key("api[].timeouts.connect", Kind::Span, "5s", false, "How long to connect to the upstream; at most 1h, like the other timeouts."),
    key("api[].timeouts.response", Kind::Span, "60s", false, "From the end of the request to the first byte of the answer."),
    key("api[].timeouts.idle", Kind::Span, "60s", false, "Between two reads of a body, either way."),
    key("api[].timeouts.call", Kind::Span, "what its caller gives it", false, "A whole gRPC call: a longer `grpc-timeout` is cut to it."),
    key("api[].limit", Kind::Limits, "none", false, "How much may be used: `\"200/s per caller\"`, `\"10000/day per grant\"`, `\"20 concurrent per credential\"`, or a list of them."),
    key("api[].costs", Kind::Counts, "as the document says, else 1", false, "What requests of operations count under limits, by operation id: `{ exportOrders = 50 }`."),
    key("api[].check.requests", Kind::Word(CHECKS), "off", false, "What becomes of requests that break the document. Without `check`, what was set before stays."),
    key("api[].check.responses", Kind::Word(CHECKS), "off", false, "The same for responses; those that are checked are asked for without compression."),
    key("api[].check.closed", Kind::Bool, "false", false, "Objects in requests take only the properties that the document describes."),
    key("api[].check.strict-query", Kind::Bool, "false", false, "The query takes only the parameters that the operation lists."),
    key("api[].environment", Kind::Word(ENVIRONMENTS), "production", false, "Where it runs."),
    key("review[].name", Kind::Text, "", true, "What `portreeve review start` calls it."),
    key("review[].of.kinds", Kind::Words(KINDS), "all", false, "Kinds of identity whose grants it covers."),
    key("review[].of.apis", Kind::List, "all", false, "APIs whose grants it covers."),
    key("review[].of.impacts", Kind::Words(IMPACTS), "all", false, "Impacts of the APIs whose grants it covers."),
    key("review[].of.environments", Kind::Words(ENVIRONMENTS), "all", false, "Environments of the identities whose grants it covers."),
    key("review[].by", Kind::Words(REVIEWERS), "owner, api owner", false, "Who decides: the first who is independent."),
    key("review[].fallback", Kind::Text, "", true, "Who decides when nobody in `by` is independent."),
    key("review[].days", Kind::Integer, "14", false, "Days until the deadline."),
    key("review[].instructions", Kind::Text, "", false, "What the reviewers are told."),
];

/// The key with this path. Array marks may be left out (`api.name` finds `api[].name`).
pub(crate) fn find(path: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.path == path || key.path.replace("[]", "") == path)
}

/// The names that may stand in the table with this prefix (`""`, `api[].`), each once.
pub(crate) fn names_under(prefix: &str) -> Vec<&'static str> {
    let mut names = Vec::new();
    for key in KEYS {
        let Some(rest) = key.path.strip_prefix(prefix) else { continue };
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let name = rest.get(..end).unwrap_or(rest);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

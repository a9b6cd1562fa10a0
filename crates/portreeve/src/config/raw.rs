//! The file as it is written, with the place of every value that can still be wrong.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use toml::Spanned;

use super::secret::SecretRef;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct RawFile {
    pub(super) url: Option<Spanned<String>>,
    pub(super) listen: Option<Spanned<String>>,
    pub(super) console: Option<Spanned<String>>,
    pub(super) console_url: Option<Spanned<String>>,
    pub(super) data: Option<PathBuf>,
    pub(super) database: Option<Spanned<TextOrSecret>>,
    #[serde(default)]
    pub(super) durable: bool,
    pub(super) fields_seen: Option<String>,
    pub(super) behind: Option<String>,
    pub(super) tls: Option<RawTls>,
    pub(super) upstream_roots: Option<PathBuf>,
    #[serde(default)]
    pub(super) trusted_proxies: Vec<Spanned<String>>,
    pub(super) ext_auth: Option<RawExtAuth>,
    #[serde(default)]
    pub(super) overload: RawOverload,
    #[serde(default)]
    pub(super) dpop: RawDpop,
    #[serde(default)]
    pub(super) keys: RawKeys,
    #[serde(default)]
    pub(super) sign_in: RawSignIn,
    #[serde(default)]
    pub(super) issuer: Vec<RawIssuer>,
    #[serde(default)]
    pub(super) relation_source: Vec<RawRelationSource>,
    #[serde(default)]
    pub(super) api: Vec<RawApi>,
    #[serde(default)]
    pub(super) review: Vec<RawReview>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum TextOrSecret {
    Text(String),
    Secret(SecretRef),
}

#[derive(Debug, Deserialize)]
pub(super) struct RawExtAuth {
    pub(super) trusted: Vec<Spanned<String>>,
    pub(super) path: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct RawTls {
    pub(super) cert: PathBuf,
    pub(super) key: PathBuf,
    #[serde(rename = "client-roots")]
    pub(super) client_roots: Option<PathBuf>,
    #[serde(rename = "client-certificates")]
    pub(super) client_certificates: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct RawDpop {
    pub(super) lifetime: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct RawKeys {
    pub(super) pepper: Option<SecretRef>,
    pub(super) signing: Option<SecretRef>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct RawSignIn {
    #[serde(default)]
    pub(super) admins: Vec<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct RawIssuer {
    pub(super) name: Spanned<String>,
    pub(super) issuer: Spanned<String>,
    pub(super) jwks: Spanned<String>,
    pub(super) algorithms: Spanned<Vec<String>>,
    pub(super) audience: Spanned<Vec<String>>,
    pub(super) leeway: Option<String>,
    pub(super) scopes: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct RawRelationSource {
    pub(super) name: Spanned<String>,
    pub(super) relations: Spanned<Vec<Spanned<String>>>,
    pub(super) url: Spanned<String>,
    pub(super) token: Option<SecretRef>,
    pub(super) timeout: Option<Spanned<String>>,
    pub(super) cache_for: Option<Spanned<String>>,
    pub(super) cache_entries: Option<Spanned<i64>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct RawApi {
    pub(super) name: Spanned<String>,
    pub(super) owner: Option<Spanned<String>>,
    pub(super) impact: Option<String>,
    pub(super) path: Spanned<String>,
    #[serde(default)]
    pub(super) hosts: Vec<String>,
    pub(super) upstream: Spanned<String>,
    pub(super) protocol: Option<String>,
    #[serde(default)]
    pub(super) operations: Vec<Spanned<String>>,
    pub(super) openapi: Option<String>,
    #[serde(default)]
    pub(super) accept: Vec<String>,
    pub(super) mode: Option<String>,
    pub(super) environment: Option<String>,
    #[serde(default)]
    pub(super) timeouts: RawTimeouts,
    pub(super) limit: Option<Spanned<OneOrMore>>,
    #[serde(default)]
    pub(super) costs: BTreeMap<String, Spanned<i64>>,
    pub(super) check: Option<RawCheck>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMore {
    One(String),
    More(Vec<String>),
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct RawOverload {
    pub(super) in_flight: Option<Spanned<i64>>,
    pub(super) delay: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct RawCheck {
    pub(super) requests: Option<String>,
    pub(super) responses: Option<String>,
    pub(super) closed: Option<bool>,
    pub(super) strict_query: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct RawTimeouts {
    pub(super) connect: Option<Spanned<String>>,
    pub(super) response: Option<Spanned<String>>,
    pub(super) idle: Option<Spanned<String>>,
    pub(super) call: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct RawReview {
    pub(super) name: Spanned<String>,
    #[serde(default)]
    pub(super) of: RawScope,
    #[serde(default)]
    pub(super) by: Vec<String>,
    pub(super) fallback: Spanned<String>,
    pub(super) days: Option<Spanned<i64>>,
    pub(super) instructions: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawScope {
    pub(super) kinds: Vec<String>,
    pub(super) apis: Vec<Spanned<String>>,
    pub(super) impacts: Vec<String>,
    pub(super) environments: Vec<String>,
}

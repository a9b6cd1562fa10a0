//! The settings that follow from a file: parsed, checked against each other, with the defaults
//! filled in and relative paths resolved. Whoever holds [`Settings`] need not look again.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use base::{IdentityId, Span};
use ipnet::IpNet;

use super::secret::SecretRef;

/// What a valid file says.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Where callers reach the proxy, when it is not the listen address.
    pub(crate) url: Option<String>,
    /// The proxy's address.
    pub(crate) listen: SocketAddr,
    /// The console's address.
    pub(crate) console: SocketAddr,
    /// Where people and applications reach the console's port, when it is not its address.
    pub(crate) console_url: Option<String>,
    /// Gateways in front that may ask.
    pub(crate) ext_auth: Option<proxy::ExtAuth>,
    /// Everything that is kept.
    pub(crate) data: PathBuf,
    /// The database.
    pub(crate) database: Database,
    /// Records reach the disk before the answer leaves.
    pub(crate) durable: bool,
    /// Of so many answers that nobody filters, one is looked at; 0 = none.
    pub(crate) watch_one_in: u16,
    /// Certificate and key of both listeners.
    pub(crate) tls: Option<TlsFiles>,
    /// Roots that https upstreams are trusted by; `None` = this machine's.
    pub(crate) upstream_roots: Option<PathBuf>,
    /// Proxies in front, whose word on the caller's address is taken.
    pub(crate) trusted_proxies: Vec<IpNet>,
    /// How long proofs of possession are good for.
    pub(crate) proof_lifetime: Span,
    /// Requests in flight that the gate bears.
    pub(crate) in_flight: u64,
    /// How late the gate may get to what is due.
    pub(crate) delay: Span,
    /// Keys the hashes of secrets.
    pub(crate) pepper: SecretRef,
    /// Seed of the signing key.
    pub(crate) signing: SecretRef,
    /// People who administer portreeve.
    pub(crate) admins: Vec<IdentityId>,
    /// Trusted token issuers.
    pub(crate) issuers: Vec<IssuerSetting>,
    /// Sources of relations.
    pub(crate) relation_sources: Vec<RelationSetting>,
    /// APIs that the file maintains.
    pub(crate) apis: Vec<ApiSetting>,
    /// Reviews that can be started by name.
    pub(crate) reviews: Vec<app::view::ReviewDefinition>,
}

/// Where the database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Database {
    /// A URL without a password.
    Url(String),
    /// A URL that is a secret.
    Secret(SecretRef),
}

/// Files of the TLS listeners.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TlsFiles {
    /// Certificate chain, PEM.
    pub(crate) cert: PathBuf,
    /// Private key, PEM.
    pub(crate) key: PathBuf,
    /// Callers are asked for a certificate.
    pub(crate) clients: Option<ClientFiles>,
}

/// By what callers' certificates are trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClientFiles {
    /// Who vouches for them, PEM.
    pub(crate) roots: PathBuf,
    /// Connections without one are not taken.
    pub(crate) required: bool,
}

/// A trusted token issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IssuerSetting {
    /// What its tokens must be like.
    pub(crate) token: token::IssuerSettings,
    /// Where its keys are.
    pub(crate) jwks: Location,
}

/// A source of relations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RelationSetting {
    /// What it is called.
    pub(crate) name: String,
    /// The relations that it answers for.
    pub(crate) relations: Vec<String>,
    /// Its evaluation endpoint.
    pub(crate) url: String,
    /// What it knows us by.
    pub(crate) token: Option<SecretRef>,
    /// How long an answer may take.
    pub(crate) timeout: Span,
    /// How long an answer holds.
    pub(crate) cache_for: Span,
    /// Answers kept.
    pub(crate) cache_entries: usize,
}

/// A file or a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Location {
    /// On this machine.
    File(PathBuf),
    /// Fetched.
    Url(String),
}

impl Location {
    /// `http://` and `https://` are fetched, everything else is a file beside the configuration.
    pub(crate) fn of(text: &str, folder: &Path) -> Self {
        match text.starts_with("http://") || text.starts_with("https://") {
            true => Self::Url(text.to_owned()),
            false => Self::File(folder.join(text)),
        }
    }
}

/// An API that the file maintains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiSetting {
    /// Everything but the document.
    pub(crate) api: app::view::NewApi,
    /// Where the document is.
    pub(crate) document: Option<Location>,
}

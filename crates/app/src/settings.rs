//! What the configuration decides for the use cases, as values. Reading it from a file is the
//! binary's.

use audit::SigningKey;
use base::{NodeId, Problem, Secret, Span};
use token::{KeyLabel, Pepper};

/// Secrets of the installation.
#[derive(Debug, Clone)]
pub struct Keys {
    /// Keys the hashes under which bearer secrets are stored. Changing it voids all of them.
    pub pepper: Pepper,
    /// Ed25519 seed (RFC 8032) of the key that signs the ledger's checkpoints.
    pub signing_seed: Secret<[u8; 32]>,
}

impl Keys {
    /// The key of the ledger of this name.
    pub(crate) fn signing_key(&self, ledger: &str) -> Result<SigningKey, Problem> {
        SigningKey::from_seed(ledger, &self.signing_seed)
            .map_err(|error| Problem::invalid("bad_ledger_name", error.to_string()).at("ledger"))
    }
}

/// A token issuer that the gate trusts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedIssuer {
    /// What people call it.
    pub name: String,
    /// The `iss` of its tokens (RFC 7519 §4.1.1).
    pub issuer: String,
}

/// Settings of the use cases.
#[derive(Debug, Clone)]
pub struct Settings {
    /// This process in the fleet.
    pub node: NodeId,
    /// What the text of new API keys says they are for.
    pub key_label: KeyLabel,
    /// How long a credential lives unless asked otherwise.
    pub key_lifetime: Span,
    /// The longest life of a credential that may be asked for.
    pub key_lifetime_max: Span,
    /// How long a sign-in link can be used.
    pub sign_in_lifetime: Span,
    /// A session unused for so long ends.
    pub session_idle: Span,
    /// A session ends then, used or not.
    pub session_lifetime: Span,
    /// People (`robin`, `group:x`) who are administrators when they sign in.
    pub admins: Vec<String>,
    /// People who are auditors when they sign in.
    pub auditors: Vec<String>,
    /// Issuers whose subjects can be credentials.
    pub issuers: Vec<TrustedIssuer>,
    /// Name of the ledger: the origin of its checkpoints and the name of its key. Best a name
    /// that nobody else uses, like `example.com/portreeve`; changing it starts to sign as another.
    pub ledger: String,
    /// Call records older than this are deleted.
    pub call_retention: Span,
    /// A node not heard of for so long is not waited for; it must refuse by itself then.
    pub node_lease: Span,
}

impl Settings {
    /// The defaults, for a node.
    pub fn new(node: NodeId) -> Self {
        Self {
            node,
            key_label: KeyLabel::Live,
            key_lifetime: Span::from_days(90),
            key_lifetime_max: Span::from_days(365),
            sign_in_lifetime: Span::from_secs(15 * 60),
            session_idle: Span::from_secs(60 * 60),
            session_lifetime: Span::from_secs(12 * 60 * 60),
            admins: Vec::new(),
            auditors: Vec::new(),
            issuers: Vec::new(),
            ledger: "portreeve/ledger".to_owned(),
            call_retention: Span::from_days(400),
            node_lease: Span::from_secs(3),
        }
    }
}

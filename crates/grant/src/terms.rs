//! The terms of a grant: under which circumstances it allows, and what it shows and lets be
//! written. Terms only ever take away: a grant without any allows its operations to the full.

use base::Timestamp;
use identity::{Binding, CredentialClass, Environment, Strength};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::{Tie, Window};

/// How far a grant has been taken back. The grant is still there, so that one act stops the
/// withdrawal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawal {
    /// How far.
    pub stage: WithdrawalStage,
    /// Since when.
    pub since: Timestamp,
    /// Whose act it was.
    pub by: String,
}

/// The steps of a withdrawal; the last one is to revoke the grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WithdrawalStage {
    /// Nothing is refused; the records say what would have been.
    LogOnly,
    /// This share of requests is refused, in hundredths of a percent (1 to 10,000).
    Share(u16),
}

impl Withdrawal {
    /// The share that stands for every request.
    pub const SHARE_ALL: u16 = 10_000;

    /// Whether a request is among those refused. `draw` is 0 to 9,999, the same for one request
    /// whoever asks.
    pub fn takes(&self, draw: u16) -> bool {
        match self.stage {
            WithdrawalStage::LogOnly => false,
            WithdrawalStage::Share(share) => draw < share,
        }
    }
}

/// What a grant allows under. Empty lists and `None` ask nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Terms {
    /// The caller belongs to one of these environments.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub environments: Vec<Environment>,
    /// It is within one of these hours.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hours: Vec<Window>,
    /// The caller's address is in one of these networks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<IpNet>,
    /// The credential is of one of these kinds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub credentials: Vec<CredentialClass>,
    /// The proof is at least this strong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strength: Option<Strength>,
    /// The proof is bound in one of these ways.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bindings: Vec<Binding>,
    /// What ties the object to the caller; all of them hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ties: Vec<Tie>,
    /// Dotted names of the properties that a request's JSON body may have; `None` = any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub writable: Option<Vec<String>>,
    /// The grant allows until then unless a review keeps it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certified_until: Option<Timestamp>,
    /// How far it has been taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withdrawal: Option<Withdrawal>,
}

impl Terms {
    /// Asks nothing and limits nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

//! Findings: a rule, a subject, and the facts that the rule looked at.

use base::{CredentialId, Digest, FindingId, GrantId, IdentityId, Timestamp, words};
use identity::Owner;
use serde::{Deserialize, Serialize};

words! {
    /// What is wrong.
    Rule {
        /// A grant that no call needed for the whole window.
        UnusedGrant = "unused-grant",
        /// An identity that uses less than a fifth of what it may do.
        OverPrivileged = "over-privileged",
        /// A credential that was used once and is not any more.
        DormantCredential = "dormant-credential",
        /// A credential that was never used.
        NeverUsedCredential = "never-used-credential",
        /// An identity that nobody answers for.
        Ownerless = "ownerless",
    }
}

impl Rule {
    /// The verdict rests on the absence of use, so it waits for enough records.
    pub const fn rests_on_use(self) -> bool {
        !matches!(self, Self::Ownerless)
    }
}

words! {
    /// How bad it is.
    Severity {
        /// Tidy up some time.
        Low = "low",
        /// Act with the next review.
        Medium = "medium",
        /// Act now.
        High = "high",
    }
}

/// What a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum FindingSubject {
    /// A grant.
    Grant(GrantId),
    /// An identity.
    Identity(IdentityId),
    /// A credential.
    Credential(CredentialId),
}

impl FindingSubject {
    /// `grant`, `identity` or `credential`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Grant(_) => "grant",
            Self::Identity(_) => "identity",
            Self::Credential(_) => "credential",
        }
    }

    /// The id as text.
    pub fn id(&self) -> &str {
        match self {
            Self::Grant(id) => id.as_str(),
            Self::Identity(id) => id.as_str(),
            Self::Credential(id) => id.as_str(),
        }
    }
}

/// The facts that a rule looked at. One shape per rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Evidence {
    /// Of `over-privileged`.
    Excess {
        /// Operations granted.
        granted: u64,
        /// Of these, operations used in the window.
        used: u64,
        /// Calls let through in the window.
        calls: u64,
        /// UTC days with such a call.
        active_days: u32,
    },
    /// Of `unused-grant`.
    Unused {
        /// Calls that the grant let through in the window: none.
        allowed_requests: u64,
        /// Operations granted.
        granted: u64,
        /// Days looked at.
        window_days: u32,
        /// Days since the grant came to be.
        age_days: i64,
    },
    /// Of `dormant-credential`.
    Dormant {
        /// The last call let through.
        last_used_at: Timestamp,
        /// Days since then.
        idle_days: i64,
        /// Days of silence that are normal for the identity.
        idle_limit_days: i64,
    },
    /// Of `never-used-credential`.
    NeverUsed {
        /// When it was issued.
        created_at: Timestamp,
        /// Days since then.
        age_days: i64,
        /// Days of silence that are normal for the identity.
        idle_limit_days: i64,
    },
    /// Of `ownerless`.
    Ownerless {
        /// The group that owns it and has nobody left; absent when no owner is named.
        owner: Option<Owner>,
    },
}

/// A detected problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What is wrong.
    pub rule: Rule,
    /// About what.
    pub subject: FindingSubject,
    /// How bad it is.
    pub severity: Severity,
    /// One sentence for a person.
    pub summary: String,
    /// What to do about it.
    pub suggested_act: String,
    /// The facts.
    pub evidence: Evidence,
}

impl Finding {
    /// The same for the same rule and subject, for ever: the random part of the id is taken from
    /// their digest, and its time is zero.
    pub fn id(&self) -> FindingId {
        let nul: &[u8] = &[0];
        let digest = Digest::of(&[
            self.rule.as_str().as_bytes(),
            nul,
            self.subject.kind().as_bytes(),
            nul,
            self.subject.id().as_bytes(),
        ]);
        FindingId::generate(Timestamp::default(), &mut FromDigest(digest))
    }
}

struct FromDigest(Digest);

impl base::Entropy for FromDigest {
    fn fill(&mut self, bytes: &mut [u8]) {
        bytes.iter_mut().zip(self.0.0).for_each(|(to, from)| *to = from);
    }
}

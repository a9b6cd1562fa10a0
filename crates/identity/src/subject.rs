//! Identities: people and everything else that calls.

use std::collections::BTreeMap;
use std::fmt;

use base::{GroupId, IdentityId, Timestamp, words};
use serde::{Deserialize, Serialize};

words! {
    /// What an identity is.
    IdentityKind {
        /// A human being.
        Person = "person",
        /// A non-human account that software uses.
        ServiceAccount = "service_account",
        /// A registered client application.
        Application = "application",
        /// A running workload, e.g. a pod or a virtual machine.
        Workload = "workload",
        /// Software that decides for itself what to call.
        AiAgent = "ai_agent",
        /// A build or deployment pipeline.
        CiPipeline = "ci_pipeline",
        /// A partner outside the organisation.
        ThirdParty = "third_party",
    }
}

words! {
    /// Where an identity or a credential belongs.
    Environment {
        /// Live data.
        Production = "production",
        /// Rehearsal of production.
        Staging = "staging",
        /// Automated or manual tests.
        Test = "test",
        /// Somebody's own machine.
        Development = "development",
    }
}

words! {
    /// Whether an identity may act.
    IdentityStatus {
        /// May act.
        Active = "active",
        /// Stopped for now; one act undoes it.
        Suspended = "suspended",
        /// Left or retired.
        Disabled = "disabled",
    }
}

words! {
    /// How often the owner says that the identity works. Verdicts on disuse wait for long seasons.
    Seasonality {
        /// Nothing declared: continuous.
        None = "none",
        /// Once a month.
        Monthly = "monthly",
        /// Once a quarter.
        Quarterly = "quarterly",
        /// Once a year.
        Annual = "annual",
    }
}

impl Seasonality {
    /// Ninety days of records show the needs of such an identity in part or not at all.
    pub const fn is_long(self) -> bool {
        matches!(self, Self::Quarterly | Self::Annual)
    }
}

words! {
    /// Who maintains an object. Nobody deletes what another origin owns.
    Origin {
        /// The configuration file.
        File = "file",
        /// The console, the command line or the admin API.
        Console = "console",
        /// A directory over SCIM.
        Scim = "scim",
        /// An import of files.
        Import = "import",
        /// portreeve itself, e.g. the demo.
        System = "system",
    }
}

/// Who answers for an object: a person, or a group of people (`group:<id>`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Owner {
    /// One person.
    Person(IdentityId),
    /// The active members of a group.
    Group(GroupId),
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(id) => write!(f, "{id}"),
            Self::Group(id) => write!(f, "group:{id}"),
        }
    }
}

impl From<Owner> for String {
    fn from(owner: Owner) -> String {
        owner.to_string()
    }
}

impl std::str::FromStr for Owner {
    type Err = base::id::BadId;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix("group:") {
            Some(group) => Ok(Self::Group(group.parse()?)),
            None => Ok(Self::Person(text.parse()?)),
        }
    }
}

impl TryFrom<String> for Owner {
    type Error = base::id::BadId;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Stable id.
    pub id: IdentityId,
    /// What it is.
    pub kind: IdentityKind,
    /// Display name, unique among identities.
    pub name: String,
    /// Who answers for it.
    pub owner: Option<Owner>,
    /// Where it belongs.
    pub environment: Environment,
    /// Why it exists, in the owner's words.
    pub purpose: Option<String>,
    /// Mail address of a person.
    pub email: Option<String>,
    /// Manager of a person.
    pub manager: Option<IdentityId>,
    /// Supplier, for third parties.
    pub vendor: Option<String>,
    /// End of the contract of a third party.
    pub contract_end: Option<Timestamp>,
    /// Whether it may act.
    pub status: IdentityStatus,
    /// When a person left.
    pub left_at: Option<Timestamp>,
    /// How often it works.
    pub seasonality: Seasonality,
    /// What else is known of it, e.g. `tenant`: each name with its values. Conditions compare
    /// objects with it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, Vec<String>>,
    /// Who maintains it.
    pub origin: Origin,
    /// When it came to be.
    pub created_at: Timestamp,
}

impl Identity {
    /// May act at `now`: active, and (a person) not gone.
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.status == IdentityStatus::Active && self.left_at.is_none_or(|left| left > now)
    }

    /// Not a person.
    pub fn is_non_human(&self) -> bool {
        self.kind != IdentityKind::Person
    }
}

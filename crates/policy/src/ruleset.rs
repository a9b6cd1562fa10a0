//! The ruleset itself: what it holds, how it is made, and the plain questions.

use std::collections::BTreeSet;
use std::sync::Arc;

use base::{ApiId, CredentialId, Digest, GrantId, GroupId, IdentityId, Problem};
use catalog::Api;
use catalog::spelling::with_plain_marks;
use grant::{GrantSubject, RoleTable};

use crate::absorb::Change;
use crate::contracts::{CheckedContract, Contracts};
use crate::credentials::Proofs;
use crate::guard::Guard;
use crate::holdings::{Circle, Subject};
use crate::nesting::Nesting;
use crate::numbers::Numbers;
use crate::relations::Relations;
use crate::roles::Roles;
use crate::rollout::Rollout;
use crate::routes::{ApiEntry, Located, Routes};
use crate::shards::Shards;

/// Everything the gate decides by, at one version. Immutable; [`Ruleset::apply`] makes the next
/// one and shares what did not change.
#[derive(Debug, Clone)]
pub struct Ruleset {
    pub(crate) version: u64,
    /// How often something was changed that no change of the state has a number for.
    pub(crate) edition: u64,
    pub(crate) routes: Arc<Routes>,
    pub(crate) numbers: Arc<Numbers>,
    pub(crate) subjects: Shards<IdentityId, Arc<Subject>>,
    pub(crate) circles: Shards<GroupId, Arc<Circle>>,
    pub(crate) proofs: Shards<Digest, Proofs>,
    pub(crate) roles: Arc<Roles>,
    pub(crate) relations: Shards<GrantSubject, Relations>,
    /// Names of relations that sources answer for. What is stored under them does not count.
    pub(crate) looked_up: Arc<BTreeSet<String>>,
    /// Which groups each group has in it, where it has any.
    pub(crate) nesting: Arc<Nesting>,
    pub(crate) contracts: Arc<Contracts>,
    pub(crate) guard: Option<Arc<dyn Guard>>,
    /// A change that is tried out beside it. Most of the time there is none.
    pub(crate) rollout: Option<Arc<Rollout>>,
    /// Where each credential is filed, to move it when its lookup value changes.
    pub(crate) credential_homes: Shards<CredentialId, Digest>,
    /// Who holds each grant, to move it when its subject changes.
    pub(crate) grant_homes: Shards<GrantId, GrantSubject>,
}

impl Ruleset {
    /// No API, nobody, version 0: refuses everything.
    pub fn empty() -> Self {
        Self {
            version: 0,
            edition: 0,
            routes: Arc::default(),
            numbers: Arc::default(),
            subjects: Shards::default(),
            circles: Shards::default(),
            proofs: Shards::default(),
            roles: Arc::default(),
            relations: Shards::default(),
            looked_up: Arc::default(),
            nesting: Arc::default(),
            contracts: Arc::default(),
            guard: None,
            rollout: None,
            credential_homes: Shards::default(),
            grant_homes: Shards::default(),
        }
    }

    /// The sequence number of the last change that is in it.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Tells it from every other ruleset that was published before or after it: its version, and
    /// how often it was made anew without a change of the state.
    pub fn edition(&self) -> (u64, u64) {
        (self.version, self.edition)
    }

    /// The ruleset of a whole state, in any order. The last of several changes to one object
    /// counts.
    pub fn build(version: u64, state: impl IntoIterator<Item = Change>) -> Result<Self, Problem> {
        let mut built = Self { version, ..Self::empty() };
        built.absorb(state, false)?;
        Ok(built)
    }

    /// The next ruleset. On error nothing changed: the present one stays as it is.
    pub fn apply(
        &self,
        version: u64,
        changes: impl IntoIterator<Item = Change>,
    ) -> Result<Self, Problem> {
        let mut next = self.clone();
        next.version = version;
        next.absorb(changes, true)?;
        Ok(next)
    }

    /// The same ruleset, in which these relations are looked up and no others. Every ruleset that
    /// is made of it looks up the same.
    #[must_use]
    pub fn looking_up(&self, relations: BTreeSet<String>) -> Self {
        let edition = self.edition + 1;
        let (looked_up, rollout) = (Arc::new(relations), None);
        let mut next = Self { edition, looked_up, rollout, ..self.clone() };
        if let Some(rollout) = &self.rollout {
            let (trial, broken) = (rollout.trial.clone(), rollout.broken().map(str::to_owned));
            next.rollout = Some(Arc::new(Rollout::over(&next, trial, broken)));
        }
        next
    }

    /// Whether a source answers for this relation.
    pub fn looks_up(&self, relation: &str) -> bool {
        self.looked_up.contains(relation)
    }

    /// The relations that sources answer for.
    pub fn looked_up(&self) -> &BTreeSet<String> {
        &self.looked_up
    }

    /// Which API and operation a request is for: `method` as sent, `host` in lower case without
    /// port, canonical `path` without query.
    ///
    /// A path of which two readings lead to different APIs is for none of them.
    pub fn locate(&self, method: &str, host: Option<&str>, path: &str) -> Located<'_> {
        let mut api = self.routes.find(host, path);
        if let Some(other) = with_plain_marks(path) {
            let same = |entry: &&ApiEntry| {
                self.routes.find(host, &other).is_some_and(|other| std::ptr::eq(*entry, other))
            };
            api = api.filter(same);
        }
        Located { api, operation: api.and_then(|entry| entry.operation(method, path)) }
    }

    /// An API.
    pub fn api(&self, id: &ApiId) -> Option<&Arc<Api>> {
        self.entry(id).map(ApiEntry::api)
    }

    /// An API with its templates compiled.
    pub fn entry(&self, id: &ApiId) -> Option<&ApiEntry> {
        self.routes.get(id)
    }

    /// All APIs, in no particular order.
    pub fn apis(&self) -> impl Iterator<Item = &Arc<Api>> {
        self.routes.all().map(ApiEntry::api)
    }

    /// What messages of an API are checked against; `None` = they are not.
    pub fn contract(&self, id: &ApiId) -> Option<&Arc<CheckedContract>> {
        self.contracts.get(id)
    }

    /// The guardrails, where there are any.
    pub fn guard(&self) -> Option<&Arc<dyn Guard>> {
        self.guard.as_ref()
    }

    /// The roles.
    pub fn roles(&self) -> &RoleTable {
        self.roles.table()
    }

    /// How many grants it knows, in force or not.
    pub fn grants_count(&self) -> usize {
        self.grant_homes.len()
    }
}

//! Roles: named sets of operations of one API, made of operations and of other roles.

use std::collections::{BTreeMap, BTreeSet};

use base::{ApiId, RoleId, Timestamp};
use identity::Origin;
use serde::{Deserialize, Serialize};

use crate::{Grant, OperationSet};

/// A named set of operations of one API. A grant that gives it covers what it covers at the time
/// of the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// Stable id.
    pub id: RoleId,
    /// Display name.
    pub name: String,
    /// The API whose operations it names.
    pub api: ApiId,
    /// Operations that it covers itself.
    pub operations: OperationSet,
    /// Roles of the same API whose operations it covers too (role hierarchy, NIST RBAC level 2).
    pub includes: BTreeSet<RoleId>,
    /// Nothing is covered through a role that was removed; its row stays, for grants name it.
    pub removed: bool,
    /// Who maintains it.
    pub origin: Origin,
    /// When it came to be.
    pub created_at: Timestamp,
}

/// All roles, and what each of them comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoleTable(BTreeMap<RoleId, Role>);

impl RoleTable {
    /// Adds a role, or replaces what it was.
    pub fn put(&mut self, role: Role) {
        self.0.insert(role.id.clone(), role);
    }

    /// One role, removed or not.
    pub fn get(&self, id: &RoleId) -> Option<&Role> {
        self.0.get(id)
    }

    /// Every role, sorted by id.
    pub fn iter(&self) -> impl Iterator<Item = &Role> {
        self.0.values()
    }

    /// What a role covers on an API: its own operations and those of the roles of the same API that
    /// it includes. A role that includes itself, however indirectly, covers no more by it.
    pub fn covers(&self, id: &RoleId, api: &ApiId) -> OperationSet {
        let mut seen = BTreeSet::from([id]);
        let mut open = vec![id];
        let mut covered = OperationSet::Only(BTreeSet::new());
        while let Some(next) = open.pop() {
            let role = self.0.get(next).filter(|role| !role.removed && role.api == *api);
            if let Some(role) = role {
                covered = covered.union(&role.operations);
                open.extend(role.includes.iter().filter(|id| seen.insert(id)));
            }
        }
        covered
    }

    /// Whether `id` includes `other`, however indirectly, or is it.
    pub fn includes(&self, id: &RoleId, other: &RoleId) -> bool {
        let mut seen = BTreeSet::from([id]);
        let mut open = vec![id];
        while let Some(next) = open.pop() {
            if next == other {
                return true;
            }
            let included = self.0.get(next).into_iter().flat_map(|role| &role.includes);
            open.extend(included.filter(|id| seen.insert(id)));
        }
        false
    }

    /// The grant with the operations of its roles among its own, as they are now, and without the
    /// roles: what it comes to today, for whoever counts and compares operations.
    #[must_use]
    pub fn flatten(&self, grant: &Grant) -> Grant {
        let mut flat = grant.clone();
        for role in std::mem::take(&mut flat.roles) {
            flat.operations = flat.operations.union(&self.covers(&role, &grant.api));
        }
        flat
    }
}

impl FromIterator<Role> for RoleTable {
    fn from_iter<T: IntoIterator<Item = Role>>(roles: T) -> Self {
        let mut table = Self::default();
        roles.into_iter().for_each(|role| table.put(role));
        table
    }
}

#[cfg(test)]
mod tests;

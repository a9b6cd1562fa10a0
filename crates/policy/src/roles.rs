//! Roles: what each covers, as numbers.

use std::sync::Arc;

use base::RoleId;
use grant::{Role, RoleTable};
use rustc_hash::FxHashMap;

use crate::numbers::{ApiNumber, Numbers, OperationNumber, Operations};

/// All roles. There are few of them and they change seldom, so what each covers is worked out anew
/// whenever one of them changes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Roles {
    table: RoleTable,
    covers: FxHashMap<RoleId, (ApiNumber, Operations)>,
}

impl Roles {
    pub(crate) fn put(&mut self, role: Role, numbers: &mut Arc<Numbers>) {
        self.table.put(role);
        let covered = |role: &Role| {
            let api = numbers.take_api(&role.api);
            let set = self.table.covers(&role.id, &role.api);
            (role.id.clone(), (api, numbers.take_set(api, &set)))
        };
        self.covers = self.table.iter().map(covered).collect();
    }

    /// Whether a role of this API covers the operation.
    pub(crate) fn cover(&self, id: &RoleId, api: ApiNumber, operation: OperationNumber) -> bool {
        let covers = |(of, set): &(ApiNumber, Operations)| *of == api && set.contains(operation);
        self.covers.get(id).is_some_and(covers)
    }

    pub(crate) fn table(&self) -> &RoleTable {
        &self.table
    }
}

//! What messages of each API are checked against. The ruleset only keeps it: checking takes a
//! message, which is not part of the decision who may do what.

use std::sync::Arc;

use base::ApiId;
use catalog::CheckMode;
use contract::{Contract, OperationContract};
use rustc_hash::FxHashMap;

use crate::Ruleset;

/// A contract, and what becomes of messages that break it.
#[derive(Debug)]
pub struct CheckedContract {
    /// The checks.
    pub contract: Contract,
    /// What becomes of requests.
    pub requests: CheckMode,
    /// What becomes of responses.
    pub responses: CheckMode,
}

impl CheckedContract {
    /// The checks of an operation; `None` when the document does not have it.
    pub fn operation(&self, id: &base::OperationId) -> Option<&OperationContract> {
        self.contract.operation(id)
    }
}

/// By API.
pub(crate) type Contracts = FxHashMap<ApiId, Arc<CheckedContract>>;

impl Ruleset {
    pub(crate) fn put_contract(&mut self, api: ApiId, contract: Option<Arc<CheckedContract>>) {
        let contracts = Arc::make_mut(&mut self.contracts);
        match contract {
            Some(contract) => contracts.insert(api, contract),
            None => contracts.remove(&api),
        };
    }
}

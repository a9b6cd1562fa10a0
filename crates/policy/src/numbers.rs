//! Small numbers for APIs and operations, so that a grant costs bytes instead of strings.
//!
//! Numbers are given once and never taken back: an operation that leaves its API and comes back
//! has the same number, so importing a new document touches no grant. What is given up is the
//! memory of names that no longer exist, until the next start.

use std::sync::Arc;

use base::{ApiId, OperationId, RoleId};
use grant::OperationSet;
use rustc_hash::FxHashMap;

/// The number of an API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ApiNumber(u32);

/// The number of an operation within its API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OperationNumber(u32);

type OperationNumbers = FxHashMap<OperationId, OperationNumber>;

#[derive(Debug, Clone, Default)]
pub(crate) struct Numbers {
    apis: FxHashMap<ApiId, ApiNumber>,
    operations: Vec<Arc<OperationNumbers>>,
}

impl Numbers {
    pub(crate) fn api(&self, id: &ApiId) -> Option<ApiNumber> {
        self.apis.get(id).copied()
    }

    pub(crate) fn operation(&self, api: ApiNumber, id: &OperationId) -> Option<OperationNumber> {
        self.table(api)?.get(id).copied()
    }

    fn table(&self, api: ApiNumber) -> Option<&Arc<OperationNumbers>> {
        self.operations.get(usize::try_from(api.0).ok()?)
    }

    /// The number of an API, given now if it has none.
    pub(crate) fn take_api(self: &mut Arc<Self>, id: &ApiId) -> ApiNumber {
        if let Some(known) = self.api(id) {
            return known;
        }
        let numbers = Arc::make_mut(self);
        let fresh = ApiNumber(u32::try_from(numbers.operations.len()).unwrap_or(u32::MAX));
        numbers.apis.insert(id.clone(), fresh);
        numbers.operations.push(Arc::default());
        fresh
    }

    /// The numbers of the operations of a grant, given now where they are missing.
    pub(crate) fn take_set(self: &mut Arc<Self>, api: ApiNumber, set: &OperationSet) -> Operations {
        let ids = match set {
            OperationSet::All(_) => return Operations::All,
            OperationSet::Only(ids) => ids,
        };
        let mut bits = Bits::default();
        for id in ids {
            bits.set(self.take_operation(api, id));
        }
        bits.into_operations()
    }

    pub(crate) fn take_operation(
        self: &mut Arc<Self>,
        api: ApiNumber,
        id: &OperationId,
    ) -> OperationNumber {
        if let Some(known) = self.operation(api, id) {
            return known;
        }
        let table = usize::try_from(api.0).ok();
        let numbers = Arc::make_mut(self);
        let Some(table) = table.and_then(|index| numbers.operations.get_mut(index)) else {
            // `api` came from `take_api`, so its table is there; this number is in no set.
            return OperationNumber(u32::MAX);
        };
        let table = Arc::make_mut(table);
        let fresh = OperationNumber(u32::try_from(table.len()).unwrap_or(u32::MAX));
        table.insert(id.clone(), fresh);
        fresh
    }
}

/// The operations that a grant covers, as bits by number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Operations {
    /// Every operation, also those added later.
    All,
    /// Numbers below 64.
    Few(u64),
    /// Any numbers, 64 per word; behind one pointer, because every grant pays for the largest form.
    Many(Arc<Box<[u64]>>),
    /// These, and what roles cover at the time.
    WithRoles(Arc<(Operations, Box<[RoleId]>)>),
}

impl Operations {
    /// What it covers by itself; roles not counted.
    pub(crate) fn contains(&self, operation: OperationNumber) -> bool {
        let (word, bit) = (operation.0 / 64, 1u64 << (operation.0 % 64));
        match self {
            Self::All => true,
            Self::Few(bits) => word == 0 && bits & bit != 0,
            Self::Many(words) => usize::try_from(word)
                .ok()
                .and_then(|word| words.get(word))
                .is_some_and(|bits| bits & bit != 0),
            Self::WithRoles(both) => both.0.contains(operation),
        }
    }

    /// The roles whose operations count too.
    pub(crate) fn roles(&self) -> &[RoleId] {
        match self {
            Self::WithRoles(both) => &both.1,
            Self::All | Self::Few(_) | Self::Many(_) => &[],
        }
    }

    pub(crate) fn with_roles(self, roles: impl IntoIterator<Item = RoleId>) -> Self {
        let roles: Box<[RoleId]> = roles.into_iter().collect();
        if roles.is_empty() { self } else { Self::WithRoles(Arc::new((self, roles))) }
    }
}

#[derive(Default)]
struct Bits(Vec<u64>);

impl Bits {
    fn set(&mut self, operation: OperationNumber) {
        // Numbers are given in order, so this stays as short as the API has operations. The one
        // number that stands for "none" is left out.
        if operation.0 == u32::MAX {
            return;
        }
        let word = usize::try_from(operation.0 / 64).unwrap_or(0);
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        if let Some(bits) = self.0.get_mut(word) {
            *bits |= 1 << (operation.0 % 64);
        }
    }

    fn into_operations(self) -> Operations {
        match self.0.as_slice() {
            [] => Operations::Few(0),
            [bits] => Operations::Few(*bits),
            words => Operations::Many(Arc::new(words.into())),
        }
    }
}

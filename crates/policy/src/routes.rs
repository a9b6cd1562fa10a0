//! Which API and which operation a request is for.

use std::sync::Arc;

use base::{ApiId, OperationId, Problem};
use catalog::{Api, Matcher, Operation};
use rustc_hash::FxHashMap;

use crate::numbers::{ApiNumber, OperationNumber};

/// An API with its templates compiled.
#[derive(Debug, Clone)]
pub struct ApiEntry {
    api: Arc<Api>,
    matcher: Matcher,
    by_id: FxHashMap<OperationId, usize>,
    number: ApiNumber,
    /// Of each operation, in the order of the API.
    numbers: Box<[OperationNumber]>,
}

/// The numbers of an API and of its operations, in the order of the API.
pub(crate) type Numbered = (ApiNumber, Box<[OperationNumber]>);

impl ApiEntry {
    /// The API.
    pub fn api(&self) -> &Arc<Api> {
        &self.api
    }

    /// The operation for a method as sent and a canonical path without query.
    pub fn operation(&self, method: &str, path: &str) -> Option<&Operation> {
        self.api.operations.get(self.matcher.find(method, path)?)
    }

    /// The operation with an id.
    pub fn operation_by_id(&self, id: &OperationId) -> Option<&Operation> {
        self.api.operations.get(*self.by_id.get(id)?)
    }

    /// The numbers by which grants know the API and an operation of it.
    pub(crate) fn numbered(&self, operation: &Operation) -> Option<(ApiNumber, OperationNumber)> {
        let known = self.position(operation).or_else(|| self.by_id.get(&operation.id).copied())?;
        Some((self.number, *self.numbers.get(known)?))
    }

    /// Where an operation stands among those of the API, by its address: nearly always it is a
    /// reference to one of them, and then no id has to be looked at.
    fn position(&self, operation: &Operation) -> Option<usize> {
        let address = |one: &Operation| std::ptr::from_ref(one).addr();
        let offset = address(operation).checked_sub(address(self.api.operations.first()?))?;
        let position = offset / size_of::<Operation>();
        let own = self.api.operations.get(position)?;
        std::ptr::eq(own, operation).then_some(position)
    }

    fn new(api: Api, (number, numbers): Numbered) -> Result<Self, Problem> {
        let place = format!("API `{}`", api.name);
        let is_prefix = api.path == "/" || (api.path.starts_with('/') && !api.path.ends_with('/'));
        if !is_prefix || api.path.contains("//") {
            let detail = format!("`{}` is not a path prefix", api.path);
            return Err(Problem::invalid("bad_api_path", detail)
                .at(place)
                .hint("begin with a slash and end without one, e.g. `/orders`"));
        }
        let matcher = Matcher::new(&api.operations).map_err(|problem| {
            let within = problem.place.clone().unwrap_or_default();
            problem.at(format!("{place}, {within}"))
        })?;
        let by_id = api.operations.iter().enumerate().map(|(at, op)| (op.id.clone(), at)).collect();
        Ok(Self { api: Arc::new(api), matcher, by_id, number, numbers })
    }

    fn answers_to(&self, host: Option<&str>) -> bool {
        self.api.hosts.is_empty()
            || host.is_some_and(|host| self.api.hosts.iter().any(|known| known == host))
    }

    /// Some host reaches both. (One that answers to any host gives way to one that names it.)
    fn collides_with(&self, other: &Self) -> bool {
        let (mine, theirs) = (&self.api.hosts, &other.api.hosts);
        (mine.is_empty() && theirs.is_empty()) || mine.iter().any(|host| theirs.contains(host))
    }
}

/// What a request is for, as far as it is known.
#[derive(Debug, Clone, Copy)]
pub struct Located<'r> {
    /// The API with this host and path.
    pub api: Option<&'r ApiEntry>,
    /// Its operation with this method and path.
    pub operation: Option<&'r Operation>,
}

/// All APIs, by id and by path prefix.
#[derive(Debug, Clone, Default)]
pub(crate) struct Routes {
    by_id: FxHashMap<ApiId, Arc<ApiEntry>>,
    by_prefix: FxHashMap<Box<str>, Vec<Arc<ApiEntry>>>,
    /// Length of the longest prefix, so that a long path costs no more look-ups than that.
    longest: usize,
}

impl Routes {
    pub(crate) fn get(&self, id: &ApiId) -> Option<&ApiEntry> {
        self.by_id.get(id).map(AsRef::as_ref)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &ApiEntry> {
        self.by_id.values().map(AsRef::as_ref)
    }

    pub(crate) fn put(&mut self, api: Api, numbered: Numbered) -> Result<(), Problem> {
        self.by_id.insert(api.id.clone(), Arc::new(ApiEntry::new(api, numbered)?));
        Ok(())
    }

    pub(crate) fn remove(&mut self, id: &ApiId) {
        self.by_id.remove(id);
    }

    /// Rebuilds the index by prefix. Refuses two APIs that one request could be for.
    pub(crate) fn index(&mut self) -> Result<(), Problem> {
        self.by_prefix.clear();
        self.longest = 0;
        let mut entries: Vec<_> = self.by_id.values().map(Arc::clone).collect();
        entries.sort_by(|one, other| one.api.id.cmp(&other.api.id));
        for entry in entries {
            self.longest = self.longest.max(entry.api.path.len());
            let slot = self.by_prefix.entry(entry.api.path.as_str().into()).or_default();
            if let Some(twin) = slot.iter().find(|twin| twin.collides_with(&entry)) {
                let detail = format!(
                    "APIs `{}` and `{}` both answer to {} on the same host",
                    twin.api.name, entry.api.name, entry.api.path
                );
                return Err(Problem::conflict("route_taken", detail)
                    .at(format!("API `{}`", entry.api.name))
                    .hint("give one of them another path or other hosts"));
            }
            slot.push(entry);
        }
        Ok(())
    }

    /// The API with the longest prefix that ends at a segment boundary of `path` and answers to
    /// `host`; of two with one prefix the one that names the host.
    pub(crate) fn find(&self, host: Option<&str>, path: &str) -> Option<&ApiEntry> {
        let boundary =
            |length: &usize| *length == path.len() || path.as_bytes().get(*length) == Some(&b'/');
        (1..=path.len().min(self.longest))
            .rev()
            .filter(boundary)
            .filter_map(|length| path.get(..length))
            .chain(path.starts_with('/').then_some("/"))
            .filter_map(|prefix| self.by_prefix.get(prefix))
            .find_map(|slot| {
                let answering = || slot.iter().filter(|entry| entry.answers_to(host));
                answering().find(|entry| !entry.api.hosts.is_empty()).or(answering().next())
            })
            .map(AsRef::as_ref)
    }
}

//! Reading the whole access state in batches, so that a million grants need the memory of one
//! batch.

use base::IdentityId;

use super::{GrantFilter, IdentityFilter, grant};
use crate::sql::Row;
use crate::{Object, RolledOut, Snapshot, StoreError};

/// Objects per batch. Large enough that the statement's cost vanishes, small enough to hold.
const BATCH: u32 = 5_000;
/// The same for relations, each of which may name many objects.
const RELATIONS_BATCH: u32 = 500;
/// The same for contracts, each with a document of up to some megabytes.
const CONTRACTS_BATCH: u32 = 4;

/// Where a load stands. APIs, identities and groups come before the credentials and grants that
/// name them.
#[derive(Debug, Clone, Default)]
pub enum Cursor {
    /// Nothing was read yet.
    #[default]
    Start,
    /// Contracts of APIs after this id are next.
    Contracts(String),
    /// Identities after this id are next.
    Identities(String),
    /// Groups, roles and guardrails are next.
    Groups,
    /// Relations after this subject and name are next.
    Relations(Option<(String, String)>),
    /// Credentials after this id are next.
    Credentials(String),
    /// Grants after this id are next.
    Grants(String),
    /// Everything was read.
    End,
}

/// Objects as they were read. What makes objects of rows costs as much as reading them, so it can
/// be done on another thread.
#[derive(Debug)]
pub struct Batch(Read);

#[derive(Debug)]
enum Read {
    Objects(Vec<Object>),
    Grants(Vec<Row>),
}

impl Batch {
    /// The objects. What does not decode is a corrupt store.
    pub fn objects(self) -> Result<Vec<Object>, StoreError> {
        match self.0 {
            Read::Objects(objects) => Ok(objects),
            Read::Grants(rows) => {
                rows.into_iter().map(|row| grant::read(row).map(Object::Grant)).collect()
            }
        }
    }
}

impl Snapshot {
    /// The next batch and where it leaves the cursor. An empty batch is not the end:
    /// [`Cursor::End`] is. Revoked credentials and grants come too, for they can be explained.
    pub async fn load(&mut self, cursor: Cursor) -> Result<(Batch, Cursor), StoreError> {
        match cursor {
            Cursor::Start => {
                let apis = self.apis().await?;
                Ok((wrap(apis, Object::Api), Cursor::Contracts(String::new())))
            }
            Cursor::Contracts(after) => {
                let batch = self.contracts_in_use(&after, CONTRACTS_BATCH).await?;
                let end = || Cursor::Identities(String::new());
                let last = batch.last().map(|last| last.api.to_string());
                Ok((wrap(batch, Object::Contract), last.map_or_else(end, Cursor::Contracts)))
            }
            Cursor::Identities(after) => {
                let batch = self.identities(&IdentityFilter::default(), &after, BATCH).await?;
                let last = batch.last().map(|last| last.id.to_string());
                Ok((wrap(batch, Object::Identity), last.map_or(Cursor::Groups, Cursor::Identities)))
            }
            Cursor::Groups => {
                let mut objects: Vec<_> =
                    self.groups().await?.into_iter().map(Object::Group).collect();
                objects.extend(self.roles().await?.into_iter().map(Object::Role));
                objects.extend(self.guardrails().await?.into_iter().map(Object::Guardrails));
                if let Some(rollout) = self.open_rollout().await? {
                    objects.push(Object::Rollout(RolledOut::of(rollout)?));
                }
                Ok((Batch(Read::Objects(objects)), Cursor::Relations(None)))
            }
            Cursor::Relations(after) => {
                let batch = self.relations(after.as_ref(), RELATIONS_BATCH).await?;
                let end = || Cursor::Credentials(String::new());
                let last = batch.last().map(|last| (last.subject.to_string(), last.name.clone()));
                let next = last.map_or_else(end, |last| Cursor::Relations(Some(last)));
                Ok((wrap(batch, Object::Relation), next))
            }
            Cursor::Credentials(after) => {
                let batch = self.credentials(&after, BATCH).await?;
                let end = || Cursor::Grants(String::new());
                let last = batch.last().map(|last| last.id.to_string());
                Ok((wrap(batch, Object::Credential), last.map_or_else(end, Cursor::Credentials)))
            }
            Cursor::Grants(after) => {
                let rows = self.grant_rows(&GrantFilter::default(), &after, BATCH).await?;
                let last = rows.last().and_then(Row::first_text).map(str::to_owned);
                Ok((Batch(Read::Grants(rows)), last.map_or(Cursor::End, Cursor::Grants)))
            }
            Cursor::End => Ok((Batch(Read::Objects(Vec::new())), Cursor::End)),
        }
    }

    /// Whether `person` is a member of `group` in this state.
    pub async fn is_member(
        &mut self,
        person: &IdentityId,
        group: &str,
    ) -> Result<bool, StoreError> {
        Ok(self.groups_of(person.as_str()).await?.iter().any(|id| id.as_str() == group))
    }
}

fn wrap<T>(batch: Vec<T>, object: impl Fn(T) -> Object) -> Batch {
    Batch(Read::Objects(batch.into_iter().map(object).collect()))
}

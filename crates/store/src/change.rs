//! The change log: what happened, in the order of commits, and how nodes follow it.

use base::{ActorId, ApiId, Timestamp};
use catalog::{Api, ContractSource};
use grant::rollout::Edit;
use grant::{Grant, Guardrails, Relation, Role};
use identity::{Credential, Group, Identity};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::rollout::RolledOut;
use crate::sql::{Connection, Row, Value};
use crate::{Channel, NewChange, StoreError};

/// An object that the gate decides by, in full, as it is after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Object {
    /// An API, new or changed.
    Api(Api),
    /// An API that is gone.
    ApiRemoved(ApiId),
    /// An identity.
    Identity(Identity),
    /// A group with its members.
    Group(Group),
    /// A credential.
    Credential(Credential),
    /// A grant.
    Grant(Grant),
    /// A role.
    Role(Role),
    /// A relation of a subject to objects.
    Relation(Relation),
    /// The guardrails.
    Guardrails(Guardrails),
    /// The contract of an API, new or changed.
    Contract(ContractSource),
    /// An API has no contract any more.
    ContractRemoved(ApiId),
    /// A change that is being rolled out, or was.
    Rollout(RolledOut),
}

impl Object {
    /// The object of a change; `None` for kinds that the gate does not decide by.
    pub(crate) fn of_change(change: &NewChange) -> Result<Option<Self>, StoreError> {
        Self::of(change.kind, &change.id, change.after.clone())
    }

    /// What a change makes of this object, as it can be kept; `None` for what no change set makes.
    pub fn edit(&self) -> Result<Option<Edit>, StoreError> {
        fn edit<T: Serialize>(
            kind: &str,
            id: impl ToString,
            object: &T,
        ) -> Result<Option<Edit>, StoreError> {
            let after = serde_json::to_value(object);
            let after = after.map_err(|error| StoreError::corrupt("json", error))?;
            Ok(Some(Edit { kind: kind.to_owned(), id: id.to_string(), after }))
        }
        match self {
            Self::Api(api) => edit("api", &api.id, api),
            Self::Grant(grant) => edit("grant", &grant.id, grant),
            Self::Role(role) => edit("role", &role.id, role),
            Self::Guardrails(set) => edit("guardrails", crate::GUARDRAILS_ID, set),
            Self::ApiRemoved(_)
            | Self::Identity(_)
            | Self::Group(_)
            | Self::Credential(_)
            | Self::Relation(_)
            | Self::Contract(_)
            | Self::ContractRemoved(_)
            | Self::Rollout(_) => Ok(None),
        }
    }

    pub(crate) fn of(
        kind: &str,
        id: &str,
        after: Option<Json>,
    ) -> Result<Option<Self>, StoreError> {
        let Some(after) = after else {
            let gone = || id.parse().map_err(|_| StoreError::corrupt("api id", id));
            return Ok(match kind {
                "api" => Some(Self::ApiRemoved(gone()?)),
                "contract" => Some(Self::ContractRemoved(gone()?)),
                _ => None,
            });
        };
        Ok(match kind {
            "api" => Some(Self::Api(read(after)?)),
            "identity" => Some(Self::Identity(read(after)?)),
            "group" => Some(Self::Group(read(after)?)),
            "credential" => Some(Self::Credential(read(after)?)),
            "grant" => Some(Self::Grant(read(after)?)),
            "role" => Some(Self::Role(read(after)?)),
            "relation" => Some(Self::Relation(read(after)?)),
            "guardrails" => Some(Self::Guardrails(read(after)?)),
            "contract" => Some(Self::Contract(read(after)?)),
            "rollout" => Some(Self::Rollout(RolledOut::of(read(after)?)?)),
            _ => None,
        })
    }
}

fn read<T: DeserializeOwned>(json: Json) -> Result<T, StoreError> {
    serde_json::from_value(json).map_err(|error| StoreError::corrupt("change", error))
}

/// One step of the state, as far as the gate needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Position in the change log, from one, without gaps.
    pub sequence: u64,
    /// The object after it; `None` when the gate does not decide by it.
    pub object: Option<Object>,
}

/// One row of the change log, for people.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeRow {
    /// Position.
    pub sequence: u64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: ActorId,
    /// Through which door.
    pub channel: Channel,
    /// Event code.
    pub event: String,
    /// Kind of object.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// Before.
    pub before: Option<Json>,
    /// After.
    pub after: Option<Json>,
    /// Why, in the actor's words.
    pub note: Option<String>,
}

impl Connection {
    /// The sequence of the last change. With `lock`, no other writer gets past this point until
    /// the transaction ends: that is what makes sequences gap-free and ordered by commit.
    pub(crate) async fn head(&mut self, lock: bool) -> Result<u64, StoreError> {
        let sql = match lock && self.is_postgres() {
            true => "SELECT sequence FROM head WHERE one = 1 FOR UPDATE",
            // On SQLite, BEGIN IMMEDIATE has taken the one write lock already.
            false => "SELECT sequence FROM head WHERE one = 1",
        };
        let row = self.fetch_first(sql, vec![]).await?;
        row.ok_or_else(|| StoreError::corrupt("head", "no row"))?.count()
    }

    /// Changes after `sequence`, oldest first, at most `limit`.
    pub async fn changes_after(
        &mut self,
        sequence: u64,
        limit: u32,
    ) -> Result<Vec<Change>, StoreError> {
        const SQL: &str = "SELECT sequence, kind, id, after FROM change_log \
                           WHERE sequence > $1 ORDER BY sequence LIMIT $2";
        let rows = self.fetch(SQL, vec![Value::count(sequence), i64::from(limit).into()]).await?;
        rows.into_iter()
            .map(|mut row| {
                let sequence = row.count()?;
                let (kind, id) = (row.text()?, row.text()?);
                let object = Object::of(&kind, &id, row.maybe_json()?)?;
                Ok(Change { sequence, object })
            })
            .collect()
    }

    /// What happened to one object after a position, oldest first.
    pub async fn history_after(
        &mut self,
        kind: &str,
        id: &str,
        sequence: u64,
    ) -> Result<Vec<ChangeRow>, StoreError> {
        const SQL: &str = "SELECT sequence, at, actor, channel, event, kind, id, before, after, note \
             FROM change_log WHERE kind = $1 AND id = $2 AND sequence > $3 ORDER BY sequence";
        let values = vec![Value::text(kind), Value::text(id), Value::count(sequence)];
        self.fetch(SQL, values).await?.into_iter().map(change_row).collect()
    }

    /// Everything that happened to one object, oldest first.
    pub async fn history(&mut self, kind: &str, id: &str) -> Result<Vec<ChangeRow>, StoreError> {
        const SQL: &str = "SELECT sequence, at, actor, channel, event, kind, id, before, after, note \
                           FROM change_log WHERE kind = $1 AND id = $2 ORDER BY sequence";
        let rows = self.fetch(SQL, vec![Value::text(kind), Value::text(id)]).await?;
        rows.into_iter().map(change_row).collect()
    }
}

fn change_row(mut row: Row) -> Result<ChangeRow, StoreError> {
    Ok(ChangeRow {
        sequence: row.count()?,
        at: row.time()?,
        actor: row.parsed()?,
        channel: row.parsed()?,
        event: row.text()?,
        kind: row.text()?,
        id: row.text()?,
        before: row.maybe_json()?,
        after: row.maybe_json()?,
        note: row.maybe_text()?,
    })
}

//! APIs with their operations.

use base::ApiId;
use catalog::Api;

use crate::sql::{Connection, Row, Value};
use crate::{NewChange, StoreError, Tx};

const SELECT: &str = "SELECT id, name, hosts, path, upstream, mode, impact, owner, environment, \
                      accept, timeouts, limits, costs, operations, origin, created_at, protocol \
                      FROM api";

fn read(mut row: Row) -> Result<Api, StoreError> {
    Ok(Api {
        id: row.parsed()?,
        name: row.text()?,
        hosts: row.json()?,
        path: row.text()?,
        upstream: row.text()?,
        mode: row.parsed()?,
        impact: row.parsed()?,
        owner: row.maybe_text()?,
        environment: row.text()?,
        accept: row.json()?,
        timeouts: row.json()?,
        limits: row.json()?,
        costs: row.json()?,
        operations: row.json()?,
        origin: row.text()?,
        created_at: row.time()?,
        protocol: row.parsed()?,
    })
}

fn values(api: &Api) -> Result<Vec<Value>, StoreError> {
    Ok(vec![
        Value::text(&api.id),
        Value::text(&api.name),
        Value::json(&api.hosts)?,
        Value::text(&api.path),
        Value::text(&api.upstream),
        Value::text(api.mode),
        Value::text(api.impact),
        Value::maybe_text(api.owner.as_ref()),
        Value::text(&api.environment),
        Value::json(&api.accept)?,
        Value::json(&api.timeouts)?,
        Value::json(&api.limits)?,
        Value::json(&api.costs)?,
        Value::json(&api.operations)?,
        Value::text(&api.origin),
        api.created_at.into(),
        Value::text(api.protocol),
    ])
}

impl Connection {
    /// Every API, sorted by id.
    pub async fn apis(&mut self) -> Result<Vec<Api>, StoreError> {
        let rows = self.fetch(&format!("{SELECT} ORDER BY id"), vec![]).await?;
        rows.into_iter().map(read).collect()
    }

    /// One API.
    pub async fn api(&mut self, id: &str) -> Result<Option<Api>, StoreError> {
        let sql = format!("{SELECT} WHERE id = $1");
        self.fetch_first(&sql, vec![Value::text(id)]).await?.map(read).transpose()
    }

    /// One API by id, else by name.
    pub async fn api_by_id_or_name(&mut self, text: &str) -> Result<Option<Api>, StoreError> {
        let sql = format!("{SELECT} WHERE id = $1 OR name = $1 ORDER BY id <> $1");
        self.fetch_first(&sql, vec![Value::text(text)]).await?.map(read).transpose()
    }
}

impl Tx {
    /// Writes a new or changed API.
    pub async fn save_api(
        &mut self,
        event: audit::Event,
        before: Option<&Api>,
        api: &Api,
    ) -> Result<u64, StoreError> {
        let change = NewChange::new(event, "api", &api.id, before, Some(api))?;
        match before {
            None => {
                const INTO: &str = "api (id, name, hosts, path, upstream, mode, impact, owner, \
                                    environment, accept, timeouts, limits, costs, operations, \
                                    origin, created_at, protocol)";
                self.insert_rows(INTO, vec![values(api)?]).await?;
            }
            Some(_) => {
                const SQL: &str = "UPDATE api SET name = $2, hosts = $3, path = $4, upstream = $5, \
                                   mode = $6, impact = $7, owner = $8, environment = $9, \
                                   accept = $10, timeouts = $11, limits = $12, costs = $13, \
                                   operations = $14, origin = $15, created_at = $16, \
                                   protocol = $17 WHERE id = $1";
                self.change_one(SQL, values(api)?, "api", &api.id).await?;
            }
        }
        self.record(change).await
    }

    /// Takes an API out of the catalogue. Grants on it stay as they are: records name them.
    pub async fn remove_api(&mut self, api: &Api) -> Result<u64, StoreError> {
        let id: &ApiId = &api.id;
        let change = NewChange::new(audit::Event::ApiRemoved, "api", id, Some(api), None)?;
        self.change_one("DELETE FROM api WHERE id = $1", vec![Value::text(id)], "api", id).await?;
        self.record(change).await
    }
}

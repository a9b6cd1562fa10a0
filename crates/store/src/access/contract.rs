//! Contracts: the documents that messages are checked against.

use base::ApiId;
use catalog::ContractSource;

use crate::sql::{Connection, Row, Value};
use crate::{NewChange, StoreError, Tx};

const SELECT: &str = "SELECT api_id, name, document, requests, responses, closed, strict_query \
                      FROM contract";
const INTO: &str = "contract (api_id, name, document, requests, responses, closed, strict_query)";
const OVER: &str = "ON CONFLICT (api_id) DO UPDATE SET name = excluded.name, \
                    document = excluded.document, requests = excluded.requests, \
                    responses = excluded.responses, closed = excluded.closed, \
                    strict_query = excluded.strict_query";

fn read(mut row: Row) -> Result<ContractSource, StoreError> {
    Ok(ContractSource {
        api: row.parsed()?,
        name: row.text()?,
        document: row.text()?,
        requests: row.parsed()?,
        responses: row.parsed()?,
        closed: row.int()? != 0,
        strict_query: row.int()? != 0,
    })
}

fn values(contract: &ContractSource) -> Vec<Value> {
    vec![
        Value::text(&contract.api),
        Value::text(&contract.name),
        Value::text(&contract.document),
        Value::text(contract.requests),
        Value::text(contract.responses),
        i64::from(contract.closed).into(),
        i64::from(contract.strict_query).into(),
    ]
}

impl Connection {
    /// The contract of an API.
    pub async fn contract(&mut self, api: &ApiId) -> Result<Option<ContractSource>, StoreError> {
        let sql = format!("{SELECT} WHERE api_id = $1");
        self.fetch_first(&sql, vec![Value::text(api)]).await?.map(read).transpose()
    }

    /// Contracts that something is checked against, sorted by API, those after `after`, at most
    /// `limit`.
    pub async fn contracts_in_use(
        &mut self,
        after: &str,
        limit: u32,
    ) -> Result<Vec<ContractSource>, StoreError> {
        let sql = format!(
            "{SELECT} WHERE api_id > $1 AND (requests <> 'off' OR responses <> 'off') \
             ORDER BY api_id LIMIT $2"
        );
        let rows = self.fetch(&sql, vec![Value::text(after), i64::from(limit).into()]).await?;
        rows.into_iter().map(read).collect()
    }
}

impl Tx {
    /// Writes a new or changed contract. The change log has the document once for each change: of
    /// the one before, only its digest.
    pub async fn save_contract(
        &mut self,
        before: Option<&ContractSource>,
        contract: &ContractSource,
    ) -> Result<u64, StoreError> {
        let before = before.map(without_document);
        let event = audit::Event::ApiChecksChanged;
        let id = &contract.api;
        let change = NewChange::new(event, "contract", id, before.as_ref(), Some(contract))?;
        self.insert_rows_or(INTO, vec![values(contract)], OVER).await?;
        self.record(change).await
    }

    /// Removes the contract of an API.
    pub async fn remove_contract(&mut self, contract: &ContractSource) -> Result<u64, StoreError> {
        let (event, id) = (audit::Event::ApiChecksChanged, &contract.api);
        let before = without_document(contract);
        let change = NewChange::new(event, "contract", id, Some(&before), None)?;
        const SQL: &str = "DELETE FROM contract WHERE api_id = $1";
        self.change_one(SQL, vec![Value::text(id)], "contract", id).await?;
        self.record(change).await
    }
}

fn without_document(contract: &ContractSource) -> ContractSource {
    let digest = base::Digest::of(&[contract.document.as_bytes()]);
    ContractSource { document: format!("sha256:{}", digest.to_hex()), ..contract.clone() }
}

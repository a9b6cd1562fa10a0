//! What is checked of an API's messages: the document that it came with, and what becomes of
//! requests and responses that break it. A document that cannot be checked is refused where checks
//! are on: the ruleset compiles it before anything is committed.

use base::{ApiId, Problem};
use catalog::{CheckMode, ContractSource};
use contract::{Contract, Options};
use policy::{CheckedContract, Ruleset};
use store::{Connection, Tx};

use super::Given;
use crate::authority::Authority;
use crate::view::{ApiDetail, ChecksView, PutChecks};
use crate::{Actor, App, input};

impl App {
    /// Sets what is checked of the messages of an API. Returns when every live node does so.
    pub async fn set_checks(
        &self,
        actor: &Actor,
        id_or_name: &str,
        wanted: PutChecks,
    ) -> Result<ApiDetail, Problem> {
        let mut tx = self.begin(actor).await?;
        let authority = Authority::of(&mut tx, actor).await?;
        let api = self.seen_api(&mut tx, &authority, "api", id_or_name).await?;
        authority.must_administer("change what is checked of an API")?;
        let before = tx.contract(&api.id).await?.ok_or_else(|| no_document(&api.name))?;
        let after = with(&wanted, before.clone())?;
        if after != before {
            tx.save_contract(Some(&before), &after).await?;
        }
        self.settle(tx).await?;
        self.api(actor, api.id.as_str()).await
    }
}

/// Brings the contract of an API in line with the document that it is given. Without `wanted`, what
/// is checked stays. False when it is as it should be already.
pub(super) async fn save(
    tx: &mut Tx,
    api: &ApiId,
    given: Option<&Given>,
    wanted: Option<&PutChecks>,
) -> Result<bool, Problem> {
    let before = tx.contract(api).await?;
    let Some(given) = given else {
        if wanted.is_some() {
            return Err(no_document(api.as_str()).at("checks"));
        }
        if let Some(before) = &before {
            tx.remove_contract(before).await?;
        }
        return Ok(before.is_some());
    };
    let (name, document) = (given.name.clone(), given.text.clone());
    let plain = ContractSource::unchecked(api.clone(), name.clone(), document.clone());
    let after = match (wanted, &before) {
        (Some(wanted), _) => with(wanted, plain)?,
        (None, Some(before)) => ContractSource { name, document, ..before.clone() },
        (None, None) => plain,
    };
    if before.as_ref() == Some(&after) {
        return Ok(false);
    }
    tx.save_contract(before.as_ref(), &after).await?;
    Ok(true)
}

fn no_document(name: &str) -> Problem {
    Problem::conflict("no_document", format!("API `{name}` has no document to check against"))
        .hint(format!("portreeve api import {name} DOCUMENT"))
}

fn with(wanted: &PutChecks, source: ContractSource) -> Result<ContractSource, Problem> {
    let mode = |field: &str, text: &Option<String>, now: CheckMode| {
        text.as_deref().map_or(Ok(now), |text| input::word(field, text))
    };
    Ok(ContractSource {
        requests: mode("requests", &wanted.requests, source.requests)?,
        responses: mode("responses", &wanted.responses, source.responses)?,
        closed: wanted.closed.unwrap_or(source.closed),
        strict_query: wanted.strict_query.unwrap_or(source.strict_query),
        ..source
    })
}

/// The checks, compiled; `None` where nothing is checked.
pub(crate) fn compiled(source: &ContractSource) -> Result<Option<CheckedContract>, Problem> {
    if !source.is_used() {
        return Ok(None);
    }
    let (requests, responses) = (source.requests, source.responses);
    Ok(Some(CheckedContract { contract: compile(source)?, requests, responses }))
}

fn compile(source: &ContractSource) -> Result<Contract, Problem> {
    let options = Options { strict_query: source.strict_query, closed: source.closed };
    Contract::compile(&source.document, &source.name, options)
}

/// What is checked of an API's messages, as it is shown; `None` when it has no document.
pub(super) async fn view(
    state: &mut Connection,
    api: &ApiId,
    ruleset: &Ruleset,
) -> Result<Option<ChecksView>, Problem> {
    let Some(source) = state.contract(api).await? else { return Ok(None) };
    let notes = ruleset.contract(api).map(|checked| checked.contract.notes().to_vec());
    Ok(Some(ChecksView {
        document: source.name,
        requests: source.requests.to_string(),
        responses: source.responses.to_string(),
        closed: source.closed,
        strict_query: source.strict_query,
        notes: notes.unwrap_or_default(),
    }))
}

/// Says of a document that was just taken without checks why it could not be checked.
pub(super) fn note(detail: &mut ApiDetail, given: &Given) {
    let Some(checks) = &mut detail.checks else { return };
    if checks.requests == CheckMode::Off.as_str() && checks.responses == CheckMode::Off.as_str() {
        let tried = Contract::compile(&given.text, &given.name, Options::default());
        checks.notes.extend(tried.err().map(|why| format!("messages cannot be checked: {why}")));
    }
}

//! Calls: the records of this node's gate, newest first, for those who may see them. A member sees
//! calls of the identities and to the APIs that they answer for, and nothing of the others.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use base::{
    ApiId, CredentialId, GrantId, IdentityId, OperationId, Problem, RequestId, Span, Timestamp,
};
use decision_log::{DecisionLog, Found};
use policy::Ruleset;
use tokio::sync::OwnedSemaphorePermit;
use traffic::{CallRecord, FieldsSeen, Outcome, Reason};

use crate::authority::Authority;
use crate::identity::seen_identity;
use crate::usage::unreadable;
use crate::view::{CallQuery, CallRollout, CallView, FieldsSeenView, Page};
use crate::{Actor, App, input};

/// Rows of a page unless asked otherwise, and at most.
const PAGE: u32 = 100;
const PAGE_MAX: u32 = 10_000;

/// Whose calls an actor sees.
#[derive(Debug, Clone)]
pub(crate) enum Sight {
    /// Everybody's.
    All,
    /// Of these identities, or to these APIs.
    Own { identities: BTreeSet<IdentityId>, apis: BTreeSet<ApiId> },
}

impl Sight {
    pub(crate) fn covers(&self, record: &CallRecord) -> bool {
        self.sees(record.identity_id.as_ref(), record.api_id.as_ref())
    }

    pub(crate) fn sees(&self, identity: Option<&IdentityId>, api: Option<&ApiId>) -> bool {
        let Self::Own { identities, apis } = self else { return true };
        identity.is_some_and(|id| identities.contains(id))
            || api.is_some_and(|id| apis.contains(id))
    }
}

/// A query, read and checked.
#[derive(Debug, Clone)]
struct Wanted {
    from: Timestamp,
    until: Timestamp,
    identity: Option<IdentityId>,
    credential: Option<CredentialId>,
    api: Option<ApiId>,
    operation: Option<OperationId>,
    outcome: Option<Outcome>,
    reason: Option<Reason>,
    source: Option<IpAddr>,
    path: Option<String>,
    grant: Option<GrantId>,
    request: Option<RequestId>,
    limit: u32,
}

impl Wanted {
    fn parse(query: &CallQuery, now: Timestamp) -> Result<Self, Problem> {
        Ok(Self {
            from: moment("since", query.since.as_deref(), now)?.unwrap_or(Timestamp::MIN),
            until: moment("until", query.until.as_deref(), now)?.unwrap_or(Timestamp::MAX),
            identity: id("identity", query.identity.as_deref())?,
            credential: id("credential", query.credential.as_deref())?,
            api: id("api", query.api.as_deref())?,
            operation: id("operation", query.operation.as_deref())?,
            outcome: given(query.outcome.as_deref())
                .map(|word| input::word("outcome", word))
                .transpose()?,
            reason: given(query.reason.as_deref())
                .map(|word| input::word("reason", word))
                .transpose()?,
            source: given(query.source.as_deref()).map(address).transpose()?,
            path: given(query.path.as_deref()).map(str::to_owned),
            grant: id("grant", query.grant.as_deref())?,
            request: id("request_id", query.request_id.as_deref())?,
            limit: query.limit.unwrap_or(PAGE).clamp(1, PAGE_MAX),
        })
    }

    fn keeps(&self, record: &CallRecord) -> bool {
        fn same<T: PartialEq>(wanted: Option<&T>, found: Option<&T>) -> bool {
            wanted.is_none() || wanted == found
        }
        same(self.identity.as_ref(), record.identity_id.as_ref())
            && same(self.credential.as_ref(), record.credential_id.as_ref())
            && same(self.api.as_ref(), record.api_id.as_ref())
            && same(self.operation.as_ref(), record.operation.as_ref())
            && same(self.outcome.as_ref(), Some(&record.outcome))
            && same(self.reason.as_ref(), record.reason.as_ref())
            && same(self.source.as_ref(), Some(&record.source_ip))
            && self.path.as_ref().is_none_or(|path| record.path.starts_with(path.as_str()))
            && same(self.request.as_ref(), Some(&record.request_id))
            && self.grant.as_ref().is_none_or(|grant| record.grant_ids.contains(grant))
    }
}

fn address(text: &str) -> Result<IpAddr, Problem> {
    text.parse().map_err(|_| {
        let detail = format!("`{text}` is not an address");
        Problem::invalid("bad_address", detail).at("source").hint("write 192.0.2.7 or 2001:db8::7")
    })
}

fn given(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

fn id<T: std::str::FromStr<Err = base::id::BadId>>(
    field: &str,
    text: Option<&str>,
) -> Result<Option<T>, Problem> {
    given(text).map(|text| input::id(field, text)).transpose()
}

/// A moment, or a duration back from now.
pub(crate) fn moment(
    field: &str,
    text: Option<&str>,
    now: Timestamp,
) -> Result<Option<Timestamp>, Problem> {
    let Some(text) = given(text) else { return Ok(None) };
    if let Ok(span) = Span::parse(text) {
        return Ok(Some(now - span));
    }
    let moment = Timestamp::parse(text).map_err(|_| {
        let detail = format!("`{text}` is neither a time nor a duration");
        Problem::invalid("bad_time", detail)
            .at(field)
            .hint("write 90d, 12h, or a time like 2026-03-01T09:00:00Z")
    })?;
    Ok(Some(moment))
}

impl App {
    /// The newest calls that match, among those that the actor sees.
    pub async fn calls(
        &self,
        actor: &Actor,
        mut query: CallQuery,
    ) -> Result<Page<CallView>, Problem> {
        let asked = (query.identity.clone(), query.api.clone());
        query.api = query.api.map(|text| self.id_of_api(text));
        let wanted = Wanted::parse(&query, self.now())?;
        let sight = self.sight(actor).await?;
        let limit = usize::try_from(wanted.limit).unwrap_or(usize::MAX);
        let Found { mut records, total } = self.newest_calls(wanted, sight).await?;
        if records.is_empty() {
            self.must_be_there(actor, asked.0.as_deref(), asked.1.as_deref()).await?;
        }
        let next = cut_page(&mut records, limit);
        let ruleset = self.ruleset().load();
        let items = records.iter().map(|record| view(record, &ruleset)).collect();
        Ok(Page { items, total, next: next.map(|until| until.to_string()) })
    }

    /// The newest matches: one more than asked, which tells whether there is a next page.
    async fn newest_calls(&self, wanted: Wanted, sight: Sight) -> Result<Found, Problem> {
        let Some((log, turn)) = self.readable_log().await else { return Ok(Found::default()) };
        let work = move || {
            let _turn = turn;
            let keep = |record: &CallRecord| wanted.keeps(record) && sight.covers(record);
            let limit = usize::try_from(wanted.limit).unwrap_or(usize::MAX);
            log.newest(wanted.from, wanted.until, limit.saturating_add(1), &keep)
        };
        let found = tokio::task::spawn_blocking(work).await;
        let found = found.map_err(|error| Problem::internal(error.to_string()))?;
        found.map_err(|error| unreadable(&error))
    }

    /// One call, by the id that its caller was told.
    pub(crate) async fn call(&self, actor: &Actor, request: &str) -> Result<CallRecord, Problem> {
        let id: RequestId = input::id("request_id", request)?;
        let sight = self.sight(actor).await?;
        let missing = || Problem::not_found("call", request);
        let (log, turn) = self.readable_log().await.ok_or_else(missing)?;
        let work = move || {
            let _turn = turn;
            log.find(&id)
        };
        let found = tokio::task::spawn_blocking(work).await;
        let found = found.map_err(|error| Problem::internal(error.to_string()))?;
        let found = found.map_err(|error| unreadable(&error))?;
        found.filter(|record| sight.covers(record)).ok_or_else(missing)
    }

    /// The log with everything in it that was recorded up to now: who just made a call finds it.
    /// Only so many read it at once, as reading a long log keeps a processor and a disk busy.
    pub(crate) async fn readable_log(&self) -> Option<(Arc<DecisionLog>, OwnedSemaphorePermit)> {
        let log = self.decision_log.clone()?;
        let turn = Arc::clone(&self.log_readers).acquire_owned().await.ok()?;
        if let Err(error) = log.flush().await {
            // What is on disk can still be shown.
            tracing::warn!(%error, "the newest call records are not readable yet");
        }
        Some((log, turn))
    }

    /// The id of the API that is meant by an id or a name.
    fn id_of_api(&self, text: String) -> String {
        let ruleset = self.ruleset().load();
        let is_id = text.parse().is_ok_and(|id: ApiId| ruleset.api(&id).is_some());
        let mut named = ruleset.apis().filter(|api| !is_id && api.name == text);
        named.next().map_or(text, |api| api.id.to_string())
    }

    /// For a list that is empty: refuses a name that nothing has, which would else look as if
    /// nothing had happened. Only for who sees everything; to others what they do not see and what
    /// is not there are the same.
    pub(crate) async fn must_be_there(
        &self,
        actor: &Actor,
        identity: Option<&str>,
        api: Option<&str>,
    ) -> Result<(), Problem> {
        let (identity, api) = (given(identity), given(api));
        if !actor.reads_all() || (identity, api) == (None, None) {
            return Ok(());
        }
        let mut state = self.read().await?;
        let authority = Authority::of(&mut state, actor).await?;
        if let Some(id) = identity {
            let found = seen_identity(&mut state, &authority, id).await;
            found.map_err(|problem| problem.at("identity"))?;
        }
        if let Some(name) = api {
            // One that was removed has calls on record.
            let was_there = !state.history("api", name).await?.is_empty();
            if !was_there {
                self.seen_api(&mut state, &authority, "api", name).await?;
            }
        }
        Ok(())
    }

    /// Whose calls, and whose access, the actor sees.
    pub(crate) async fn sight(&self, actor: &Actor) -> Result<Sight, Problem> {
        if actor.reads_all() {
            return Ok(Sight::All);
        }
        let mut state = self.read().await?;
        let authority = Authority::of(&mut state, actor).await?;
        let ruleset = self.ruleset().load();
        let apis = ruleset.apis().filter(|api| authority.sees_api(api));
        let apis = apis.map(|api| api.id.clone()).collect();
        let identities = state.identities_seen_by(authority.narrowed_to()).await?;
        Ok(Sight::Own { identities, apis })
    }
}

/// Cuts newest-first rows to a page and gives the `until` of the next one. Calls of the same
/// microsecond are not torn apart, unless they alone fill the page.
fn cut_page(records: &mut Vec<CallRecord>, limit: usize) -> Option<Timestamp> {
    let boundary = records.get(limit)?.at;
    records.truncate(limit);
    let whole = records.iter().take_while(|record| record.at > boundary).count();
    match whole {
        0 => Some(boundary),
        _ if whole == limit => records.last().map(|last| last.at),
        _ => {
            records.truncate(whole);
            Some(boundary + Span::from_micros(1))
        }
    }
}

/// A record as lists show it.
pub(crate) fn view(record: &CallRecord, ruleset: &Ruleset) -> CallView {
    fn text(value: Option<&impl ToString>) -> Option<String> {
        value.map(ToString::to_string)
    }
    CallView {
        request_id: record.request_id.to_string(),
        at: record.at.to_string(),
        identity_id: text(record.identity_id.as_ref()),
        credential_id: text(record.credential_id.as_ref()),
        binding: text(record.binding.as_ref()),
        api_id: text(record.api_id.as_ref()),
        operation: text(record.operation.as_ref()),
        operation_title: operation_title(record, ruleset),
        method: record.method.clone(),
        path: record.path.clone(),
        source_ip: record.source_ip.to_string(),
        user_agent: record.user_agent.clone(),
        outcome: record.outcome.to_string(),
        reason: text(record.reason.as_ref()),
        status: record.status,
        grant_ids: record.grant_ids.iter().map(ToString::to_string).collect(),
        would_refuse: text(record.would_refuse.as_ref()),
        rollout: record.rollout.as_ref().map(|mark| CallRollout {
            id: mark.id.to_string(),
            governed_by: mark.governed_by.to_string(),
            difference: text(mark.difference.as_ref()),
            reason: text(mark.reason.as_ref()),
        }),
        fields_removed: record.fields_removed.clone(),
        violations: record.violations.clone(),
        guardrails: record.guardrails.clone(),
        fields_seen: record.fields_seen.as_ref().map(seen),
        duration_us: record.duration_us,
        ruleset_version: record.ruleset_version,
    }
}

fn seen(seen: &FieldsSeen) -> FieldsSeenView {
    FieldsSeenView { paths: seen.paths.clone(), other: seen.other, more: seen.more }
}

/// What people call the operation of a call, where the catalogue still has it.
pub(crate) fn operation_title(record: &CallRecord, ruleset: &Ruleset) -> Option<String> {
    let api = ruleset.api(record.api_id.as_ref()?).map(AsRef::as_ref);
    Some(crate::render::title(api, record.operation.as_ref()?.as_str()))
}

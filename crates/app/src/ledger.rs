//! The ledger for people: what happened, whether it is still what was written, and the call
//! records that it vouches for.

use std::collections::BTreeMap;
use std::sync::Arc;

use audit::{Entry, Event};
use base::{Digest, Problem};
use decision_log::{DecisionLog, Seal};
use store::{AnchoredSegment, LedgerFilter};

use crate::publish::node_actor;
use crate::usage::unreadable;
use crate::view::{AuditQuery, AuditView, ChainStatus, Page};
use crate::{Actor, App, input};

/// Rows of a page unless asked otherwise, and at most.
const PAGE: u32 = 50;
const PAGE_MAX: u32 = 1_000;

impl App {
    /// Administrative events, newest first. Members see their own acts.
    pub async fn audit_events(
        &self,
        actor: &Actor,
        query: AuditQuery,
    ) -> Result<Page<AuditView>, Problem> {
        let filter = filter(actor, query.clone())?;
        let limit = query.limit.unwrap_or(PAGE).clamp(1, PAGE_MAX);
        let mut state = self.read().await?;
        // One more than asked tells whether there is a next page.
        let (mut rows, total) = state.ledger_entries(&filter, limit + 1).await?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = rows.last().filter(|_| more).map(|(last, _)| last.sequence.to_string());
        Ok(Page { items: rows.into_iter().map(view).collect(), total, next })
    }

    /// Reads the whole ledger, and whether the call records that it vouches for are there.
    pub async fn chain_status(&self, actor: &Actor) -> Result<ChainStatus, Problem> {
        must_read_all(actor, "check the ledger")?;
        let mut state = self.read().await?;
        let check = state.check_ledger(self.signing_key.verifier()).await?;
        let problem = match (check.broken, &self.decision_log) {
            (Some(broken), _) => Some(broken.to_string()),
            (None, Some(log)) => {
                let on_record = state.segments_on_record(&self.settings.node).await?;
                missing(&on_record, &log.seals())
            }
            (None, None) => None,
        };
        Ok(ChainStatus {
            size: check.size,
            root: check.root.to_hex(),
            intact: problem.is_none(),
            problem,
        })
    }

    /// The key that verifies checkpoints and evidence, as it is to be published.
    pub fn verifier_key(&self) -> String {
        self.signing_key.verifier().to_string()
    }

    /// Puts segments of call records that were sealed since the last time into the ledger.
    pub async fn anchor_call_records(&self) -> Result<(), Problem> {
        let Some(log) = &self.decision_log else { return Ok(()) };
        let mut tx = self.begin(&node_actor()?).await?;
        let known = tx.anchored_segments(&self.settings.node).await?;
        let last = known.last().map_or(0, |segment| segment.segment);
        let new: Vec<_> = log
            .seals()
            .iter()
            .filter(|seal| seal.segment > last)
            .map(|seal| self.anchored(seal))
            .collect();
        if new.is_empty() {
            return Ok(());
        }
        tx.anchor_segments(&new).await?;
        self.commit(tx).await.map(|_| ())
    }

    /// Deletes call records older than the retention time: whole segments that the ledger vouches
    /// for. What is deleted is on record before it is gone.
    pub async fn expire_call_records(&self) -> Result<(), Problem> {
        let Some(log) = self.decision_log.clone() else { return Ok(()) };
        let before = self.now() - self.settings.call_retention;
        let mut tx = self.begin(&node_actor()?).await?;
        let anchored = tx.anchored_segments(&self.settings.node).await?;
        let kept = |segment: u64| {
            anchored.iter().any(|row| row.segment == segment && row.expired_at.is_none())
        };
        let old = log.seals().into_iter().take_while(|seal| seal.last_at < before);
        let old: Vec<_> = old.filter(|seal| kept(seal.segment)).collect();
        if !old.is_empty() {
            let rows: Vec<_> = old.iter().map(|seal| self.anchored(seal)).collect();
            tx.expire_segments(&rows).await?;
            self.commit(tx).await?;
        } else {
            drop(tx);
        }
        // Also those that were put on record before a crash kept them from being deleted.
        let on_record: Vec<_> = {
            let rows = self.read().await?.anchored_segments(&self.settings.node).await?;
            rows.into_iter().filter(|row| row.expired_at.is_some()).map(|row| row.segment).collect()
        };
        let work = move || log.expire(before, &|segment| on_record.contains(&segment));
        let deleted = tokio::task::spawn_blocking(work).await;
        let deleted = deleted.map_err(|error| Problem::internal(error.to_string()))?;
        deleted.map(|_| ()).map_err(|error| unreadable(&error))
    }

    /// Reads every call record of this node again. Gives what is not as it was written, one
    /// sentence each, with segment and batch; nothing when all is well.
    pub async fn check_call_records(&self, actor: &Actor) -> Result<Vec<String>, Problem> {
        must_read_all(actor, "check the call records")?;
        let Some(log) = self.decision_log.clone() else { return Ok(Vec::new()) };
        let on_record = self.read().await?.segments_on_record(&self.settings.node).await?;
        let work = move |log: Arc<DecisionLog>| {
            let faults = log.verify().faults.into_iter();
            let faults = faults.map(|fault| match fault.batch {
                Some(batch) => format!("segment {}, batch {batch}: {}", fault.segment, fault.what),
                None => format!("segment {}: {}", fault.segment, fault.what),
            });
            faults.chain(missing(&on_record, &log.seals())).collect()
        };
        let found = tokio::task::spawn_blocking(move || work(log)).await;
        found.map_err(|error| Problem::internal(error.to_string()))
    }

    fn anchored(&self, seal: &Seal) -> AnchoredSegment {
        AnchoredSegment {
            node: self.settings.node.clone(),
            segment: seal.segment,
            records: seal.records,
            chain: seal.chain,
            root: seal.root,
            expired_at: None,
        }
    }
}

/// Auditors and administrators.
pub(crate) fn must_read_all(actor: &Actor, act: &str) -> Result<(), Problem> {
    if actor.reads_all() {
        return Ok(());
    }
    let detail = format!("{} may not {act}", actor.id);
    Err(Problem::forbidden("not_allowed", detail).hint("ask an auditor or an administrator"))
}

fn filter(actor: &Actor, query: AuditQuery) -> Result<LedgerFilter, Problem> {
    let given = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    let event = given(query.event);
    if let Some(event) = &event {
        input::word::<Event>("event", event)?;
    }
    let subject = given(query.subject);
    let (subject_kind, subject_id) = match subject.as_deref().and_then(|s| s.split_once('/')) {
        // Ids may hold slashes, kinds do not: `kind/id` is tried first.
        Some((kind, id)) if kind.chars().all(|c| c.is_ascii_lowercase() || c == '_') => {
            (Some(kind.to_owned()), Some(id.to_owned()))
        }
        _ => (None, subject),
    };
    let own = (!actor.reads_all()).then(|| actor.id.to_string());
    Ok(LedgerFilter {
        subject_kind,
        subject_id,
        event,
        actor: own.or(given(query.actor)),
        before: query.before,
    })
}

fn view((entry, digest): (Entry, Digest)) -> AuditView {
    AuditView {
        sequence: entry.sequence,
        at: entry.at.to_string(),
        event: entry.event.to_string(),
        actor: entry.actor,
        subject: entry.subject.to_string(),
        detail: entry.detail,
        digest: digest.to_hex(),
    }
}

/// The first segment that the ledger vouches for and that is not there, or is another.
fn missing(on_record: &[AnchoredSegment], seals: &[Seal]) -> Option<String> {
    let there: BTreeMap<_, _> = seals.iter().map(|seal| (seal.segment, seal)).collect();
    let kept = on_record.iter().filter(|row| row.expired_at.is_none());
    kept.filter_map(|row| match there.get(&row.segment) {
        None => Some(format!("call records: segment {} is missing", row.segment)),
        Some(seal) if seal.root != row.root || seal.chain != row.chain => {
            Some(format!("call records: segment {} is not the one on record", row.segment))
        }
        Some(_) => None,
    })
    .next()
}

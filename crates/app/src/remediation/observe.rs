//! Looking at what became of executed acts: receipts of all live nodes, probes, and recorded calls
//! by the removed permission, for all acts of a campaign together.

use std::collections::{BTreeMap, HashMap};

use base::problem::ProblemKind;
use base::{GrantId, IdentityId, NodeId, Problem, Span, Timestamp};
use review::{Answer, Observation, Probe, Receipt, Remediation, RemediationState};
use store::Snapshot;
use traffic::CutCount;

use crate::App;
use crate::publish::Committed;
use crate::review::holders;

/// Questions per act beyond those of the first who holds the access, who is asked about every
/// operation. Members of large groups are probed in the order of their ids; what the gate answers
/// does not depend on who of them asks.
const PROBES_OF_OTHERS_MAX: usize = 64;

/// How long it takes at most until use at another node is in the store: several folds.
const USE_SETTLES: Span = Span::from_secs(10);

impl App {
    /// One observation per act that waits for proof, `None` for the others, in order.
    pub(super) async fn observe(
        &self,
        acts: &[Remediation],
    ) -> Result<Vec<Option<Observation>>, Problem> {
        let waiting = |act: &Remediation| match act.state {
            RemediationState::Applied { change, at }
            | RemediationState::Failed { change, at, .. } => Some((change, at)),
            _ => None,
        };
        let Some(newest) = acts.iter().filter_map(waiting).map(|(change, _)| change).max() else {
            return Ok(acts.iter().map(|_| None).collect());
        };
        let receipts = self.receipts_of(newest).await?;
        let enforced = receipts.iter().map(|receipt| receipt.since).max();
        // What other nodes let through is known here when they have folded it.
        let settled = enforced.is_some_and(|since| self.now().since(since) >= USE_SETTLES);
        let receipts = if receipts.len() > 1 && !settled { Vec::new() } else { receipts };
        let mut calls = self.calls_since(acts, enforced).await?;
        let mut state = self.read().await?;
        note_calls_elsewhere(&mut state, acts, enforced, &mut calls).await?;
        let oldest = acts.iter().filter_map(waiting).map(|(change, _)| change).min();
        let cuts = self.stream_cuts(&mut state, oldest.unwrap_or(newest), newest).await?;
        let mut observed = Vec::with_capacity(acts.len());
        for act in acts {
            observed.push(match waiting(act) {
                None => None,
                Some((change, _)) => Some(Observation {
                    receipts: counted(&receipts, &cuts, change),
                    answers: self.ask(&mut state, act).await?,
                    allowed_since: calls.get(&act.grant).copied().unwrap_or_default(),
                }),
            });
        }
        Ok(observed)
    }

    /// Every live node's receipt for a change; none when one of them is late, which leaves the
    /// acts waiting for the next run.
    async fn receipts_of(&self, change: u64) -> Result<Vec<Receipt>, Problem> {
        let receipt = match self.receipt(Committed::earlier(change)).await {
            Ok(receipt) => receipt,
            Err(problem) if problem.kind == ProblemKind::Unavailable => return Ok(Vec::new()),
            Err(problem) => return Err(problem),
        };
        let read = |node: crate::view::NodeReceipt| -> Result<Receipt, Problem> {
            let bad =
                |error: String| Problem::internal(format!("receipt of {}: {error}", node.node));
            Ok(Receipt {
                streams_cut: node.streams_cut,
                streams_open: node.streams_open,
                version: change,
                since: Timestamp::parse(&node.since).map_err(|error| bad(error.to_string()))?,
                node: NodeId::parse(&node.node).map_err(|error| bad(error.to_string()))?,
            })
        };
        receipt.receipts.into_iter().map(read).collect()
    }

    async fn ask(&self, state: &mut Snapshot, act: &Remediation) -> Result<Vec<Answer>, Problem> {
        let Some(grant) = state.grant(act.grant.as_str()).await? else { return Ok(Vec::new()) };
        let mut who: Vec<IdentityId> = holders(state, &grant.subject).await?;
        who.sort();
        let mut answers = Vec::new();
        for identity in who {
            for operation in &act.gone {
                if answers.len() >= act.gone.len().saturating_add(PROBES_OF_OTHERS_MAX) {
                    return Ok(answers);
                }
                let probe = Probe {
                    identity: identity.clone(),
                    api: grant.api.clone(),
                    operation: operation.clone(),
                };
                let outcome = self.probe().probe(&probe).await;
                answers.push(Answer { probe, outcome });
            }
        }
        Ok(answers)
    }

    /// Calls per grant that its removed permission let through: decided by a ruleset that holds
    /// the removal, or later than every node enforced it.
    async fn calls_since(
        &self,
        acts: &[Remediation],
        enforced: Option<Timestamp>,
    ) -> Result<HashMap<GrantId, u64>, Problem> {
        let watched: HashMap<GrantId, Remediation> = acts
            .iter()
            .filter(|act| act.state.applied().is_some())
            .map(|act| (act.grant.clone(), act.clone()))
            .collect();
        let from = acts.iter().filter_map(|act| act.state.applied()).map(|(_, at)| at).min();
        let Some(from) = from else { return Ok(HashMap::new()) };
        let calls = self.recorded_calls();
        let count = move || -> Result<HashMap<GrantId, u64>, Problem> {
            let mut counts = HashMap::new();
            calls.each(from, Timestamp::MAX, &mut |record| {
                let late = enforced.is_some_and(|enforced| record.at > enforced);
                for id in &record.grant_ids {
                    let Some(act) = watched.get(id) else { continue };
                    let (change, _) = act.state.applied().unwrap_or_default();
                    let wrong = late || record.ruleset_version >= change;
                    if wrong
                        && record.outcome.was_let_through()
                        && act.ends(record.operation.as_ref())
                    {
                        *counts.entry(id.clone()).or_default() += 1;
                    }
                }
            })?;
            Ok(counts)
        };
        let counted = tokio::task::spawn_blocking(count).await;
        counted.map_err(|error| Problem::internal(error.to_string()))?
    }
}

/// The receipts with what each node cut because of this change alone.
fn counted(
    receipts: &[Receipt],
    cuts: &BTreeMap<(NodeId, u64), CutCount>,
    change: u64,
) -> Vec<Receipt> {
    let count = |receipt: &Receipt| {
        let count = cuts.get(&(receipt.node.clone(), change)).copied().unwrap_or_default();
        Receipt {
            streams_cut: Some(count.cut),
            streams_open: Some(count.open).filter(|open| *open > 0),
            ..receipt.clone()
        }
    };
    receipts.iter().map(count).collect()
}

/// Calls at other nodes leave no record here, but use: at least one where there is any later than
/// every node enforced the act.
async fn note_calls_elsewhere(
    state: &mut Snapshot,
    acts: &[Remediation],
    enforced: Option<Timestamp>,
    calls: &mut HashMap<GrantId, u64>,
) -> Result<(), Problem> {
    let Some(enforced) = enforced else { return Ok(()) };
    for (key, _) in state.usage_after(enforced).await? {
        let Some(grant) = key.grant_id else { continue };
        let act = acts.iter().find(|act| act.grant == grant && act.state.applied().is_some());
        if act.is_some_and(|act| act.ends(key.operation.as_ref())) {
            let known = calls.entry(grant).or_default();
            *known = (*known).max(1);
        }
    }
    Ok(())
}

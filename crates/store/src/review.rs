//! Access reviews: campaigns, their items, signed decisions and the acts that carry them out.
//!
//! What was sealed of an item is written once. Drafts are nobody's business but the reviewer's and
//! are not recorded; everything that binds is.

use ::review::{Campaign, Decision, Item, ItemState, Remediation, ReviewItem, Tally, VerdictKind};
use base::Timestamp;
use serde_json::Value as Json;

use crate::sql::{Connection, Row, Value};
use crate::{NewChange, StoreError, Tx};

/// A campaign as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CampaignRow {
    /// The campaign.
    pub campaign: Campaign,
    /// Who started it.
    pub started_by: String,
    /// When it was stored.
    pub created_at: Timestamp,
}

/// How many items a campaign has in a state, for one reviewer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Items by state.
    pub tally: Tally,
    /// Of the open ones, those that need a look: who has drafted has looked.
    pub need_a_look: u64,
}

fn read_campaign(mut row: Row) -> Result<CampaignRow, StoreError> {
    Ok(CampaignRow { campaign: row.json()?, started_by: row.text()?, created_at: row.time()? })
}

fn read_item(mut row: Row) -> Result<Item, StoreError> {
    Ok(Item { sealed: row.json()?, state: row.json()? })
}

const CAMPAIGN: &str = "SELECT body, started_by, created_at FROM campaign";
const ITEM: &str = "SELECT sealed, progress FROM review_item";

impl Connection {
    /// Every campaign, newest first.
    pub async fn campaigns(&mut self) -> Result<Vec<CampaignRow>, StoreError> {
        let sql = format!("{CAMPAIGN} ORDER BY created_at DESC, id");
        self.fetch(&sql, vec![]).await?.into_iter().map(read_campaign).collect()
    }

    /// Campaigns in one of two states, oldest first.
    pub async fn campaigns_in(
        &mut self,
        one: &str,
        other: &str,
    ) -> Result<Vec<CampaignRow>, StoreError> {
        let sql = format!("{CAMPAIGN} WHERE state = $1 OR state = $2 ORDER BY created_at, id");
        let values = vec![Value::text(one), Value::text(other)];
        self.fetch(&sql, values).await?.into_iter().map(read_campaign).collect()
    }

    /// One campaign.
    pub async fn campaign(&mut self, id: &str) -> Result<Option<CampaignRow>, StoreError> {
        let sql = format!("{CAMPAIGN} WHERE id = $1");
        self.fetch_first(&sql, vec![Value::text(id)]).await?.map(read_campaign).transpose()
    }

    /// Items of a campaign in the order of the list; of one reviewer, if named.
    pub async fn review_items(
        &mut self,
        campaign: &str,
        reviewer: Option<&str>,
    ) -> Result<Vec<Item>, StoreError> {
        let sql =
            format!("{ITEM} WHERE campaign_id = $1 AND ($2 IS NULL OR reviewer = $2) ORDER BY id");
        let values = vec![Value::text(campaign), Value::maybe_text(reviewer)];
        self.fetch(&sql, values).await?.into_iter().map(read_item).collect()
    }

    /// One item.
    pub async fn review_item(&mut self, id: &str) -> Result<Option<Item>, StoreError> {
        let sql = format!("{ITEM} WHERE id = $1");
        self.fetch_first(&sql, vec![Value::text(id)]).await?.map(read_item).transpose()
    }

    /// Items of active campaigns, not decided yet, whose grant is not the one under review any
    /// more.
    pub async fn outdated_items(&mut self) -> Result<Vec<Item>, StoreError> {
        const SQL: &str = "SELECT item.sealed, item.progress FROM review_item item \
             JOIN campaign ON campaign.id = item.campaign_id AND campaign.state = 'ACTIVE' \
             LEFT JOIN access_grant held ON held.id = item.grant_id \
             WHERE item.state IN ('open', 'drafted') AND (held.id IS NULL \
             OR held.status = 'revoked' OR held.version <> item.grant_version) ORDER BY item.id";
        self.fetch(SQL, vec![]).await?.into_iter().map(read_item).collect()
    }

    /// Items of a campaign by state; of one reviewer, if named.
    pub async fn review_counts(
        &mut self,
        campaign: &str,
        reviewer: Option<&str>,
    ) -> Result<Counts, StoreError> {
        const SQL: &str = "SELECT state, attention, COUNT(*) FROM review_item \
             WHERE campaign_id = $1 AND ($2 IS NULL OR reviewer = $2) GROUP BY state, attention";
        let values = vec![Value::text(campaign), Value::maybe_text(reviewer)];
        let mut counts = Counts::default();
        for mut row in self.fetch(SQL, values).await? {
            let (state, attention, count) = (row.text()?, row.text()?, row.count()?);
            let needs = if attention == "needs_a_look" { count } else { 0 };
            match state.as_str() {
                "open" => {
                    counts.tally.open += count;
                    counts.need_a_look += needs;
                }
                "drafted" => counts.tally.drafted += count,
                "decided" => counts.tally.decided += count,
                "superseded" => counts.tally.superseded += count,
                other => return Err(StoreError::corrupt("item state", other)),
            }
        }
        Ok(counts)
    }

    /// Who has how many items to decide and sign, the most first.
    pub async fn undecided_by_reviewer(
        &mut self,
        campaign: &str,
    ) -> Result<Vec<(String, u64)>, StoreError> {
        const SQL: &str = "SELECT reviewer, COUNT(*) AS items FROM review_item \
             WHERE campaign_id = $1 AND state IN ('open', 'drafted') \
             GROUP BY reviewer ORDER BY items DESC, reviewer";
        let rows = self.fetch(SQL, vec![Value::text(campaign)]).await?;
        rows.into_iter().map(|mut row| Ok((row.text()?, row.count()?))).collect()
    }

    /// Signed decisions of a campaign: kept, narrowed, removed.
    pub async fn verdicts(&mut self, campaign: &str) -> Result<[u64; 3], StoreError> {
        const SQL: &str = "SELECT verdict, COUNT(*) FROM review_decision \
                           WHERE campaign_id = $1 GROUP BY verdict";
        let mut counts = [0; 3];
        for mut row in self.fetch(SQL, vec![Value::text(campaign)]).await? {
            let verdict: VerdictKind = row.parsed()?;
            let [kept, narrowed, removed] = &mut counts;
            let count = match verdict {
                VerdictKind::Keep => kept,
                VerdictKind::Narrow => narrowed,
                VerdictKind::Remove => removed,
            };
            *count = row.count()?;
        }
        Ok(counts)
    }

    /// The acts of a campaign, in the order of its items.
    pub async fn remediations(&mut self, campaign: &str) -> Result<Vec<Remediation>, StoreError> {
        const SQL: &str = "SELECT body FROM remediation WHERE campaign_id = $1 ORDER BY key";
        let rows = self.fetch(SQL, vec![Value::text(campaign)]).await?;
        rows.into_iter().map(|mut row| row.json()).collect()
    }

    /// Acts that are neither proved nor overtaken, of all campaigns.
    pub async fn unproved_remediations(&mut self) -> Result<u64, StoreError> {
        const SQL: &str = "SELECT COUNT(*) FROM remediation \
                           WHERE state IN ('planned', 'applied', 'failed')";
        let row = self.fetch_first(SQL, vec![]).await?;
        row.ok_or_else(|| StoreError::corrupt("count", "no row"))?.count()
    }
}

impl Tx {
    /// Writes a new campaign and its items, with what the ledger is to say about the start.
    pub async fn add_campaign(
        &mut self,
        event: audit::Event,
        campaign: &Campaign,
        items: &[ReviewItem],
        detail: Json,
    ) -> Result<u64, StoreError> {
        const INTO: &str = "campaign (id, state, started_by, created_at, body)";
        let (started_by, now) = (self.writer().actor.clone(), self.at());
        let row = vec![
            Value::text(&campaign.id),
            Value::text(campaign.state.as_str()),
            Value::text(started_by),
            now.into(),
            Value::json(campaign)?,
        ];
        self.insert_rows(INTO, vec![row]).await?;
        const ITEMS: &str = "review_item (id, campaign_id, grant_id, grant_version, reviewer, \
                             attention, sealed, state, progress)";
        let rows: Result<Vec<_>, StoreError> = items.iter().map(item_values).collect();
        self.insert_rows(ITEMS, rows?).await?;
        self.record_review(event, campaign, detail).await
    }

    /// Writes a campaign that moved on, with what the ledger is to say. The state before must be
    /// the stored one: two jobs that move the same campaign cannot both succeed.
    pub async fn save_campaign(
        &mut self,
        event: audit::Event,
        before: &Campaign,
        campaign: &Campaign,
        detail: Json,
    ) -> Result<u64, StoreError> {
        const SQL: &str = "UPDATE campaign SET state = $2, body = $3 WHERE id = $1 AND body = $4";
        let values = vec![
            Value::text(&campaign.id),
            Value::text(campaign.state.as_str()),
            Value::json(campaign)?,
            Value::json(before)?,
        ];
        self.change_one(SQL, values, "review", &campaign.id).await?;
        self.record_review(event, campaign, detail).await
    }

    /// Records an event of a campaign: `detail` is what the ledger says about it.
    pub async fn record_review(
        &mut self,
        event: audit::Event,
        campaign: &Campaign,
        detail: Json,
    ) -> Result<u64, StoreError> {
        let change = NewChange {
            event,
            kind: "review",
            id: campaign.id.to_string(),
            before: None,
            after: Some(detail),
            note: None,
        };
        self.record(change).await
    }

    /// Writes where an item stands. The state before must be the stored one, and final states
    /// stay: the statement itself refuses to touch them.
    pub async fn save_item(&mut self, before: &ItemState, item: &Item) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE review_item SET state = $2, progress = $3 \
             WHERE id = $1 AND progress = $4 AND state IN ('open', 'drafted')";
        let values = vec![
            Value::text(&item.sealed.id),
            Value::text(item.state.as_str()),
            Value::json(&item.state)?,
            Value::json(before)?,
        ];
        self.change_one(SQL, values, "review item", &item.sealed.id).await
    }

    /// Appends a signed decision. There is at most one per item, for ever.
    pub async fn add_decision(
        &mut self,
        item: &Item,
        decision: &Decision,
    ) -> Result<(), StoreError> {
        const INTO: &str = "review_decision (item_id, campaign_id, decision_id, verdict, \
                            reviewer, signed_at, body)";
        let row = vec![
            Value::text(&item.sealed.id),
            Value::text(&item.sealed.campaign),
            Value::text(&decision.id),
            Value::text(decision.draft.verdict.kind()),
            Value::text(&decision.draft.by),
            decision.signed_at.into(),
            Value::json(decision)?,
        ];
        self.insert_rows(INTO, vec![row]).await
    }

    /// Writes a plan. An act that is planned already is refused.
    pub async fn add_remediations(&mut self, plan: &[Remediation]) -> Result<(), StoreError> {
        const INTO: &str = "remediation (key, campaign_id, item_id, grant_id, state, body)";
        let row = |act: &Remediation| -> Result<Vec<Value>, StoreError> {
            Ok(vec![
                Value::text(act.key()),
                Value::text(&act.campaign),
                Value::text(&act.item),
                Value::text(&act.grant),
                Value::text(act.state.as_str()),
                Value::json(act)?,
            ])
        };
        let rows: Result<Vec<_>, StoreError> = plan.iter().map(row).collect();
        self.insert_rows(INTO, rows?).await
    }

    /// Writes how far an act is. The state before must be the stored one.
    pub async fn save_remediation(
        &mut self,
        before: &Remediation,
        act: &Remediation,
    ) -> Result<(), StoreError> {
        const SQL: &str =
            "UPDATE remediation SET state = $2, body = $3 WHERE key = $1 AND body = $4";
        let values = vec![
            Value::text(act.key()),
            Value::text(act.state.as_str()),
            Value::json(act)?,
            Value::json(before)?,
        ];
        self.change_one(SQL, values, "remediation", act.key()).await
    }
}

fn item_values(item: &ReviewItem) -> Result<Vec<Value>, StoreError> {
    let state = ItemState::Pending;
    Ok(vec![
        Value::text(&item.id),
        Value::text(&item.campaign),
        Value::text(&item.grant.id),
        i64::from(item.grant.version).into(),
        Value::text(&item.assignment.reviewer),
        Value::text(item.attention),
        Value::json(item)?,
        Value::text(state.as_str()),
        Value::json(&state)?,
    ])
}

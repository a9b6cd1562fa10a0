//! What waits for the signed-in person.

use std::collections::HashMap;

use base::{ApiId, Problem, Span, Timestamp};
use tokio::sync::Mutex;
use traffic::Outcome;

use crate::authority::Authority;
use crate::findings::FindingQuery;
use crate::review::narrowed_to;
use crate::view::{ReviewView, Today};
use crate::{Actor, App, render};

/// A credential that ends sooner is shown.
const EXPIRY_NOTICE: Span = Span::from_days(14);
/// At most so many of them.
const EXPIRING_SHOWN: u32 = 50;
/// Calls are counted anew after so long: counting reads a day of records.
const COUNTS_LAST: Span = Span::from_secs(30);

/// Calls and refusals of one day per API; `None` where no API is known.
type Counts = HashMap<Option<ApiId>, [u64; 2]>;

/// The latest count of calls, shared by all who ask. Held while it is counted: one counts, and the
/// others wait for what it finds.
#[derive(Debug, Default)]
pub(crate) struct CallCounts(Mutex<Option<(Timestamp, Counts)>>);

impl App {
    /// The actor's open reviews, and numbers about what they may see.
    pub async fn today(&self, actor: &Actor) -> Result<Today, Problem> {
        let now = self.now();
        let counts = self.calls_of_a_day(now).await?;
        let (reviews, items_needing_a_look) = self.open_reviews(actor).await?;
        let sees_all = actor.reads_all();
        // Before this reads on its own: whoever held one connection and waited for another could
        // wait for others who do the same.
        let own_findings = if sees_all { [0; 3] } else { self.own_findings(actor).await? };
        let mut state = self.read().await?;
        let authority = Authority::of(&mut state, actor).await?;
        let owner = narrowed_to(actor);
        let expiring = state
            .expiring_credentials(now, now + EXPIRY_NOTICE, owner.as_deref(), EXPIRING_SHOWN)
            .await?;
        let expiring_credentials = render::credentials(&mut state, &expiring, now).await?;
        let ownerless = if sees_all { state.unowned_identities(now).await? } else { 0 };
        let removals_unproved = if sees_all { state.unproved_remediations().await? } else { 0 };
        let ruleset = self.ruleset().load_full();
        let sees = |api: &Option<ApiId>| {
            let api = api.as_ref().and_then(|id| ruleset.api(id));
            sees_all || api.is_some_and(|api| authority.sees_api(api))
        };
        let seen = counts.iter().filter(|(api, _)| sees(api));
        let [calls_24h, refused_24h] =
            seen.fold([0, 0], |[calls, refused], (_, [c, r])| [calls + c, refused + r]);
        let findings = if sees_all { state.open_findings().await? } else { own_findings };
        Ok(Today {
            reviews,
            items_needing_a_look,
            expiring_credentials,
            ownerless,
            findings,
            refused_24h,
            calls_24h,
            removals_unproved,
        })
    }

    /// Active reviews in which the actor has something to decide, and how many of these items need
    /// a look.
    async fn open_reviews(&self, actor: &Actor) -> Result<(Vec<ReviewView>, u64), Problem> {
        let mut state = self.read().await?;
        let mut reviews = Vec::new();
        let mut need_a_look = 0;
        for row in state.campaigns_in("ACTIVE", "ACTIVE").await? {
            let own =
                state.review_counts(row.campaign.id.as_str(), Some(actor.id.as_str())).await?;
            if own.tally.undecided() > 0 {
                need_a_look += own.need_a_look;
                reviews.push(crate::review::view_of(&mut state, &row, actor).await?);
            }
        }
        Ok((reviews, need_a_look))
    }

    async fn own_findings(&self, actor: &Actor) -> Result<[u64; 3], Problem> {
        let found = self.findings(actor, FindingQuery::default()).await?;
        let count = |severity| found.iter().filter(|f| f.severity == severity).count() as u64;
        Ok([count("high"), count("medium"), count("low")])
    }

    async fn calls_of_a_day(&self, now: Timestamp) -> Result<Counts, Problem> {
        let mut kept = self.call_counts.0.lock().await;
        if let Some((at, counts)) = &*kept
            && *at <= now
            && now.since(*at) < COUNTS_LAST
        {
            return Ok(counts.clone());
        }
        let records = self.recorded_calls();
        let count = move || -> Result<Counts, Problem> {
            let mut counts = Counts::new();
            let from = now - Span::from_days(1);
            records.each(from, Timestamp::MAX, &mut |record| {
                let [calls, refused] = counts.entry(record.api_id.clone()).or_default();
                *calls += 1;
                *refused += u64::from(record.outcome == Outcome::Refused);
            })?;
            Ok(counts)
        };
        let counted = tokio::task::spawn_blocking(count).await;
        let counts = counted.map_err(|error| Problem::internal(error.to_string()))??;
        *kept = Some((now, counts.clone()));
        Ok(counts)
    }
}

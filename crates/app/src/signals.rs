//! Signals: behaviour of identities that wants attention, noticed while call records are folded.

use base::{Problem, Span};
use traffic::Walk;
use traffic::walk::KIND;

use crate::view::{SignalQuery, SignalView};
use crate::{Actor, App, input};

/// How far back a list reaches unless asked otherwise, and the most rows.
const SINCE: Span = Span::from_days(90);
const ROWS_MAX: u32 = 1_000;

impl App {
    /// Signals, the latest first. Members see those of identities that they answer for, and those on
    /// APIs that are theirs.
    pub async fn signals(
        &self,
        actor: &Actor,
        query: SignalQuery,
    ) -> Result<Vec<SignalView>, Problem> {
        let since = query.since.as_deref().map(|text| input::span("since", text)).transpose()?;
        let sight = self.sight(actor).await?;
        let since = self.now() - since.unwrap_or(SINCE);
        let walks = self.read().await?.walks(query.identity.as_deref(), since, ROWS_MAX).await?;
        if walks.is_empty() {
            self.must_be_there(actor, query.identity.as_deref(), None).await?;
        }
        let seen = walks.iter().filter(|walk| sight.sees(Some(&walk.identity), Some(&walk.api)));
        Ok(seen.map(view).collect())
    }
}

fn view(walk: &Walk) -> SignalView {
    SignalView {
        kind: KIND.to_owned(),
        identity_id: walk.identity.to_string(),
        credential_id: walk.credential.to_string(),
        start: walk.start.to_string(),
        end: walk.end.to_string(),
        detected_at: walk.detected_at.to_string(),
        api_id: walk.api.to_string(),
        operation: walk.operation.to_string(),
        objects: walk.objects,
        misses: walk.misses,
        in_order: walk.in_order,
        usual: walk.usual,
    }
}

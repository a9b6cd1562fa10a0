//! `portreeve call …`

use app::view::{CALLS_COUNTED_MAX, CallView, Explanation, FieldsSeenView, Page};
use clap::Subcommand;

use super::Remote;
use crate::client::{query, segment};
use crate::failure::{Exit, Failure};
use crate::output::{Table, instant, or_dash};

#[derive(Debug, Subcommand)]
pub(crate) enum Call {
    /// Search recorded requests, newest first
    #[command(visible_alias = "list")]
    Search(Box<SearchArgs>),
    /// Why a request was decided as it was, and what would allow it; exit 2 when it was refused
    Explain {
        /// The request id that the caller was told
        id: String,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct SearchArgs {
    /// Not before: a time, or a duration back from now
    #[arg(long, value_name = "D", default_value = "24h")]
    since: String,
    /// Before: a time
    #[arg(long, value_name = "T")]
    until: Option<String>,
    /// Only this identity
    #[arg(long, value_name = "X")]
    identity: Option<String>,
    /// Only this credential
    #[arg(long, value_name = "ID")]
    credential: Option<String>,
    /// Only this API
    #[arg(long, value_name = "NAME")]
    api: Option<String>,
    /// Only this operation
    #[arg(long, value_name = "OP")]
    operation: Option<String>,
    /// Only this outcome
    #[arg(long, value_parser = ["allowed", "observed", "refused", "failed", "withheld", "cancelled"])]
    outcome: Option<String>,
    /// Only this reason, e.g. no_grant
    #[arg(long, value_name = "CODE")]
    reason: Option<String>,
    /// Only from this address
    #[arg(long, value_name = "IP")]
    source: Option<String>,
    /// Only paths that begin so, e.g. /orders/
    #[arg(long, value_name = "PREFIX")]
    path: Option<String>,
    /// Only what this grant let pass
    #[arg(long, value_name = "ID")]
    grant: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N", default_value = "100",
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
}

impl Call {
    pub(crate) async fn run(self, remote: &Remote) -> Result<Exit, Failure> {
        match self {
            Self::Search(args) => search(&args, remote).await,
            Self::Explain { id } => {
                let path = format!("/calls/{}/explanation", segment(&id));
                let explanation: Explanation = remote.client.get(&path).await?;
                remote.out.show(&explanation, explained)?;
                Ok(verdict(&explanation))
            }
        }
    }
}

async fn search(args: &SearchArgs, remote: &Remote) -> Result<Exit, Failure> {
    let limit = args.limit.to_string();
    let filter = query(&[
        ("since", Some(args.since.as_str())),
        ("until", args.until.as_deref()),
        ("identity", args.identity.as_deref()),
        ("credential", args.credential.as_deref()),
        ("api", args.api.as_deref()),
        ("operation", args.operation.as_deref()),
        ("outcome", args.outcome.as_deref()),
        ("reason", args.reason.as_deref()),
        ("source", args.source.as_deref()),
        ("path", args.path.as_deref()),
        ("grant", args.grant.as_deref()),
        ("limit", Some(limit.as_str())),
    ]);
    let page: Page<CallView> = remote.client.get(&format!("/calls{filter}")).await?;
    remote.out.show(&page.items, |calls| {
        let mut table =
            Table::new(&["request", "at", "identity", "operation", "outcome", "reason", "status"]);
        for call in calls {
            table.row([
                call.request_id.clone(),
                instant(&call.at),
                or_dash(call.identity_id.as_deref()),
                call.operation.clone().unwrap_or_else(|| format!("{} {}", call.method, call.path)),
                call.outcome.clone(),
                or_dash(call.reason.as_deref()),
                call.status.to_string(),
            ]);
        }
        table.render(&nothing(args))
    })?;
    let shown = u64::try_from(page.items.len()).unwrap_or(u64::MAX);
    if page.total > shown {
        let or_more = if page.total < CALLS_COUNTED_MAX { "" } else { " or more" };
        remote.out.hint(&format!("{shown} of {}{or_more}; --limit shows more", page.total));
    }
    Ok(Exit::Done)
}

/// That nothing was found, and where it was looked for.
fn nothing(args: &SearchArgs) -> String {
    let until = args.until.as_ref().map(|until| format!(" until {until}")).unwrap_or_default();
    format!("No calls match {}{until}; --since looks further back", back_to(&args.since))
}

/// Since when, in words: a duration counts back from now.
pub(super) fn back_to(since: &str) -> String {
    match base::Span::parse(since) {
        Ok(_) => format!("within the last {since}"),
        Err(_) => format!("since {since}"),
    }
}

/// The fields that the caller received, in words.
fn received(seen: &FieldsSeenView) -> String {
    let mut parts = seen.paths.clone();
    if seen.other {
        parts.push("others that the document does not have".to_owned());
    }
    if seen.more {
        parts.push("more".to_owned());
    }
    if parts.is_empty() { "no fields".to_owned() } else { parts.join(", ") }
}

/// Exit 2 for what was refused, or would be.
pub(super) fn verdict(explanation: &Explanation) -> Exit {
    if explanation.call.outcome == "refused" { Exit::Differs } else { Exit::Done }
}

pub(super) fn explained(explanation: &Explanation) -> String {
    let call = &explanation.call;
    let reason = call.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
    let status = match call.status {
        0 => "not forwarded".to_owned(),
        status => format!("status {status}"),
    };
    let mut text = format!(
        "{} {} · {}{reason} · {status} · {}\n\n",
        call.method, call.path, call.outcome, call.at
    );
    if let Some(seen) = &call.fields_seen {
        text.push_str(&format!("received: {}\n\n", received(seen)));
    }
    if !call.fields_removed.is_empty() {
        text.push_str(&format!("removed: {}\n\n", call.fields_removed.join(", ")));
    }
    let mut stages = Table::new(&["stage", "outcome", "detail"]);
    for stage in &explanation.stages {
        stages.row([stage.stage.clone(), stage.outcome.clone(), stage.detail.clone()]);
    }
    text.push_str(&stages.render("No stage was reached"));
    for violation in &call.violations {
        text.push_str(&format!("\nbreaks the API's document: {violation}"));
    }
    for grant in &explanation.grants {
        let mark = if grant.applies { "covers it" } else { "does not" };
        text.push_str(&format!("\ngrant {} {mark}: {}", grant.grant_id, grant.why));
    }
    for one in &explanation.relations {
        let source = if one.source.is_empty() { "no source" } else { one.source.as_str() };
        text.push_str(&format!(
            "\nrelation {} to {}: {} ({source}, {} s ago)",
            one.relation, one.object, one.answer, one.age_seconds
        ));
    }
    for rail in &explanation.guardrails {
        let why = rail.why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
        let says = rail.says.replace('_', " ");
        let at = if rail.place.is_empty() { String::new() } else { format!(" at {}", rail.place) };
        text.push_str(&format!("\nguardrail {}{at} {says}{why}", rail.id));
    }
    if let Some(command) = &explanation.would_allow {
        let who = explanation.who_can_give.join(", ");
        text.push_str(&format!("\nwould allow it: {command}"));
        if let Some(command) = &explanation.would_allow_object {
            text.push_str(&format!("\nthis object only: {command}"));
        }
        text.push_str(&format!("\ncan be given by: {who}"));
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_explanation_says_what_was_removed() {
        let explanation: Explanation = serde_json::from_value(serde_json::json!({
            "call": {
                "request_id": "r_1", "at": "2026-01-01T00:00:00Z", "identity_id": "svc",
                "credential_id": "c", "api_id": "orders", "operation": "getOrder",
                "method": "GET", "path": "/orders/1", "source_ip": "192.0.2.1",
                "user_agent": null, "outcome": "allowed", "reason": null, "status": 200,
                "grant_ids": [], "fields_removed": ["customer.email", "notes"],
                "duration_us": 1, "ruleset_version": 1
            },
            "stages": [], "grants": [], "would_allow": null, "who_can_give": []
        }))
        .unwrap();
        let text = explained(&explanation);
        assert!(text.contains("removed: customer.email, notes\n"), "{text}");
    }
}

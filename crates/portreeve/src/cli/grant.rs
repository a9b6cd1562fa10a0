//! `portreeve grant …`

use std::collections::BTreeMap;

use app::view::{
    ApiDetail, ChangeReceipt, GrantView, NewGrant, ReceivedFieldView, SuggestionView, Withdraw,
};
use base::{Clock, Span, Timestamp};
use clap::Subcommand;

use super::terms::{TermsArgs, is_uncertified, lines};
use super::{Remote, receipt};
use crate::client::{query, segment};
use crate::failure::{Exit, Failure};
use crate::output::{Table, moment};
use crate::system::SystemClock;

#[derive(Debug, Subcommand)]
pub(crate) enum Grant {
    /// List grants with their use
    List {
        /// Only those of this identity or group:ID
        #[arg(long, value_name = "S")]
        subject: Option<String>,
        /// Only those on this API
        #[arg(long, value_name = "NAME")]
        api: Option<String>,
        /// Only this status
        #[arg(long, value_parser = ["active", "suspended", "revoked"])]
        status: Option<String>,
    },
    /// Show one grant
    Show {
        /// The grant
        id: String,
    },
    /// Allow operations of an API
    Give(Box<GiveArgs>),
    /// Keep only some operations of a grant
    Narrow {
        /// The grant
        id: String,
        /// What remains: read, write, all, or operation ids
        #[arg(long, value_name = "OP", value_delimiter = ',', required = true)]
        can: Vec<String>,
        /// Why
        #[arg(long, value_name = "T")]
        reason: String,
    },
    /// Remove a grant; returns when every live node enforces it
    Revoke {
        /// The grant
        id: String,
        /// Why
        #[arg(long, value_name = "T")]
        reason: String,
    },
    /// Take a grant back step by step; the last step is to revoke it
    Withdraw {
        /// The grant
        id: String,
        /// log_only (refuse nothing, record what would be), a share such as 10%, or stop
        #[arg(long, value_name = "S")]
        stage: String,
        /// Why
        #[arg(long, value_name = "T")]
        reason: String,
    },
    /// Narrower forms of grants that recorded use supports
    Suggest,
}

#[derive(Debug, clap::Args)]
pub(crate) struct GiveArgs {
    /// An identity's id or group:ID
    subject: String,
    /// The API
    #[arg(long, value_name = "NAME")]
    api: String,
    /// read, write, all, operation ids, or role:ID
    #[arg(long, value_name = "OP", value_delimiter = ',', required = true)]
    can: Vec<String>,
    /// What may be seen of responses: dotted names, or "no" and a data class ("no phi")
    #[arg(long = "field", value_name = "F[,F…]", value_delimiter = ',')]
    fields: Option<Vec<String>>,
    /// When it ends: a date, a time, or a duration from now (90d)
    #[arg(long, value_name = "T")]
    until: Option<String>,
    #[command(flatten)]
    terms: TermsArgs,
}

impl Grant {
    pub(crate) async fn run(self, remote: &Remote) -> Result<Exit, Failure> {
        let client = &remote.client;
        match self {
            Self::List { subject, api, status } => {
                let filter = [
                    ("subject", subject.as_deref()),
                    ("api", api.as_deref()),
                    ("status", status.as_deref()),
                ];
                let grants = all(remote, &filter).await?;
                remote.out.show(&grants, |grants| listed(grants))?;
            }
            Self::Show { id } => {
                let grant: GrantView = client.get(&path(&id)).await?;
                remote.out.show(&grant, shown)?;
            }
            Self::Give(args) => give(*args, remote).await?,
            Self::Narrow { id, can, reason } => narrow(&id, can, reason, remote).await?,
            Self::Revoke { id, reason } => {
                let body = admin::form::Reason { reason };
                let changed: ChangeReceipt =
                    client.post(&format!("{}/revoke", path(&id)), &body).await?;
                remote.out.show(&changed, receipt)?;
            }
            Self::Withdraw { id, stage, reason } => {
                let body = Withdraw { stage, reason };
                let changed: ChangeReceipt =
                    client.post(&format!("{}/withdraw", path(&id)), &body).await?;
                remote.out.show(&changed, receipt)?;
            }
            Self::Suggest => {
                let suggestions: Vec<SuggestionView> = client.get("/suggestions").await?;
                remote.out.show(&suggestions, |rows| suggested(rows))?;
            }
        }
        Ok(Exit::Done)
    }
}

fn path(id: &str) -> String {
    format!("/grants/{}", segment(id))
}

/// As many rows as one request brings.
const PAGE: usize = 1_000;

async fn all(remote: &Remote, filter: &[(&str, Option<&str>)]) -> Result<Vec<GrantView>, Failure> {
    let (limit, mut rows) = (PAGE.to_string(), Vec::<GrantView>::new());
    loop {
        let after = rows.last().map(|grant| grant.id.clone());
        let mut parameters = filter.to_vec();
        parameters.extend([("limit", Some(limit.as_str())), ("after", after.as_deref())]);
        let page: Vec<GrantView> =
            remote.client.get(&format!("/grants{}", query(&parameters))).await?;
        let last = page.len() < PAGE;
        rows.extend(page);
        if last {
            return Ok(rows);
        }
    }
}

/// `--until` as the API takes it: durations are counted from now.
pub(crate) fn end(text: &str) -> Result<String, Failure> {
    moment_of(text, "--until")
}

/// A moment to come: a date, a time, or a duration from now.
pub(crate) fn moment_of(text: &str, option: &str) -> Result<String, Failure> {
    if let Ok(span) = Span::parse(text) {
        return Ok((SystemClock.now() + span).to_string());
    }
    let end = Timestamp::parse(text).map_err(|error| {
        base::Problem::invalid("bad_time", error.to_string())
            .at(option)
            .hint("write 2026-03-01, 2026-03-01T09:00:00Z or 90d")
    })?;
    Ok(end.to_string())
}

async fn give(args: GiveArgs, remote: &Remote) -> Result<(), Failure> {
    let until = args.until.as_deref().map(end).transpose()?;
    let new = NewGrant {
        subject: args.subject,
        api: args.api,
        can: args.can,
        fields: args.fields,
        terms: args.terms.view()?,
        until,
    };
    let grant: GrantView = remote.client.post("/grants", &new).await?;
    remote.out.show(&grant, shown)
}

/// `read`, `write` and `all` mean the same operations as when the grant was given; the API takes
/// ids, so that nothing is left to read differently.
async fn narrow(
    id: &str,
    can: Vec<String>,
    reason: String,
    remote: &Remote,
) -> Result<(), Failure> {
    let grant: GrantView = remote.client.get(&path(id)).await?;
    let api: ApiDetail = remote.client.get(&format!("/apis/{}", segment(&grant.api_id))).await?;
    let mut operations = Vec::new();
    for word in can {
        let mutating = match word.as_str() {
            "read" => Some(false),
            "write" => Some(true),
            _ => None,
        };
        match mutating {
            None => operations.push(word),
            Some(mutating) => operations.extend(
                api.operations
                    .iter()
                    .filter(|operation| operation.mutating == mutating)
                    .filter(|op| grant.operations.iter().any(|id| id == "*" || *id == op.id))
                    .map(|operation| operation.id.clone()),
            ),
        }
    }
    let body = admin::form::Narrow { operations, reason };
    let changed: ChangeReceipt = remote.client.post(&format!("{}/narrow", path(id)), &body).await?;
    remote.out.show(&changed, receipt)
}

fn operations(grant: &GrantView) -> String {
    match grant.operations.as_slice() {
        [star] if star == "*" => format!("all {}", grant.operations_count),
        [one] => one.clone(),
        several => format!("{} of them", several.len()),
    }
}

/// Its status, and what it does not say: that no review kept it in time.
fn status(grant: &GrantView) -> String {
    match is_uncertified(grant, SystemClock.now()) {
        true if grant.status == "active" => "not certified any more".to_owned(),
        _ => grant.status.clone(),
    }
}

pub(super) fn listed(grants: &[GrantView]) -> String {
    let mut table =
        Table::new(&["id", "subject", "api", "operations", "status", "until", "calls 90d", "last"]);
    for grant in grants {
        table.row([
            grant.id.clone(),
            grant.subject.clone(),
            grant.api_name.clone(),
            operations(grant),
            status(grant),
            moment(grant.expires_at.as_deref()),
            grant.calls_90d.to_string(),
            moment(grant.last_used_at.as_deref()),
        ]);
    }
    table.render("No grants: access is denied by default")
}

fn shown(grant: &GrantView) -> String {
    let terms: String = lines(grant).iter().map(|line| format!("{line}\n")).collect();
    let received: String = received(&grant.fields_seen);
    let roles: String = grant.roles.iter().map(|role| format!(", role:{role}")).collect();
    format!(
        "{} · {} may use {} of {} · {} · until {}\n\
         given by {} · reason {} · {} calls in 90 days\n{terms}{received}",
        grant.id,
        grant.subject,
        grant.operations.join(", ") + &roles,
        grant.api_name,
        status(grant),
        moment(grant.expires_at.as_deref()),
        grant.approved_by.as_deref().unwrap_or("nobody known"),
        grant.reason,
        grant.calls_90d
    )
}

/// The fields that were received, a line per operation.
fn received(fields: &[ReceivedFieldView]) -> String {
    let mut operations: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for field in fields {
        let what = match field.path.as_str() {
            "*" => "others that the document does not have",
            "[more]" => "more",
            path => path,
        };
        let day = field.last_at.split('T').next().unwrap_or_default();
        operations.entry(&field.operation).or_default().push(format!("{what} ({day})"));
    }
    let line = |(operation, fields): (&str, Vec<String>)| {
        format!("{operation} received {}\n", fields.join(", "))
    };
    operations.into_iter().map(line).collect()
}

fn suggested(rows: &[SuggestionView]) -> String {
    let mut table = Table::new(&["grant", "keep"]);
    for row in rows {
        let keep = match row.operations.is_empty() {
            true => "nothing: the grant can go".to_owned(),
            false => row.operations.join(", "),
        };
        table.row([row.grant_id.clone(), keep]);
    }
    table.render("Nothing to narrow")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certified(until: &str) -> GrantView {
        serde_json::from_value(serde_json::json!({
            "id": "g_1", "version": 1, "subject": "svc", "subject_name": "svc",
            "api_id": "orders", "api_name": "orders", "operations": ["*"],
            "operations_count": 4, "fields": null, "terms": { "certified_until": until },
            "status": "active", "reason": "direct", "approved_by": null,
            "created_at": "2026-01-01T00:00:00Z", "expires_at": null, "calls_90d": 0,
            "operations_used": [], "last_used_at": null
        }))
        .unwrap()
    }

    #[test]
    fn a_grant_that_no_review_kept_in_time_is_not_shown_as_active() {
        let past = shown(&certified("2001-01-01T00:00:00Z"));
        assert!(past.contains("· not certified any more ·"), "{past}");
        assert!(past.contains("was kept until 2001-01-01"), "{past}");
        let ahead = shown(&certified("2999-01-01T00:00:00Z"));
        assert!(ahead.contains("· active ·") && ahead.contains("unless kept, until"), "{ahead}");
    }
}

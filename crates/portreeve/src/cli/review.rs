//! `portreeve review …`

use std::path::Path;

use app::view::{
    ItemView, NamedOperation, NewDecision, ReviewDefinition, ReviewStatus, ReviewView, SignOffView,
};
use base::Problem;
use clap::Subcommand;

use super::Remote;
use crate::client::segment;
use crate::failure::{Exit, Failure};
use crate::output::{Table, moment};

#[derive(Debug, Subcommand)]
pub(crate) enum Review {
    /// List reviews
    List,
    /// Start a review
    Start {
        /// A review of the server's configuration file by name, or a TOML or JSON file that
        /// defines one
        definition: String,
    },
    /// List the items of a review that you may see
    Items {
        /// The review
        id: String,
    },
    /// Draft a decision; nothing changes before `review sign`
    Decide {
        /// The item
        item: String,
        /// What becomes of the grant
        #[arg(value_parser = ["keep", "narrow", "remove"])]
        verdict: String,
        /// Why; needed against the recommendation and to keep high risk
        #[arg(long, value_name = "T")]
        note: Option<String>,
    },
    /// Take a draft back
    Undo {
        /// The item
        item: String,
    },
    /// Sign your drafts: they become decisions for good and are carried out
    Sign {
        /// The review
        id: String,
    },
    /// Move the end of an active review, so that decisions are taken longer
    Extend {
        /// The review
        id: String,
        /// The new end, in days from now
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        days: u32,
    },
    /// Give an active review up; what was signed in it has no effect
    Cancel {
        /// The review
        id: String,
        /// Why
        #[arg(long, value_name = "T")]
        reason: String,
    },
    /// Progress and proof of a review
    Status {
        /// The review
        id: String,
    },
}

impl Review {
    pub(crate) async fn run(self, remote: &Remote) -> Result<Exit, Failure> {
        let client = &remote.client;
        match self {
            Self::List => {
                let reviews: Vec<ReviewView> = client.get("/reviews").await?;
                remote.out.show(&reviews, |reviews| listed(reviews))?;
            }
            Self::Start { definition } => {
                let definition = defined(&definition, remote).await?;
                let review: ReviewView = client.post("/reviews", &definition).await?;
                remote.out.show(&review, |review| listed(std::slice::from_ref(review)))?;
                remote.out.hint(&format!("next: portreeve review items {}", review.id));
            }
            Self::Items { id } => {
                let items: Vec<ItemView> = client.get(&format!("{}/items", path(&id))).await?;
                remote.out.show(&items, |items| items_listed(items))?;
            }
            Self::Decide { item, verdict, note } => {
                let decision = NewDecision { verdict, note };
                let item: ItemView = client.put(&draft(&item), &decision).await?;
                remote.out.show(&item, |item| items_listed(std::slice::from_ref(item)))?;
                let id = &item.review_id;
                remote
                    .out
                    .hint(&format!("a draft; when all is decided: portreeve review sign {id}"));
            }
            Self::Undo { item } => {
                let item: ItemView = client.delete(&draft(&item)).await?;
                remote.out.show(&item, |item| items_listed(std::slice::from_ref(item)))?;
            }
            Self::Sign { id } => sign(&id, remote).await?,
            Self::Extend { id, days } => {
                let body = admin::form::Extend { days };
                let status: ReviewStatus =
                    client.post(&format!("{}/extend", path(&id)), &body).await?;
                remote.out.show(&status, |status| listed(std::slice::from_ref(&status.review)))?;
            }
            Self::Cancel { id, reason } => {
                let body = admin::form::Reason { reason };
                let status: ReviewStatus =
                    client.post(&format!("{}/cancel", path(&id)), &body).await?;
                remote.out.show(&status, |status| listed(std::slice::from_ref(&status.review)))?;
            }
            Self::Status { id } => {
                let status: ReviewStatus = client.get(&path(&id)).await?;
                remote.out.show(&status, told)?;
            }
        }
        Ok(Exit::Done)
    }
}

fn path(id: &str) -> String {
    format!("/reviews/{}", segment(id))
}

fn draft(item: &str) -> String {
    format!("/items/{}/draft", segment(item))
}

/// A file when there is one of this name, else a definition of the server's.
async fn defined(given: &str, remote: &Remote) -> Result<ReviewDefinition, Failure> {
    let file = Path::new(given);
    if file.is_file() {
        let text = std::fs::read_to_string(file).map_err(|error| Failure::file(file, &error))?;
        return parse(given, &text);
    }
    let known: Vec<ReviewDefinition> = remote.client.get("/review-definitions").await?;
    let names: Vec<String> = known.iter().map(|definition| definition.name.clone()).collect();
    known.into_iter().find(|definition| definition.name == given).ok_or_else(|| {
        let problem = Problem::not_found("review definition", given);
        let names = names.join(", ");
        match names.is_empty() {
            true => problem.hint("add [[review]] to the server's configuration, or name a file"),
            false => problem.hint(format!("the server has: {names}")),
        }
        .into()
    })
}

fn parse(file: &str, text: &str) -> Result<ReviewDefinition, Failure> {
    let parsed = match file.ends_with(".json") {
        true => serde_json::from_str(text).map_err(|error| {
            let place = format!("{file}:{}:{}", error.line(), error.column());
            (error.to_string(), place)
        }),
        false => toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            let (line, column) = crate::config::diagnostic::place(text, start);
            (error.message().to_owned(), format!("{file}:{line}:{column}"))
        }),
    };
    parsed.map_err(|(why, place)| {
        let problem = Problem::invalid("bad_definition", why).at(place);
        problem.hint("the keys are those of [[review]]: portreeve config explain").into()
    })
}

/// Signs what the server shows at this moment: a draft that changes in between is not signed.
async fn sign(id: &str, remote: &Remote) -> Result<(), Failure> {
    let path = format!("{}/sign-off", path(id));
    let seen: SignOffView = remote.client.get(&path).await?;
    remote.out.hint(&format!(
        "signing {} keep, {} narrow, {} remove; {} open",
        seen.keep, seen.narrow, seen.remove, seen.open
    ));
    for item in &seen.changes {
        remote.out.hint(&taken(item));
    }
    let body = admin::form::Sign { drafts_digest: Some(seen.drafts_digest) };
    let status: ReviewStatus = remote.client.post(&path, &body).await?;
    remote.out.show(&status, told)
}

/// What a draft takes away: `narrow svc on orders: goes Refund order; stays List orders`.
fn taken(item: &ItemView) -> String {
    let verdict = item.verdict.as_deref().unwrap_or_default();
    let stays = |id: &String| verdict == "narrow" && item.recommendation.operations.contains(id);
    let (stay, go): (Vec<_>, Vec<_>) = item.granted.iter().partition(|op| stays(&op.id));
    let titles = |of: &[&NamedOperation]| {
        of.iter().map(|op| op.title.as_str()).collect::<Vec<_>>().join(", ")
    };
    let mut text = format!("{verdict} {} on {}: goes {}", item.subject, item.api_name, titles(&go));
    if !stay.is_empty() {
        text.push_str(&format!("; stays {}", titles(&stay)));
    }
    text
}

fn listed(reviews: &[ReviewView]) -> String {
    let mut table = Table::new(&["id", "state", "items", "mine", "drafts", "decided", "until"]);
    for review in reviews {
        table.row([
            review.id.clone(),
            review.state.clone(),
            review.items.to_string(),
            review.mine.to_string(),
            review.drafted.to_string(),
            review.decided.to_string(),
            moment(Some(&review.deadline)),
        ]);
    }
    table.render("No reviews: portreeve review start DEFINITION")
}

fn items_listed(items: &[ItemView]) -> String {
    let mut table =
        Table::new(&["item", "subject", "api", "calls 90d", "suggested", "why", "state"]);
    for item in items {
        let state = match &item.verdict {
            Some(verdict) => format!("{} {verdict}", item.state),
            None => item.state.clone(),
        };
        table.row([
            item.id.clone(),
            item.subject.clone(),
            item.api_name.clone(),
            item.usage.calls.to_string(),
            item.recommendation.verdict.clone(),
            item.recommendation.reasons.first().cloned().unwrap_or_default(),
            state,
        ]);
    }
    table.render("No items")
}

/// `12 decided · 2 narrowed · 1 removed · applied in 0.4 s · probe refused · 0 allowed calls since`
fn told(status: &ReviewStatus) -> String {
    let review = &status.review;
    let mut parts = vec![
        format!("{} decided", review.decided),
        format!("{} narrowed", status.narrowed),
        format!("{} removed", status.removed),
    ];
    if review.decided < review.items {
        parts.push(format!("{} open", review.items - review.decided - status.superseded));
    }
    match status.applied_in_ms {
        None => {}
        Some(millis @ 0..100) => parts.push(format!("applied in {millis} ms")),
        Some(millis) => {
            parts.push(format!("applied in {}.{} s", millis / 1_000, millis % 1_000 / 100));
        }
    }
    if status.probe != "none" {
        parts.push(format!("probe {}", status.probe));
        parts.push(format!("{} allowed calls since", status.allowed_since));
    }
    let mut text = format!("{}\n", parts.join(" · "));
    for reason in &status.blocked_by {
        text.push_str(&format!("not complete: {reason}\n"));
    }
    text
}

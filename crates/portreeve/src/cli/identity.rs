//! `portreeve identity …`

use std::collections::BTreeMap;

use app::view::{
    AdminTokenView, ChangeReceipt, Changed, IdentityDetail, IdentityView, NewIdentity, Page,
    PutAttributes,
};
use clap::Subcommand;

use super::{Remote, changed, receipt};
use crate::client::{query, segment};
use crate::failure::{Exit, Failure};
use crate::output::{Table, moment, or_dash};

/// As many rows as one request brings.
const PAGE: &str = "500";

const KINDS: [&str; 7] = [
    "person",
    "service_account",
    "application",
    "workload",
    "ai_agent",
    "ci_pipeline",
    "third_party",
];

#[derive(Debug, Subcommand)]
pub(crate) enum Identity {
    /// List identities
    List {
        /// Only those whose id or name has this text
        text: Option<String>,
        /// Only this kind
        #[arg(long, value_parser = KINDS)]
        kind: Option<String>,
        /// Only those of this owner
        #[arg(long, value_name = "S")]
        owner: Option<String>,
        /// Only this status
        #[arg(long, value_parser = ["active", "suspended", "disabled"])]
        status: Option<String>,
    },
    /// Show one identity with its grants and credentials
    Show {
        /// Its id
        id: String,
    },
    /// Add an identity
    Add(AddArgs),
    /// Give an identity an owner
    Own {
        /// The identity
        id: String,
        /// A person's id or group:ID
        owner: String,
    },
    /// Set what else is known of an identity, for conditions; what is not given is gone
    Attributes {
        /// The identity
        id: String,
        /// NAME=VALUE, several times
        #[arg(long, value_name = "NAME=VALUE", value_parser = attribute)]
        set: Vec<(String, String)>,
    },
    /// Stop an identity for now: its requests are refused
    Suspend {
        /// The identity
        id: String,
        /// Why
        #[arg(long, value_name = "T")]
        reason: String,
    },
    /// Undo a suspension
    Resume {
        /// The identity
        id: String,
        /// Why
        #[arg(long, value_name = "T")]
        reason: String,
    },
    /// Make a link that signs a person in at the console, once, within 15 minutes
    SignIn {
        /// The person
        id: String,
    },
    /// Issue an admin token for a person; it is shown this once
    Token {
        /// The person
        id: String,
        /// What the token may do
        #[arg(long, value_name = "R", value_parser = ["admin", "auditor", "member"])]
        role: String,
    },
    /// List the admin tokens, without their secrets
    Tokens,
    /// Refuse an admin token for good
    RevokeToken {
        /// The token's id, from `identity tokens`
        id: String,
        /// Why
        #[arg(long, value_name = "T")]
        reason: String,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct AddArgs {
    /// Id and display name
    name: String,
    /// What it is
    #[arg(long, value_name = "K", value_parser = KINDS)]
    kind: String,
    /// Who answers for it: a person's id or group:ID
    #[arg(long, value_name = "S")]
    owner: Option<String>,
    /// Where it belongs
    #[arg(long, value_name = "E")]
    environment: Option<String>,
    /// Why it exists
    #[arg(long, value_name = "T")]
    purpose: Option<String>,
    /// Mail address of a person
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// How often it works, where that is seldom: disuse is judged by it
    #[arg(long, value_name = "S", value_parser = ["monthly", "quarterly", "annual"])]
    seasonality: Option<String>,
    /// What else is known of it, for conditions: NAME=VALUE, several times
    #[arg(long = "attribute", value_name = "NAME=VALUE", value_parser = attribute)]
    attributes: Vec<(String, String)>,
}

/// `tenant=acme`.
fn attribute(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE, e.g. tenant=acme")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn grouped(attributes: Vec<(String, String)>) -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    attributes.into_iter().for_each(|(name, value)| all.entry(name).or_default().push(value));
    all
}

impl Identity {
    pub(crate) async fn run(self, remote: &Remote) -> Result<Exit, Failure> {
        let client = &remote.client;
        match self {
            Self::List { text, kind, owner, status } => {
                let filter = [
                    ("text", text.as_deref()),
                    ("kind", kind.as_deref()),
                    ("owner", owner.as_deref()),
                    ("status", status.as_deref()),
                ];
                let identities = all(remote, &filter).await?;
                remote.out.show(&identities, |rows| listed(rows))?;
            }
            Self::Show { id } => {
                let detail: IdentityDetail = client.get(&path(&id)).await?;
                remote.out.show(&detail, shown)?;
            }
            Self::Add(args) => add(args, remote).await?,
            Self::Own { id, owner } => {
                let body = admin::form::SetOwner { owner };
                let now: Changed<IdentityView> =
                    client.put(&format!("{}/owner", path(&id)), &body).await?;
                remote
                    .out
                    .show(&now, |now| changed(now, |view| listed(std::slice::from_ref(view))))?;
            }
            Self::Attributes { id, set } => {
                let body = PutAttributes { attributes: grouped(set) };
                let url = format!("{}/attributes", path(&id));
                let now: Changed<PutAttributes> = client.put(&url, &body).await?;
                remote.out.show(&now, |now| changed(now, |set| known(&set.attributes)))?;
            }
            Self::Suspend { id, reason } => stop(remote, &id, "suspend", reason).await?,
            Self::Resume { id, reason } => stop(remote, &id, "resume", reason).await?,
            Self::SignIn { id } => sign_in(remote, id).await?,
            Self::Token { id, role } => {
                let new = admin::form::NewAdminToken { identity: id, role };
                let issued: admin::form::AdminToken = client.post("/admin-tokens", &new).await?;
                remote.out.show(&issued, |issued| format!("{}   shown once\n", issued.token))?;
            }
            Self::Tokens => {
                let tokens: Vec<AdminTokenView> = client.get("/admin-tokens").await?;
                remote.out.show(&tokens, |tokens| tokens_listed(tokens))?;
            }
            Self::RevokeToken { id, reason } => {
                let revoke = format!("/admin-tokens/{}/revoke", segment(&id));
                let body = admin::form::Reason { reason };
                let tokens: Vec<AdminTokenView> = client.post(&revoke, &body).await?;
                remote.out.show(&tokens, |tokens| tokens_listed(tokens))?;
            }
        }
        Ok(Exit::Done)
    }
}

fn known(attributes: &BTreeMap<String, Vec<String>>) -> String {
    let mut table = Table::new(&["attribute", "values"]);
    for (name, values) in attributes {
        table.row([name.clone(), values.join(", ")]);
    }
    table.render("Nothing else is known of it")
}

fn path(id: &str) -> String {
    format!("/identities/{}", segment(id))
}

async fn all(
    remote: &Remote,
    filter: &[(&str, Option<&str>)],
) -> Result<Vec<IdentityView>, Failure> {
    let mut rows = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let mut parameters = filter.to_vec();
        parameters.extend([("limit", Some(PAGE)), ("after", after.as_deref())]);
        let page: Page<IdentityView> =
            remote.client.get(&format!("/identities{}", query(&parameters))).await?;
        rows.extend(page.items);
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(rows),
        }
    }
}

async fn add(args: AddArgs, remote: &Remote) -> Result<(), Failure> {
    let new = NewIdentity {
        name: args.name,
        id: None,
        kind: args.kind,
        owner: args.owner,
        environment: args.environment,
        purpose: args.purpose,
        email: args.email,
        seasonality: args.seasonality,
        attributes: grouped(args.attributes),
    };
    let view: IdentityView = remote.client.post("/identities", &new).await?;
    remote.out.show(&view, |view| listed(std::slice::from_ref(view)))?;
    let next = if view.kind == "person" { "identity sign-in" } else { "key issue" };
    remote.out.hint(&format!("next: portreeve {next} {}", view.id));
    Ok(())
}

async fn stop(remote: &Remote, id: &str, verb: &str, reason: String) -> Result<(), Failure> {
    let body = admin::form::Reason { reason };
    let changed: ChangeReceipt = remote.client.post(&format!("{}/{verb}", path(id)), &body).await?;
    remote.out.show(&changed, receipt)
}

async fn sign_in(remote: &Remote, identity: String) -> Result<(), Failure> {
    let new = admin::form::NewSignInLink { identity };
    let made: admin::form::SignInLink = remote.client.post("/sign-in-links", &new).await?;
    let link = format!("{}{}", remote.client.url(), made.link);
    remote.out.show(&serde_json::json!({"link": link}), |_| format!("{link}\n"))
}

fn listed(identities: &[IdentityView]) -> String {
    let mut table =
        Table::new(&["id", "kind", "owner", "environment", "status", "grants", "last call"]);
    for identity in identities {
        let owner = match (&identity.owner, identity.owner_active) {
            (Some(owner), false) => format!("{owner} (not active)"),
            (owner, _) => or_dash(owner.as_deref()),
        };
        table.row([
            identity.id.clone(),
            identity.kind.clone(),
            owner,
            identity.environment.clone(),
            identity.status.clone(),
            identity.grants_count.to_string(),
            moment(identity.last_seen_at.as_deref()),
        ]);
    }
    table.render("No identities match")
}

fn tokens_listed(tokens: &[AdminTokenView]) -> String {
    let mut table = Table::new(&["id", "acts for", "role", "token", "until", "revoked"]);
    for token in tokens {
        table.row([
            token.id.clone(),
            token.identity_id.clone(),
            token.role.clone(),
            token.label.clone(),
            moment(token.expires_at.as_deref()),
            moment(token.revoked_at.as_deref()),
        ]);
    }
    table.render("No admin tokens")
}

fn shown(detail: &IdentityDetail) -> String {
    let identity = &detail.identity;
    let mut text = listed(std::slice::from_ref(identity));
    if let Some(purpose) = &identity.purpose {
        text.push_str(&format!("\n{purpose}\n"));
    }
    text.push('\n');
    text.push_str(&super::grant::listed(&detail.grants));
    text.push('\n');
    text.push_str(&super::key::listed(&detail.credentials));
    for finding in &detail.findings {
        text.push_str(&format!("\n{}: {}\n", finding.rule, finding.summary));
    }
    text
}

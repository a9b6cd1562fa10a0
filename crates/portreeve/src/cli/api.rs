//! `portreeve api …`

use std::path::PathBuf;

use app::view::{
    ApiDetail, ApiView, ChangeReceipt, Changed, ChecksView, NewApi, NewTimeouts, PutChecks,
    SetLimits,
};
use clap::Subcommand;

use super::{Remote, receipt};
use crate::client::segment;
use crate::failure::{Exit, Failure};
use crate::output::{Table, or_dash};

const CHECKS: [&str; 3] = ["off", "observe", "enforce"];

#[derive(Debug, Subcommand)]
pub(crate) enum Api {
    /// List the APIs
    List,
    /// Show one API with its operations
    Show {
        /// Id or name
        name: String,
    },
    /// Protect a service
    Add(Box<AddArgs>),
    /// Replace the operations of an API by those of an OpenAPI or Swagger document
    Import {
        /// Id or name
        name: String,
        /// The document: a file, or an http(s) URL that this command fetches
        document: String,
    },
    /// Set what happens to requests that no grant covers
    Mode {
        /// Id or name
        name: String,
        /// observe lets them pass and records it, enforce refuses them
        #[arg(value_parser = ["observe", "enforce"])]
        mode: String,
    },
    /// Replace the limits of an API and what its operations cost
    Limit {
        /// Id or name
        name: String,
        #[command(flatten)]
        limits: LimitArgs,
        /// Limit nothing
        #[arg(long, conflicts_with_all = ["limits", "costs"], required_unless_present_any = ["limits", "costs"])]
        none: bool,
    },
    /// Set what is checked of requests and responses against the API's document
    Check {
        /// Id or name
        name: String,
        /// What becomes of requests that break it; observe lets them pass and records it
        #[arg(long, value_parser = CHECKS)]
        requests: Option<String>,
        /// The same for responses
        #[arg(long, value_parser = CHECKS)]
        responses: Option<String>,
        /// Objects in requests take only the properties that the document describes
        #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
        closed: Option<bool>,
        /// The query takes only the parameters that the operation lists
        #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
        strict_query: Option<bool>,
    },
    /// Stop protecting a service: its requests are refused
    Remove {
        /// Id or name
        name: String,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct AddArgs {
    /// Id and display name
    name: String,
    /// Path prefix, e.g. /orders
    #[arg(long, value_name = "P")]
    path: String,
    /// Where requests go, e.g. http://127.0.0.1:3000
    #[arg(long, value_name = "URL")]
    upstream: String,
    /// What callers may present; token,key unless given
    #[arg(long, value_name = "A[,A…]", value_delimiter = ',', value_parser = ["token", "key", "certificate"])]
    accept: Vec<String>,
    /// How the upstream is spoken to; h2 for gRPC
    #[arg(long, value_parser = ["h1", "h2"])]
    protocol: Option<String>,
    /// OpenAPI or Swagger document
    #[arg(long, value_name = "FILE|URL", conflicts_with = "operations")]
    openapi: Option<String>,
    /// Operations without a document: /package.Service/Method of gRPC, or "METHOD /path"
    #[arg(long, value_name = "OP[,OP…]", value_delimiter = ',')]
    operations: Vec<String>,
    /// Who answers for it: a person's id or group:ID
    #[arg(long, value_name = "S")]
    owner: Option<String>,
    /// How bad misuse would be
    #[arg(long, value_parser = ["low", "medium", "high"])]
    impact: Option<String>,
    /// What happens to requests that no grant covers
    #[arg(long, value_parser = ["observe", "enforce"])]
    mode: Option<String>,
    /// Host name that it answers to; several times for several
    #[arg(long = "host", value_name = "NAME")]
    hosts: Vec<String>,
    /// Where it runs
    #[arg(long, value_name = "E")]
    environment: Option<String>,
    /// How long to connect to the upstream, e.g. 5s
    #[arg(long, value_name = "D")]
    timeout_connect: Option<String>,
    /// How long to wait for the first byte of an answer, e.g. 60s
    #[arg(long, value_name = "D")]
    timeout_response: Option<String>,
    /// How long a body may pause, e.g. 60s
    #[arg(long, value_name = "D")]
    timeout_idle: Option<String>,
    /// How long a gRPC call may take, whatever its caller gives it, e.g. 30s
    #[arg(long, value_name = "D")]
    timeout_call: Option<String>,
    #[command(flatten)]
    limits: LimitArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct LimitArgs {
    /// How much may be used, e.g. "200/s per caller", "10000/day per grant", "20 concurrent per
    /// credential"; several times for several
    #[arg(long = "limit", value_name = "L")]
    limits: Vec<String>,
    /// What a request of an operation counts under limits; several times for several
    #[arg(long = "cost", value_name = "OP=N", value_parser = cost)]
    costs: Vec<(String, u32)>,
}

fn cost(text: &str) -> Result<(String, u32), String> {
    let form = || format!("`{text}` is not a cost; write OPERATION=NUMBER, like exportOrders=50");
    let (operation, cost) = text.split_once('=').ok_or_else(form)?;
    Ok((operation.to_owned(), cost.parse().map_err(|_| form())?))
}

impl Api {
    pub(crate) async fn run(self, remote: &Remote) -> Result<Exit, Failure> {
        match self {
            Self::List => list(remote).await,
            Self::Show { name } => {
                let detail: ApiDetail = remote.client.get(&path(&name)).await?;
                remote.out.show(&detail, shown)?;
                Ok(Exit::Done)
            }
            Self::Add(args) => add(*args, remote).await,
            Self::Import { name, document } => import(&name, &document, remote).await,
            Self::Mode { name, mode } => {
                let body = admin::form::SetMode { mode };
                let changed: ChangeReceipt =
                    remote.client.put(&format!("{}/mode", path(&name)), &body).await?;
                remote.out.show(&changed, receipt)?;
                Ok(Exit::Done)
            }
            Self::Limit { name, limits, none: _ } => {
                let body =
                    SetLimits { limits: limits.limits, costs: limits.costs.into_iter().collect() };
                let changed: ChangeReceipt =
                    remote.client.put(&format!("{}/limits", path(&name)), &body).await?;
                remote.out.show(&changed, receipt)?;
                Ok(Exit::Done)
            }
            Self::Check { name, requests, responses, closed, strict_query } => {
                let wanted = PutChecks { requests, responses, closed, strict_query };
                let detail: ApiDetail =
                    remote.client.put(&format!("{}/checks", path(&name)), &wanted).await?;
                remote.out.show(&detail, |detail| checks(detail.checks.as_ref()))?;
                Ok(Exit::Done)
            }
            Self::Remove { name } => {
                let changed: ChangeReceipt = remote.client.delete(&path(&name)).await?;
                remote.out.show(&changed, receipt)?;
                Ok(Exit::Done)
            }
        }
    }
}

fn path(name: &str) -> String {
    format!("/apis/{}", segment(name))
}

async fn list(remote: &Remote) -> Result<Exit, Failure> {
    let apis: Vec<ApiView> = remote.client.get("/apis").await?;
    remote.out.show(&apis, |apis| {
        let mut table =
            Table::new(&["id", "path", "mode", "impact", "owner", "operations", "upstream"]);
        for api in apis {
            table.row([
                api.id.clone(),
                api.path.clone(),
                api.mode.clone(),
                api.impact.clone(),
                or_dash(api.owner.as_deref()),
                api.operations_count.to_string(),
                api.upstream.clone(),
            ]);
        }
        table.render("No APIs yet: portreeve api add NAME --path /P --upstream URL")
    })?;
    Ok(Exit::Done)
}

fn shown(detail: &ApiDetail) -> String {
    let api = &detail.api;
    let protocol = if api.protocol == "h2" { " (h2)" } else { "" };
    let mut text = format!(
        "{} · {} → {}{protocol} · {} · impact {} · owner {} · {} grants\n",
        api.name,
        api.path,
        api.upstream,
        api.mode,
        api.impact,
        api.owner.as_deref().unwrap_or("none"),
        detail.grants.len()
    );
    if api.accept.iter().any(|kind| kind == "certificate") {
        text.push_str(&format!("takes {}\n", api.accept.join(", ")));
    }
    for limit in &api.limits {
        text.push_str(&format!("limit {limit}\n"));
    }
    text.push_str(&checks(detail.checks.as_ref()));
    text.push('\n');
    let heading = ["operation", "method", "path", "impact", "cost", "calls 90d", "callers"];
    let mut table = Table::new(&heading);
    for operation in &detail.operations {
        table.row([
            operation.id.clone(),
            operation.method.clone(),
            operation.path.clone(),
            operation.impact.clone(),
            operation.cost.to_string(),
            operation.calls_90d.to_string(),
            operation.callers_90d.to_string(),
        ]);
    }
    text.push_str(&table.render("No operations: portreeve api import NAME DOCUMENT"));
    text
}

/// What is checked, in one line, and what is not, in one each.
fn checks(checks: Option<&ChecksView>) -> String {
    let Some(checks) = checks else { return "no document to check messages against\n".to_owned() };
    let mut text = format!(
        "messages against {}: requests {}, responses {}",
        checks.document, checks.requests, checks.responses
    );
    let options = [(checks.closed, ", closed"), (checks.strict_query, ", strict query")];
    text.extend(options.iter().filter(|(on, _)| *on).map(|(_, name)| *name));
    text.push('\n');
    text.extend(checks.notes.iter().map(|note| format!("  note: {note}\n")));
    text
}

async fn add(args: AddArgs, remote: &Remote) -> Result<Exit, Failure> {
    let mut api = NewApi {
        name: args.name,
        path: args.path,
        upstream: args.upstream,
        protocol: args.protocol,
        accept: args.accept,
        operations: args.operations,
        hosts: args.hosts,
        owner: args.owner,
        impact: args.impact,
        mode: args.mode,
        environment: args.environment,
        timeouts: NewTimeouts {
            connect: args.timeout_connect,
            response: args.timeout_response,
            idle: args.timeout_idle,
            call: args.timeout_call,
        },
        limits: args.limits.limits,
        costs: args.limits.costs.into_iter().collect(),
        ..NewApi::default()
    };
    match args.openapi {
        Some(url) if is_url(&url) => api.document_url = Some(url),
        Some(file) => {
            api.document = Some(read(&file)?);
            api.document_name = Some(file);
        }
        None => {}
    }
    let detail: ApiDetail = remote.client.post("/apis", &api).await?;
    remote.out.show(&detail, shown)?;
    let name = &detail.api.id;
    remote.out.hint(&format!("next: portreeve key issue NAME --api {name} --can read"));
    Ok(Exit::Done)
}

async fn import(name: &str, document: &str, remote: &Remote) -> Result<Exit, Failure> {
    let text = match is_url(document) {
        true => crate::client::fetch(document).await?,
        false => read(document)?,
    };
    let body =
        admin::form::ImportDocument { document: text, document_name: Some(document.to_owned()) };
    let changed: Changed<ApiDetail> =
        remote.client.put(&format!("{}/operations", path(name)), &body).await?;
    remote.out.show(&changed, |changed| super::changed(changed, shown))?;
    Ok(Exit::Done)
}

fn is_url(text: &str) -> bool {
    text.starts_with("http://") || text.starts_with("https://")
}

fn read(file: &str) -> Result<String, Failure> {
    let path = PathBuf::from(file);
    std::fs::read_to_string(&path).map_err(|error| Failure::file(&path, &error))
}

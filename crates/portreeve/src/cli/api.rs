//! `portreeve api …`

use std::path::PathBuf;

use app::view::{ApiDetail, ApiView, ChangeReceipt, NewApi, NewTimeouts};
use clap::Subcommand;

use super::{Remote, receipt};
use crate::client::segment;
use crate::failure::{Exit, Failure};
use crate::output::{Table, or_dash};

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
        "{} · {} → {}{protocol} · {} · impact {} · owner {} · {} grants\n\n",
        api.name,
        api.path,
        api.upstream,
        api.mode,
        api.impact,
        api.owner.as_deref().unwrap_or("none"),
        detail.grants.len()
    );
    let mut table = Table::new(&["operation", "method", "path", "impact", "calls 90d", "callers"]);
    for operation in &detail.operations {
        table.row([
            operation.id.clone(),
            operation.method.clone(),
            operation.path.clone(),
            operation.impact.clone(),
            operation.calls_90d.to_string(),
            operation.callers_90d.to_string(),
        ]);
    }
    text.push_str(&table.render("No operations: portreeve api import NAME DOCUMENT"));
    text
}

async fn add(args: AddArgs, remote: &Remote) -> Result<Exit, Failure> {
    let mut api = NewApi {
        name: args.name,
        path: args.path,
        upstream: args.upstream,
        protocol: args.protocol,
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
    let detail: ApiDetail = remote.client.put(&format!("{}/operations", path(name)), &body).await?;
    remote.out.show(&detail, shown)?;
    Ok(Exit::Done)
}

fn is_url(text: &str) -> bool {
    text.starts_with("http://") || text.starts_with("https://")
}

fn read(file: &str) -> Result<String, Failure> {
    let path = PathBuf::from(file);
    std::fs::read_to_string(&path).map_err(|error| Failure::file(&path, &error))
}

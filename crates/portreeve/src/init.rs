//! `portreeve init`: the configuration file, the keys, the first administrator.

use std::path::{Path, PathBuf};

use app::view::NewIdentity;
use app::{Actor, Role};
use base::{IdentityId, Problem, Secret};
use serde_json::json;

use crate::cli::unusable;
use crate::config::{Settings, read};
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::profile::{self, write_private};
use crate::serve::core::{Core, Plan};
use crate::serve::{keys, start_log};
use crate::system::{SystemEntropy, environment};

#[derive(Debug, clap::Args)]
pub(crate) struct InitArgs {
    /// Directory for the configuration and the data; made when it does not exist
    #[arg(long, value_name = "DIR", default_value = ".")]
    state: PathBuf,
    /// A first API, at /: where its requests go
    #[arg(long, value_name = "URL")]
    upstream: Option<String>,
    /// Id of the first administrator [default: the user's name]
    #[arg(long, value_name = "ID")]
    admin: Option<String>,
    /// The database [default: SQLite in the data]: a URL without a password, or env:NAME for a
    /// variable that holds one
    #[arg(long, value_name = "URL|env:NAME")]
    database: Option<String>,
    /// The proxy's port; the console takes the next one, and 0 takes free ones
    #[arg(long, value_name = "N", default_value = "8443", value_parser = clap::value_parser!(u16).range(0..65535))]
    port: u16,
}

/// Makes an installation. One that is there already is left alone.
pub(crate) async fn run(args: InitArgs, out: Output) -> Result<Exit, Failure> {
    start_log("error", out);
    let file = args.state.join("portreeve.toml");
    if file.exists() {
        let problem = Problem::conflict("already_there", "there is a configuration already")
            .at(file.display().to_string())
            .hint("start it: portreeve serve --config, or choose another --state");
        return Err(problem.into());
    }
    let admin = admin_id(args.admin.as_deref())?;
    let text = written(&args, &admin);
    // Checked before anything is made, as the text holds what the user gave.
    let settings = crate::config::parse(&file, &text).map_err(unusable)?;
    std::fs::create_dir_all(&args.state).map_err(|e| Failure::file(&args.state, &e))?;
    for secret in [&settings.pepper, &settings.signing] {
        if let Some(path) = secret.path() {
            keys::make(&path, &mut SystemEntropy)?;
        }
    }
    let token = first_admin(&settings, &admin).await?;
    // The file comes last: an installation with a file is complete.
    write_private(&file, text.as_bytes()).map_err(|error| Failure::file(&file, &error))?;
    read(&file).map_err(unusable)?;
    told(&file, &settings, &admin, &token, out)?;
    Ok(Exit::Done)
}

fn admin_id(given: Option<&str>) -> Result<IdentityId, Failure> {
    let name = given.map(str::to_owned).or_else(|| environment("USER"));
    let name = name.unwrap_or_else(|| "admin".to_owned());
    let id = IdentityId::parse(&name);
    Ok(id.map_err(|error| Problem::invalid("bad_id", error.to_string()).at("--admin"))?)
}

async fn first_admin(settings: &Settings, admin: &IdentityId) -> Result<Secret<String>, Failure> {
    let clock = std::sync::Arc::new(crate::system::SystemClock);
    let core = Core::open(Plan::of(settings)?, clock).await?;
    let id = IdentityId::parse("system:init").map_err(|e| Problem::internal(e.to_string()))?;
    let system = Actor::system(id);
    let person = NewIdentity {
        name: admin.to_string(),
        kind: "person".to_owned(),
        purpose: Some("First administrator".to_owned()),
        ..NewIdentity::default()
    };
    match core.app.add_identity(&system, person).await {
        // An earlier init that was interrupted made the person; only the token is new.
        Err(problem) if problem.kind == base::problem::ProblemKind::Conflict => {}
        other => {
            other?;
        }
    }
    let token = core.app.issue_admin_token(&system, admin.as_str(), Role::Admin).await?;
    core.app.leave().await?;
    Ok(Secret::new(token))
}

fn written(args: &InitArgs, admin: &IdentityId) -> String {
    let console = if args.port == 0 { 0 } else { args.port.saturating_add(1) };
    let database = args.database.as_deref().map_or_else(String::new, database_line);
    let mut text = format!(
        "# portreeve.toml: what is not written has a safe default, see `portreeve config explain`\n\
         listen  = \"127.0.0.1:{}\"     # callers\n\
         console = \"127.0.0.1:{console}\"     # people and automation; never the callers' port\n\
         data    = \"data\"\n\
         {database}\n\
         [keys]\n\
         pepper  = {{ file = \"keys/pepper\" }}\n\
         signing = {{ file = \"keys/signing\" }}\n\
         \n\
         [sign-in]\n\
         admins = [\"{admin}\"]\n",
        args.port
    );
    if let Some(upstream) = &args.upstream {
        let upstream = toml::Value::String(upstream.clone());
        text.push_str(&format!(
            "\n[[api]]\nname     = \"main\"\nowner    = \"{admin}\"\npath     = \"/\"\n\
             upstream = {upstream}\n\
             # openapi = \"openapi.yaml\"         # gives operations their names\n\
             # mode    = \"observe\"              # see who calls before you refuse\n"
        ));
    }
    text
}

fn database_line(given: &str) -> String {
    match given.strip_prefix("env:") {
        Some(name) => format!("database = {{ env = {} }}\n", toml::Value::from(name)),
        None => format!("database = {}\n", toml::Value::from(given)),
    }
}

fn told(
    file: &Path,
    settings: &Settings,
    admin: &IdentityId,
    token: &Secret<String>,
    out: Output,
) -> Result<(), Failure> {
    let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let shown = json!({"config": file, "admin_token": token.expose()});
    out.show(&shown, |_| {
        format!("config       {}\nadmin token  {}\n", file.display(), token.expose())
    })?;
    let url = format!("http://{}", settings.console);
    let written = match settings.console.port() {
        0 => None,
        _ => profile::write(&url, token, false)?,
    };
    match written {
        Some(_) => {
            out.hint(&format!(
                "{admin} is signed in on this machine; the token is shown this once"
            ));
        }
        // Another server's profile is left alone, and commands would go there.
        None => {
            out.hint("commands take PORTREEVE_URL (the console) and PORTREEVE_TOKEN (this token)")
        }
    }
    out.hint(&format!("next: portreeve serve --config {}", file.display()));
    Ok(())
}

//! `portreeve demo`: a small company on loopback, in one process, with a review waiting. Nothing
//! leaves the machine, and without `--state` nothing is kept.

mod calls;
mod clock;
mod company;
mod upstream;
mod world;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use app::{Keys, Role};
use base::{Entropy, NodeId, Problem, Secret};
use serde_json::json;

use self::clock::DemoClock;
use crate::failure::{Exit, Failure};
use crate::output::{Output, write};
use crate::profile;
use crate::serve::core::{Core, Plan};
use crate::serve::running::{Doors, Running};
use crate::serve::{Signals, Told, keys, start_log};
use crate::system::SystemEntropy;

/// Whom hints suggest to issue a key to.
const EXAMPLE: &str = "demo-client";

#[derive(Debug, clap::Args)]
pub(crate) struct DemoArgs {
    /// The proxy's port; the console takes the next one, and 0 takes free ones
    #[arg(long, value_name = "N", default_value = "8443")]
    port: u16,
    /// Keep the demo's state in this directory
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
}

/// Runs until it is told to end.
pub(crate) async fn run(args: DemoArgs, out: Output) -> Result<Exit, Failure> {
    start_log("error", out);
    let mut signals = Signals::listen()?;
    let folder = Folder::of(args.state)?;
    let sample = upstream::start().await?;
    let core = open(folder.path(), &format!("http://{}", sample.address())).await?;
    let running = Running::start(core, doors(args.port)?).await?;
    running.process.reviews.store(vec![world::review()].into());
    let app = &running.core.app;
    let system = world::actor()?;
    let token = Secret::new(app.issue_admin_token(&system, world::PERSON, Role::Admin).await?);
    let code = app.sign_in_link(&system, world::PERSON).await?;
    let profile = profile::write(&running.console_url(), &token, true)?;
    announce(&running, &code, &token, &folder, profile.is_some(), out)?;
    while let Told::Reload = signals.next().await {
        out.hint("the demo has no configuration to read again");
    }
    running.stop().await;
    sample.stop().await;
    drop(profile);
    Ok(Exit::Done)
}

/// Opens the state, and makes the company when it is new.
async fn open(folder: &Path, upstream: &str) -> Result<Core, Failure> {
    let fresh = !folder.join("portreeve.db").exists();
    let clock = Arc::new(match fresh {
        true => DemoClock::behind(world::AGE),
        false => DemoClock::default(),
    });
    let plan = plan(folder)?;
    let core = Core::open(plan, Arc::clone(&clock) as Arc<dyn base::Clock>).await?;
    match fresh {
        true => world::make(&core, &clock, upstream).await?,
        false => world::declare(&core.app, upstream).await?,
    }
    Ok(core)
}

fn plan(folder: &Path) -> Result<Plan, Failure> {
    let node = NodeId::parse("demo").map_err(|error| Problem::internal(error.to_string()))?;
    let mut settings = app::Settings::new(node);
    settings.key_label = token::KeyLabel::Demo;
    settings.admins = vec![world::PERSON.to_owned()];
    Ok(Plan {
        data: folder.to_owned(),
        database: format!("sqlite:{}", folder.join("portreeve.db").display()),
        durable: false,
        keys: keys_in(folder)?,
        settings,
    })
}

fn keys_in(folder: &Path) -> Result<Keys, Failure> {
    for name in ["pepper", "signing"] {
        keys::make(&folder.join(name), &mut SystemEntropy)?;
    }
    Ok(keys::read_files(&folder.join("pepper"), &folder.join("signing"))?)
}

fn doors(port: u16) -> Result<Doors, Failure> {
    let console = match port {
        0 => 0,
        port => port.checked_add(1).ok_or_else(|| {
            Problem::invalid("bad_port", "the console's port would be 65536").at("--port")
        })?,
    };
    let usual = proxy::Limits::default();
    Ok(Doors {
        listen: SocketAddr::from(([127, 0, 0, 1], port)),
        console: SocketAddr::from(([127, 0, 0, 1], console)),
        url: None,
        console_url: None,
        ext_auth: None,
        tls: None,
        upstream_roots: None,
        trusted_proxies: Vec::new(),
        proof_lifetime: proxy::GateConfig::default().proofs.lifetime,
        relations: Vec::new(),
        bears: (usual.in_flight, usual.delay),
        example_identity: Some(EXAMPLE.to_owned()),
        watch_one_in: 1,
    })
}

fn announce(
    running: &Running,
    code: &str,
    token: &Secret<String>,
    folder: &Folder,
    has_profile: bool,
    out: Output,
) -> Result<(), Failure> {
    let (proxy, console) = (running.proxy_url(), running.console_url());
    let sign_in = format!("{console}/?once={code}");
    if out.json {
        return out.line(&json!({
            "proxy": proxy, "console": console, "sign_in": sign_in, "admin_token": token.expose(),
        }));
    }
    let version = env!("CARGO_PKG_VERSION").trim_end_matches(".0");
    let kept = match folder {
        Folder::Temporary(_) => "nothing here is kept after Ctrl-C".to_owned(),
        Folder::Kept(path) => format!("kept in {}", path.display()),
    };
    write(&format!(
        "  portreeve {version} demo · {kept}\n\
         \x20 proxy    {proxy}      console  {sign_in}   (signs you in as Robin, reviewer)\n\
         \x20 sample   orders API, 6 services, 2 agents, 90 days of calls, 1 review waiting\n\
         \x20 try      curl -i {proxy}/orders/42\n"
    ))?;
    if !has_profile {
        let token = token.expose();
        out.hint("your profile of another server was left alone; for this one, in another shell:");
        out.hint(&format!("  export PORTREEVE_URL={console} PORTREEVE_TOKEN={token}"));
    }
    Ok(())
}

/// Where the state is.
enum Folder {
    /// Deleted at the end.
    Temporary(PathBuf),
    /// The user's.
    Kept(PathBuf),
}

impl Folder {
    fn of(given: Option<PathBuf>) -> Result<Self, Failure> {
        let folder = match given {
            Some(path) => Self::Kept(path),
            None => {
                let mut random = [0; 8];
                SystemEntropy.fill(&mut random);
                let name = format!("portreeve-demo-{}", base::encoding::to_hex(&random));
                Self::Temporary(std::env::temp_dir().join(name))
            }
        };
        let path = folder.path();
        private(path).map_err(|error| Failure::file(path, &error))?;
        Ok(folder)
    }

    fn path(&self) -> &Path {
        let (Self::Temporary(path) | Self::Kept(path)) = self;
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Self::Temporary(path) = self {
            let _ = std::fs::remove_dir_all(path);
        }
    }
}

/// Makes a directory that only its owner can enter.
fn private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

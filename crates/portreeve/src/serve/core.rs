//! The state of an installation, open: store, decision log, application. Nothing listens yet.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use app::{App, HttpFetcher, Keys, Parts};
use base::problem::ProblemKind;
use base::{Clock, NodeId, Problem};
use decision_log::{DecisionLog, Options};
use store::Store;

use crate::config::{Database, Settings};
use crate::profile::write_private;
use crate::system::{SystemClock, SystemEntropy};

/// What is opened, and how.
pub(crate) struct Plan {
    /// Directory of everything that is kept.
    pub(crate) data: PathBuf,
    /// URL of the database.
    pub(crate) database: String,
    /// Answers wait until their record is on disk.
    pub(crate) durable: bool,
    /// Secrets of the installation.
    pub(crate) keys: Keys,
    /// Settings of the use cases, made for the node.
    pub(crate) settings: app::Settings,
}

/// An open installation.
pub(crate) struct Core {
    pub(crate) app: Arc<App>,
    pub(crate) log: Arc<DecisionLog>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) keys: Keys,
    pub(crate) durable: bool,
}

impl Plan {
    /// As a configuration says.
    pub(crate) fn of(settings: &Settings) -> Result<Self, Problem> {
        std::fs::create_dir_all(&settings.data).map_err(|error| {
            Problem::new(ProblemKind::Unavailable, "data_unusable", error.to_string())
                .at(settings.data.display().to_string())
                .hint("`data` must be a directory that this user may write to")
        })?;
        let database = match &settings.database {
            Database::Url(url) => url.clone(),
            Database::Secret(secret) => secret.read()?.into_exposed(),
        };
        let mut use_cases = app::Settings::new(node_id(&settings.data)?);
        use_cases.admins = settings.admins.iter().map(ToString::to_string).collect();
        use_cases.issuers = settings
            .issuers
            .iter()
            .map(|issuer| app::TrustedIssuer {
                name: issuer.token.name.clone(),
                issuer: issuer.token.issuer.clone(),
            })
            .collect();
        Ok(Self {
            data: settings.data.clone(),
            database,
            durable: settings.durable,
            keys: super::keys::load(settings)?,
            settings: use_cases,
        })
    }
}

impl Core {
    /// Opens everything. Another process that has the same data open is an error.
    pub(crate) async fn open(plan: Plan, clock: Arc<dyn Clock>) -> Result<Self, Problem> {
        let store = Store::open(&plan.database).await?;
        let options = Options { durable: plan.durable, ..Options::default() };
        let calls = plan.data.join("calls");
        let log = DecisionLog::open(&calls, options, Arc::clone(&clock));
        let log = Arc::new(log.map_err(|error| log_problem(&error))?);
        let app = App::open(Parts {
            store,
            clock: Arc::clone(&clock),
            entropy: Box::new(SystemEntropy),
            keys: plan.keys.clone(),
            settings: plan.settings,
            fetcher: Arc::new(HttpFetcher::new()?),
            decision_log: Some(Arc::clone(&log)),
        })
        .await?;
        Ok(Self { app, log, clock, keys: plan.keys, durable: plan.durable })
    }
}

fn log_problem(error: &decision_log::LogError) -> Problem {
    let unavailable = |reason| Problem::new(ProblemKind::Unavailable, reason, error.to_string());
    match error {
        decision_log::LogError::Locked(_) => unavailable("decision_log_locked")
            .hint("another portreeve runs on this data; stop it, or use another `data`"),
        _ => unavailable("decision_log").hint("`portreeve doctor` looks closer"),
    }
}

/// The id of this node, made at the first start: receipts name it, so it must not change.
fn node_id(data: &Path) -> Result<NodeId, Problem> {
    let path = data.join("node-id");
    let unusable = |error: std::io::Error| {
        Problem::new(ProblemKind::Unavailable, "data_unusable", error.to_string())
            .at(path.display().to_string())
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => NodeId::parse(text.trim()).map_err(|error| {
            Problem::invalid("bad_id", error.to_string()).at(path.display().to_string())
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let id = NodeId::generate(SystemClock.now(), &mut SystemEntropy);
            write_private(&path, format!("{id}\n").as_bytes()).map_err(unusable)?;
            Ok(id)
        }
        Err(error) => Err(unusable(error)),
    }
}

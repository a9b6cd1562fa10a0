//! `portreeve policy …`

use std::path::{Path, PathBuf};

use app::view::{
    CaseView, ChangeSet, Explanation, ExportView, PolicyCase, PolicyView, ProofView, ProveRequest,
    PublishView, ReplayRequest, ReplayView, ShiftView, TestRequest, WrittenRequest,
};
use base::Problem;
use clap::Subcommand;
use serde::Deserialize;

use super::Remote;
use super::rollout::First;
use crate::failure::{Exit, Failure};
use crate::output::{Table, moment};

#[derive(Debug, Subcommand)]
pub(crate) enum Policy {
    /// Show the files of the published policy set
    Show {
        /// Only this file, as it is
        file: Option<String>,
    },
    /// List the versions of the policy set, with who and why
    Versions,
    /// Compare two versions of the policy set
    Diff {
        /// The earlier version
        from: u32,
        /// The later version [default: the present one]
        to: Option<u32>,
    },
    /// Run tests: those of the published set, or of a file; exit 2 when one does not hold
    Test {
        /// A file of tests
        file: Option<PathBuf>,
        /// Run them as if this change were in force
        #[arg(long, value_name = "FILE")]
        change: Option<PathBuf>,
    },
    /// Check a change without publishing it: its parts, the tests, and the calls it would turn
    Check {
        /// The change
        file: PathBuf,
    },
    /// Judge recorded calls again by what holds now, or as if a change were in force
    Replay {
        /// Calls since then: a time, or a duration back from now
        #[arg(long, value_name = "T", default_value = "90d")]
        since: String,
        /// The change
        #[arg(long, value_name = "FILE")]
        change: Option<PathBuf>,
    },
    /// Why a request was decided as it was, or would be: each stage, grant and guardrail, and what
    /// would allow it; exit 2 when it is refused
    Explain(Box<ExplainArgs>),
    /// Prove something about all requests; exit 2 with a counterexample when it is not so
    Prove(ProveArgs),
    /// Write what decides down as Cedar policies, with their schema and entities
    Export {
        /// Which part
        #[arg(value_parser = ["policies", "schema", "entities", "vocabulary"],
              default_value = "policies")]
        part: String,
    },
    /// Publish a change, all of it or nothing; refused when a test does not hold after it
    Publish {
        /// The change
        file: PathBuf,
        #[command(flatten)]
        first: First,
    },
    /// Show the change that is being rolled out, what it does to calls, and take it further or back
    #[command(args_conflicts_with_subcommands = true)]
    Rollout {
        /// List all rollouts
        #[arg(long)]
        list: bool,
        #[command(subcommand)]
        act: Option<super::rollout::Rollout>,
    },
    /// Publish an earlier version of the policy set again
    Rollback {
        /// The version
        #[arg(value_name = "VERSION")]
        wanted: u32,
        /// Why
        #[arg(long, value_name = "T")]
        reason: String,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct ExplainArgs {
    /// The id of a request that came, or one that is written down: "GET /orders/42?tenant=acme"
    request: String,
    /// Who calls
    #[arg(long, value_name = "X")]
    identity: Option<String>,
    /// By which kind of proof [default: api_key]
    #[arg(long, value_name = "CLASS", requires = "identity")]
    credential: Option<String>,
    /// The caller's address
    #[arg(long, value_name = "IP", requires = "identity")]
    from: Option<String>,
    /// When [default: now]
    #[arg(long, value_name = "T", requires = "identity")]
    at: Option<String>,
    /// The host that is asked, where APIs differ by it
    #[arg(long, value_name = "NAME", requires = "identity")]
    host: Option<String>,
    /// A header field; several times for several
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = header, requires = "identity")]
    headers: Vec<(String, String)>,
    /// A claim of the token; several times for several
    #[arg(long = "claim", value_name = "NAME=VALUE", value_parser = claim, requires = "identity")]
    claims: Vec<(String, String)>,
    /// The JSON body
    #[arg(long, value_name = "JSON", requires = "identity")]
    body: Option<String>,
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) =
        text.split_once(':').ok_or_else(|| format!("`{text}` is not like NAME: VALUE"))?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

fn claim(text: &str) -> Result<(String, String), String> {
    let (name, value) =
        text.split_once('=').ok_or_else(|| format!("`{text}` is not like NAME=VALUE"))?;
    Ok((name.to_owned(), value.to_owned()))
}

impl ExplainArgs {
    /// The request as it is written down; `None`: it is the id of one that came.
    fn written(self) -> Option<WrittenRequest> {
        let mut claims = std::collections::BTreeMap::<String, Vec<String>>::new();
        for (name, value) in self.claims {
            claims.entry(name).or_default().push(value);
        }
        Some(WrittenRequest {
            identity: self.identity?,
            request: self.request,
            credential: self.credential,
            binding: None,
            host: self.host,
            headers: self.headers.into_iter().collect(),
            claims,
            body: self.body,
            from: self.from,
            at: self.at,
        })
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct ProveArgs {
    /// A change: that nothing is allowed after it that is not allowed now
    #[arg(value_name = "FILE", required_unless_present = "class")]
    change: Option<PathBuf>,
    /// That the change allows exactly what is allowed now
    #[arg(long, requires = "change", conflicts_with = "class")]
    same: bool,
    /// That no grant shows fields of this data class, now or after the change
    #[arg(long = "never-sees", value_name = "CLASS")]
    class: Option<String>,
    /// By whom they are not seen [default: nobody sees them]
    #[arg(long, value_name = "X[,X…]", value_delimiter = ',', requires = "class")]
    by: Vec<String>,
    /// How long the solver may take
    #[arg(long, value_name = "N", default_value = "60",
          value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
}

impl Policy {
    pub(crate) async fn run(self, remote: &Remote) -> Result<Exit, Failure> {
        let client = &remote.client;
        match self {
            Self::Show { file } => {
                let policy: PolicyView = client.get("/policy").await?;
                show(remote, &policy, file.as_deref())?;
            }
            Self::Versions => {
                let versions: Vec<PolicyView> = client.get("/policy/versions").await?;
                remote.out.show(&versions, |rows| versions_listed(rows))?;
            }
            Self::Diff { from, to } => return diff(remote, from, to).await,
            Self::Test { file, change } => {
                let cases = file.as_deref().map(cases).transpose()?.unwrap_or_default();
                let change = change.as_deref().map(read).transpose()?;
                let asked = TestRequest { cases, change };
                let tests: Vec<CaseView> = client.post("/policy/test", &asked).await?;
                remote.out.show(&tests, |tests| tested(tests))?;
                return Ok(verdict(&tests));
            }
            Self::Check { file } => {
                let change = read(&file)?;
                let checked: PublishView =
                    client.post("/policy/publish?dry_run=true", &change).await?;
                remote.out.show(&checked, published)?;
                return Ok(verdict(&checked.tests));
            }
            Self::Replay { since, change } => {
                let change = change.as_deref().map(read).transpose()?;
                let asked = ReplayRequest { since: Some(since), change };
                let replay: ReplayView = client.post("/policy/replay", &asked).await?;
                remote.out.show(&replay, replayed)?;
            }
            Self::Explain(args) => return explain(*args, remote).await,
            Self::Prove(args) => return prove(args, remote).await,
            Self::Export { part } => {
                let export: ExportView = client.get("/policy/export").await?;
                remote.out.show(&export, |export| exported(export, &part))?;
            }
            Self::Publish { file, first } if first.is_rollout() => {
                super::rollout::start(remote, read(&file)?, first).await?;
            }
            Self::Rollout { list, act } => super::rollout::run(remote, list, act).await?,
            Self::Publish { file, first: _ } => {
                let done: PublishView = client.post("/policy/publish", &read(&file)?).await?;
                remote.out.show(&done, published)?;
            }
            Self::Rollback { wanted, reason } => {
                let body = admin::form::RollBack { version: wanted, reason };
                let done: PublishView = client.post("/policy/rollback", &body).await?;
                remote.out.show(&done, published)?;
            }
        }
        Ok(Exit::Done)
    }
}

async fn explain(args: ExplainArgs, remote: &Remote) -> Result<Exit, Failure> {
    let is_line = args.request.contains(' ');
    if is_line != args.identity.is_some() {
        let detail = "a request that is written down has a caller, and one that came has an id";
        return Err(Problem::invalid("bad_request_line", detail)
            .at("REQUEST")
            .hint("policy explain r_01…, or policy explain --identity X 'GET /orders/42'")
            .into());
    }
    let id = args.request.clone();
    let explanation: Explanation = match args.written() {
        Some(request) => remote.client.post("/policy/explain", &request).await?,
        None => {
            let path = format!("/calls/{}/explanation", crate::client::segment(&id));
            remote.client.get(&path).await?
        }
    };
    remote.out.show(&explanation, super::call::explained)?;
    Ok(super::call::verdict(&explanation))
}

async fn prove(args: ProveArgs, remote: &Remote) -> Result<Exit, Failure> {
    let question = match (&args.class, args.same) {
        (Some(_), _) => "never_sees",
        (None, true) => "same",
        (None, false) => "no_more",
    };
    let asked = ProveRequest {
        question: question.to_owned(),
        change: args.change.as_deref().map(read).transpose()?,
        class: args.class,
        identities: args.by,
        seconds: Some(args.seconds),
    };
    let proof: ProofView = remote.client.post("/policy/prove", &asked).await?;
    remote.out.show(&proof, proved)?;
    Ok(if proof.holds { Exit::Done } else { Exit::Differs })
}

fn proved(proof: &ProofView) -> String {
    match &proof.counterexample {
        None if proof.holds => {
            format!("Proved for all requests: {} cases, solved by {}\n", proof.cases, proof.solver)
        }
        None => "Not so\n".to_owned(),
        Some(example) => {
            format!("Not so. Allowed by the {} policy: {}\n", example.allowed_by, example.text)
        }
    }
}

fn exported(export: &ExportView, part: &str) -> String {
    match part {
        "schema" => export.schema.clone(),
        "vocabulary" => export.vocabulary.clone(),
        "entities" => format!("{:#}\n", export.entities),
        _ => export.policies.clone(),
    }
}

fn verdict(tests: &[CaseView]) -> Exit {
    if tests.iter().all(|case| case.passed) { Exit::Done } else { Exit::Differs }
}

/// A change as it is written: `files` name files beside it, whose texts go along.
fn read(path: &Path) -> Result<ChangeSet, Failure> {
    let text = read_text(path)?;
    let mut change: ChangeSet = parse(path, &text)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    for (name, source) in &mut change.files {
        if source.is_empty() {
            continue;
        }
        let place = format!("{}, files.{name}", path.display());
        *source = read_text(&folder.join(source.as_str())).map_err(|problem| problem.at(place))?;
    }
    Ok(change)
}

/// A file of tests, as it stands in the policy set too.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    #[serde(default, rename = "case")]
    cases: Vec<PolicyCase>,
}

fn cases(path: &Path) -> Result<Vec<PolicyCase>, Failure> {
    let text = read_text(path)?;
    let Cases { cases } = parse(path, &text)?;
    if cases.is_empty() {
        let detail = "a file of tests without [[case]] tests nothing";
        return Err(Problem::invalid("no_tests", detail).at(path.display().to_string()).into());
    }
    Ok(cases)
}

fn read_text(path: &Path) -> Result<String, Problem> {
    std::fs::read_to_string(path).map_err(|error| {
        let detail = format!("cannot be read: {error}");
        Problem::invalid("unreadable_file", detail).at(path.display().to_string())
    })
}

fn parse<T: serde::de::DeserializeOwned>(path: &Path, text: &str) -> Result<T, Failure> {
    toml::from_str(text).map_err(|error| {
        let before = error.span().map_or(0, |span| span.start);
        let line = text.bytes().take(before).filter(|byte| *byte == b'\n').count() + 1;
        Problem::invalid("bad_file", error.message().to_owned())
            .at(format!("{}:{line}", path.display()))
            .into()
    })
}

fn show(remote: &Remote, policy: &PolicyView, file: Option<&str>) -> Result<(), Failure> {
    match file {
        None => remote.out.show(policy, files_listed),
        Some(name) => {
            let text = policy.files.get(name).ok_or_else(|| {
                let problem = Problem::not_found("policy file", name);
                match base::nearest(name, policy.files.keys().map(String::as_str)) {
                    Some(near) => problem.hint(format!("did you mean `{near}`?")),
                    None => problem,
                }
            })?;
            remote.out.show(text, Clone::clone)
        }
    }
}

fn files_listed(policy: &PolicyView) -> String {
    let mut table = Table::new(&["file", "lines"]);
    for (name, text) in &policy.files {
        table.row([name.clone(), text.lines().count().to_string()]);
    }
    table.render("No policy set was published: portreeve policy publish FILE")
}

fn versions_listed(versions: &[PolicyView]) -> String {
    let mut table = Table::new(&["version", "published", "by", "files", "why"]);
    for one in versions {
        table.row([
            one.version.to_string(),
            moment(one.updated_at.as_deref()),
            one.updated_by.clone().unwrap_or_default(),
            one.files.len().to_string(),
            one.why.clone().unwrap_or_default(),
        ]);
    }
    table.render("No policy set was published")
}

async fn diff(remote: &Remote, from: u32, to: Option<u32>) -> Result<Exit, Failure> {
    let versions: Vec<PolicyView> = remote.client.get("/policy/versions").await?;
    let find = |version: u32| {
        let found = versions.iter().find(|one| one.version == version);
        found.ok_or_else(|| Problem::not_found("policy version", &version.to_string()))
    };
    let later = match to {
        Some(version) => find(version)?,
        None => versions.first().ok_or_else(|| Problem {
            detail: "no version of policy was published yet".to_owned(),
            ..Problem::not_found("policy version", "any")
        })?,
    };
    let changes = changed(find(from)?, later);
    remote.out.show(&changes, |changes| match changes.is_empty() {
        true => "No difference\n".to_owned(),
        false => changes.iter().map(|line| format!("{line}\n")).collect(),
    })?;
    Ok(if changes.is_empty() { Exit::Done } else { Exit::Differs })
}

/// Lines that one of two versions has and the other has not, by file.
fn changed(from: &PolicyView, to: &PolicyView) -> Vec<String> {
    let mut lines = Vec::new();
    let names: std::collections::BTreeSet<_> = from.files.keys().chain(to.files.keys()).collect();
    for name in names {
        let text = |side: &PolicyView| side.files.get(name).cloned().unwrap_or_default();
        let (before, after) = (text(from), text(to));
        if before == after {
            continue;
        }
        lines.push(name.to_string());
        let has = |text: &str, line: &str| text.lines().any(|other| other == line);
        lines.extend(before.lines().filter(|l| !has(&after, l)).map(|l| format!("- {l}")));
        lines.extend(after.lines().filter(|l| !has(&before, l)).map(|l| format!("+ {l}")));
    }
    lines
}

fn tested(tests: &[CaseView]) -> String {
    let mut table = Table::new(&["", "test", "expected", "found", "by"]);
    for case in tests {
        let mark = if case.passed { "ok" } else { "FAILED" };
        table.row([
            mark.to_owned(),
            case.name.clone(),
            case.expected.clone(),
            case.found.clone(),
            case.grants.join(", "),
        ]);
    }
    let failed = tests.iter().filter(|case| !case.passed).count();
    let sum = format!("{} hold, {failed} do not\n", tests.len() - failed);
    table.render("No tests: add a file ….toml with [[case]] to the policy set") + &sum
}

fn replayed(replay: &ReplayView) -> String {
    let mut out = format!(
        "{} calls judged since {}; of {} nobody can tell by what was recorded\n",
        replay.judged,
        moment(Some(&replay.since)),
        replay.unknown
    );
    for (what, calls, rows) in [
        ("newly refused", replay.newly_refused_calls, &replay.newly_refused),
        ("newly allowed", replay.newly_allowed_calls, &replay.newly_allowed),
    ] {
        out.push_str(&format!("{calls} calls {what}\n"));
        out.push_str(&shifts(rows));
    }
    out
}

fn shifts(rows: &[ShiftView]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&["caller", "api", "operation", "calls", "last", "reason"]);
    for row in rows {
        table.row([
            row.identity_id.clone(),
            row.api_id.clone(),
            row.operation.clone().unwrap_or_else(|| "unknown".to_owned()),
            row.calls.to_string(),
            moment(Some(&row.last_at)),
            row.reason.clone().unwrap_or_default(),
        ]);
    }
    table.render("")
}

fn published(done: &PublishView) -> String {
    let mut out = match &done.receipt {
        Some(receipt) => super::receipt(receipt),
        None => "Checked; nothing was changed\n".to_owned(),
    };
    if !done.tests.is_empty() {
        out.push_str(&tested(&done.tests));
    }
    out.push_str(&super::stream::ended(&done.open, done.receipt.is_some()));
    out + &replayed(&done.replay)
}

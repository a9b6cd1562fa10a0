//! `portreeve policy publish --shadow`, `--share`, and `portreeve policy rollout …`

use app::view::{
    AdvanceRollout, BoundView, ChangeSet, RolloutDifference, RolloutRow, RolloutView, StartRollout,
};
use clap::{Args, Subcommand};

use super::Remote;
use crate::failure::Failure;
use crate::output::{Table, moment};

/// How a change is put in force: without any of these, for all at once.
#[derive(Debug, Clone, Args)]
pub(crate) struct First {
    /// Only say in the records what would change; refuse and allow as before
    #[arg(long, conflicts_with = "share")]
    shadow: bool,
    /// Let it govern so many percent of the callers at first
    #[arg(long, value_name = "PERCENT")]
    share: Option<u8>,
    #[command(flatten)]
    bound: BoundArgs,
}

/// When the change is taken back by itself.
#[derive(Debug, Clone, Args)]
pub(crate) struct BoundArgs {
    /// Take it back after more than so many refusals of calls that passed before [default: 10]
    #[arg(long, value_name = "CALLS")]
    bound: Option<u64>,
    /// Take it back when more than so many of a hundred calls are refused that passed before
    #[arg(long, value_name = "PERCENT")]
    bound_percent: Option<u8>,
    /// How long calls count [default: 10m]
    #[arg(long, value_name = "D")]
    window: Option<String>,
}

impl BoundArgs {
    fn view(&self) -> Option<BoundView> {
        let Self { bound, bound_percent, window } = self.clone();
        let is_given = bound.is_some() || bound_percent.is_some() || window.is_some();
        is_given.then_some(BoundView { refusals: bound, percent: bound_percent, window })
    }
}

impl First {
    /// Whether the change is put in force step by step. A bound alone asks for that too, and is
    /// refused for want of a first step.
    pub(crate) fn is_rollout(&self) -> bool {
        self.shadow || self.share.is_some() || self.bound.view().is_some()
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Rollout {
    /// Take the change to more callers, or publish it for all
    Advance {
        /// Let it govern so many percent of the callers
        #[arg(long, value_name = "PERCENT", required_unless_present = "all")]
        share: Option<u8>,
        /// Publish it: it governs everybody
        #[arg(long, conflicts_with = "share")]
        all: bool,
        /// Why
        #[arg(long, value_name = "T")]
        why: Option<String>,
    },
    /// Take the change back: what held before governs everybody
    Return {
        /// Why
        #[arg(long, value_name = "T")]
        why: String,
    },
}

/// The first step.
pub(crate) async fn start(remote: &Remote, change: ChangeSet, first: First) -> Result<(), Failure> {
    if !first.shadow && first.share.is_none() {
        let detail = "a bound is for a change that is put in force step by step";
        let problem = base::Problem::invalid("bound_without_step", detail);
        return Err(problem.hint("add --shadow or --share PERCENT").into());
    }
    let asked = StartRollout { change, share: first.share, bound: first.bound.view() };
    let begun: RolloutView = remote.client.post("/policy/rollouts", &asked).await?;
    remote.out.show(&begun, shown)?;
    remote.out.hint("What it does to calls: portreeve policy rollout");
    Ok(())
}

/// Shows, advances or returns.
pub(crate) async fn run(remote: &Remote, list: bool, act: Option<Rollout>) -> Result<(), Failure> {
    let client = &remote.client;
    let view: RolloutView = match act {
        None if list => {
            let rows: Vec<RolloutRow> = client.get("/policy/rollouts").await?;
            return remote.out.show(&rows, |rows| listed(rows));
        }
        None => client.get("/policy/rollout").await?,
        Some(Rollout::Advance { share, all, why }) => {
            client.post("/policy/rollout/advance", &AdvanceRollout { share, all, why }).await?
        }
        Some(Rollout::Return { why }) => {
            let body = admin::form::Reason { reason: why };
            client.post("/policy/rollout/return", &body).await?
        }
    };
    remote.out.show(&view, shown)
}

fn stage(stage: &str, share: u8) -> String {
    match stage {
        "share" => format!("share {share} %"),
        other => other.to_owned(),
    }
}

fn listed(rows: &[RolloutRow]) -> String {
    let mut table = Table::new(&["rollout", "stage", "objects", "started", "by", "why", "last"]);
    for row in rows {
        table.row([
            row.id.clone(),
            stage(&row.stage, row.share),
            row.edits.to_string(),
            moment(Some(&row.started.at)),
            row.started.by.clone(),
            row.started.why.clone().unwrap_or_default(),
            row.last.why.clone().unwrap_or_default(),
        ]);
    }
    table.render("No change was rolled out: portreeve policy publish FILE --shadow")
}

fn shown(view: &RolloutView) -> String {
    let mut out = view.receipt.as_ref().map(super::receipt).unwrap_or_default();
    let objects = view.edits.join(", ");
    out.push_str(&format!("Rollout {}: {}\n", view.id, stage(&view.stage, view.share)));
    out.push_str(&format!("Changes {objects}\n"));
    let mut steps = Table::new(&["step", "when", "by", "why"]);
    for step in &view.steps {
        steps.row([
            stage(&step.stage, step.share),
            moment(Some(&step.at)),
            step.by.clone(),
            step.why.clone().unwrap_or_default(),
        ]);
    }
    out.push_str(&steps.render(""));
    out.push_str(&against_bound(view));
    let all = &view.since_start;
    out.push_str(&format!("{} calls judged both ways since it began\n", all.judged));
    out.push_str(&differences(&view.differences));
    out
}

fn against_bound(view: &RolloutView) -> String {
    let window = view.bound.window.as_deref().unwrap_or_default();
    let within = &view.within_window;
    let most = match (view.bound.refusals, view.bound.percent) {
        (Some(calls), Some(percent)) => format!("{calls} calls or {percent} %"),
        (Some(calls), None) => format!("{calls} calls"),
        (None, Some(percent)) => format!("{percent} %"),
        (None, None) => "any number".to_owned(),
    };
    format!(
        "Within {window}: {} of {} calls refused that passed before; taken back beyond {most}\n",
        within.refused, within.governed
    )
}

fn differences(rows: &[RolloutDifference]) -> String {
    let heading =
        ["caller", "api", "operation", "calls", "last", "difference", "decided by", "reason"];
    let mut table = Table::new(&heading);
    for row in rows {
        table.row([
            row.identity_id.clone().unwrap_or_else(|| "others".to_owned()),
            row.api_id.clone().unwrap_or_default(),
            row.operation.clone().unwrap_or_default(),
            row.calls.to_string(),
            moment(Some(&row.last_at)),
            row.difference.clone(),
            row.governed_by.clone(),
            row.reason.clone().unwrap_or_default(),
        ]);
    }
    table.render("No difference so far")
}

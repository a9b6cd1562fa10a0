//! Policy as a whole: changes that are tried out on recorded calls, tested and published together;
//! versions of the policy set, and the way back.

mod cases;
mod change;
pub(crate) mod guardrails;
mod prove;
mod replay;
mod solver;
mod whole;
pub(crate) mod written;

use std::sync::Arc;

use base::Problem;
use grant::Guardrails;
use policy::Ruleset;
use store::Tx;

use crate::authority::Authority;
use crate::calls::moment;
use crate::view::{CaseView, ChangeSet, PolicyCase, PolicyView, PublishView, TestRequest};
use crate::{Actor, App};

/// Versions of the policy set that are listed.
const VERSIONS_SHOWN_MAX: usize = 100;

impl App {
    /// The policy set as published last.
    pub async fn policy(&self, actor: &Actor) -> Result<PolicyView, Problem> {
        let mut state = self.read().await?;
        let authority = Authority::of(&mut state, actor).await?;
        authority.must_read_all("see the policy set")?;
        Ok(state.guardrails().await?.map(|set| view(&set, None)).unwrap_or_default())
    }

    /// Every version of the policy set, newest first, with who published it and why.
    pub async fn policy_versions(&self, actor: &Actor) -> Result<Vec<PolicyView>, Problem> {
        let mut state = self.read().await?;
        let authority = Authority::of(&mut state, actor).await?;
        authority.must_read_all("see the policy set")?;
        let history = state.history("guardrails", store::GUARDRAILS_ID).await?;
        let version = |row: store::ChangeRow| {
            let set: Option<Guardrails> =
                row.after.and_then(|after| serde_json::from_value(after).ok());
            set.map(|set| view(&set, row.note))
        };
        Ok(history.into_iter().rev().filter_map(version).take(VERSIONS_SHOWN_MAX).collect())
    }

    /// Runs tests of policy: those given, or those of the published set.
    pub async fn test_policy(
        &self,
        actor: &Actor,
        asked: TestRequest,
    ) -> Result<Vec<CaseView>, Problem> {
        let mut state = self.read().await?;
        let authority = Authority::of(&mut state, actor).await?;
        authority.must_read_all("test policy")?;
        let mut set = state.guardrails().await?.unwrap_or_default();
        drop(state);
        let ruleset = match &asked.change {
            None => self.ruleset().load_full(),
            Some(change) => {
                set.files.extend(change.files.clone());
                self.tried(actor, change).await?.1
            }
        };
        let cases = match asked.cases.is_empty() {
            true => cases::of(&set)?,
            false => asked.cases.into_iter().map(|case| (String::new(), case)).collect(),
        };
        self.run_cases(&ruleset, &cases)
    }

    fn run_cases(
        &self,
        ruleset: &Arc<Ruleset>,
        cases: &[(String, PolicyCase)],
    ) -> Result<Vec<CaseView>, Problem> {
        let now = self.now();
        cases.iter().map(|(file, case)| cases::run(ruleset, file, case, now)).collect()
    }

    /// Publishes a change: everything it says, or nothing. Refused when a test of the policy set
    /// does not hold after it. A dry run changes nothing and says what would happen.
    pub async fn publish_policy(
        &self,
        actor: &Actor,
        change: ChangeSet,
        dry_run: bool,
    ) -> Result<PublishView, Problem> {
        let sight = self.sight(actor).await?;
        let mut tx = self.begin(actor).await?;
        let before = self.ruleset().load_full();
        self.apply(&mut tx, actor, &change, &[]).await?;
        self.check_base(&mut tx, &change).await?;
        let after = self.after(&mut tx).await?;
        let open = self.open_under(&after, &sight);
        let tests = self.tests_after(&mut tx, &after).await?;
        if !dry_run {
            all_hold(&tests)?;
        }
        let receipt = match dry_run {
            true => {
                drop(tx);
                None
            }
            false => {
                let change = self.commit(tx).await?;
                Some(self.receipt(change).await?)
            }
        };
        let since = moment("since", Some("90d"), self.now())?.unwrap_or(base::Timestamp::MIN);
        let outlook = self.outlook(since, Some(before), after).await?;
        Ok(PublishView { receipt, replay: replay::view(since, outlook), tests, open })
    }

    /// Runs the tests of the policy set as a transaction leaves it.
    pub(crate) async fn tests_after(
        &self,
        tx: &mut Tx,
        after: &Arc<Ruleset>,
    ) -> Result<Vec<CaseView>, Problem> {
        let set = tx.guardrails().await?.unwrap_or_default();
        self.run_cases(after, &cases::of(&set)?)
    }

    /// Publishes an earlier version of the policy set again, as a new version.
    pub async fn roll_policy_back(
        &self,
        actor: &Actor,
        version: u32,
        why: &str,
    ) -> Result<PublishView, Problem> {
        let earlier = self.policy_versions(actor).await?;
        let wanted = earlier.iter().find(|one| one.version == version);
        let wanted =
            wanted.ok_or_else(|| Problem::not_found("policy version", &version.to_string()))?;
        let present = self.policy(actor).await?;
        if present.files == wanted.files {
            let present = present.version;
            let detail = match version == present {
                true => format!("nothing to do: version {version} is already the present one"),
                false => format!(
                    "nothing to do: the present version, {present}, has the files of {version}"
                ),
            };
            return Err(Problem::conflict("already_present", detail)
                .at("version")
                .hint("portreeve policy versions lists the others"));
        }
        let gone = present.files.keys().filter(|name| !wanted.files.contains_key(*name));
        let mut files = wanted.files.clone();
        files.extend(gone.map(|name| (name.clone(), String::new())));
        let change = ChangeSet { why: Some(why.to_owned()), files, ..ChangeSet::default() };
        self.publish_policy(actor, change, false).await
    }
}

/// Refuses what a test of the policy set forbids.
pub(crate) fn all_hold(tests: &[CaseView]) -> Result<(), Problem> {
    let Some(failed) = tests.iter().find(|case| !case.passed) else { return Ok(()) };
    let detail = format!(
        "the test `{}` expects {} and finds {}",
        failed.name, failed.expected, failed.found
    );
    Err(Problem::conflict("policy_test_failed", detail)
        .at(failed.file.clone())
        .hint("change the policy or the test; `policy test --change` shows all of them"))
}

fn view(set: &Guardrails, why: Option<String>) -> PolicyView {
    PolicyView {
        version: set.version,
        files: set.files.clone(),
        updated_at: Some(set.updated_at.to_string()),
        updated_by: Some(set.updated_by.clone()),
        why,
    }
}

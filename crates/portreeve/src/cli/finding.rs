//! `portreeve finding …`

use app::view::FindingView;
use clap::Subcommand;

use super::Remote;
use crate::client::query;
use crate::failure::{Exit, Failure};
use crate::output::Table;

#[derive(Debug, Subcommand)]
pub(crate) enum Finding {
    /// List open findings
    List {
        /// Only this rule, e.g. unused-grant
        #[arg(long, value_name = "RULE")]
        rule: Option<String>,
        /// Only on this grant, identity or credential
        #[arg(long, value_name = "ID")]
        subject: Option<String>,
        /// Only this state
        #[arg(long, value_parser = ["open", "resolved"], default_value = "open")]
        state: String,
    },
    /// Run the rules now
    Recheck,
}

impl Finding {
    pub(crate) async fn run(self, remote: &Remote) -> Result<Exit, Failure> {
        match self {
            Self::List { rule, subject, state } => {
                let filter = query(&[
                    ("rule", rule.as_deref()),
                    ("subject", subject.as_deref()),
                    ("state", Some(&state)),
                ]);
                let found: Vec<FindingView> =
                    remote.client.get(&format!("/findings{filter}")).await?;
                remote.out.show(&found, |found| listed(found))?;
            }
            Self::Recheck => {
                let none = serde_json::json!({});
                let found: Vec<FindingView> =
                    remote.client.post("/findings/recheck", &none).await?;
                remote.out.show(&found, |found| listed(found))?;
            }
        }
        Ok(Exit::Done)
    }
}

fn listed(found: &[FindingView]) -> String {
    let mut table = Table::new(&["severity", "rule", "subject", "what", "do"]);
    for finding in found {
        table.row([
            finding.severity.clone(),
            finding.rule.clone(),
            format!("{} {}", finding.subject.kind, finding.subject.id),
            finding.summary.clone(),
            finding.suggested_act.clone(),
        ]);
    }
    table.render("No findings")
}

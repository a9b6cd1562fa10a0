//! `portreeve signal …`

use app::view::SignalView;
use clap::Subcommand;

use super::Remote;
use super::call::back_to;
use crate::client::query;
use crate::failure::{Exit, Failure};
use crate::output::{Table, moment};

#[derive(Debug, Subcommand)]
pub(crate) enum Signal {
    /// List signals, the latest first
    List {
        /// Only of this identity
        #[arg(long, value_name = "ID")]
        identity: Option<String>,
        /// Only those that began within this time
        #[arg(long, value_name = "D", default_value = "90d")]
        since: String,
    },
}

impl Signal {
    pub(crate) async fn run(self, remote: &Remote) -> Result<Exit, Failure> {
        let Self::List { identity, since } = self;
        let filter = query(&[("identity", identity.as_deref()), ("since", Some(&since))]);
        let signals: Vec<SignalView> = remote.client.get(&format!("/signals{filter}")).await?;
        remote.out.show(&signals, |signals| listed(signals, &since))?;
        Ok(Exit::Done)
    }
}

fn listed(signals: &[SignalView], since: &str) -> String {
    let mut table = Table::new(&["kind", "identity", "credential", "start", "end", "what"]);
    for signal in signals {
        let SignalView { objects, misses, in_order, usual, operation, .. } = signal;
        table.row([
            signal.kind.clone(),
            signal.identity_id.clone(),
            signal.credential_id.clone(),
            moment(Some(&signal.start)),
            moment(Some(&signal.end)),
            format!(
                "{objects} objects of {operation} ({misses} missing, {in_order} in order), \
                 usual {usual} an hour"
            ),
        ]);
    }
    table.render(&format!("No signals {}", back_to(since)))
}

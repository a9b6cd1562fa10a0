//! `portreeve stream …`

use app::view::{OpenView, StreamView};
use clap::Subcommand;

use super::Remote;
use crate::client::query;
use crate::failure::{Exit, Failure};
use crate::output::{Table, instant, or_dash};

#[derive(Debug, Subcommand)]
pub(crate) enum Stream {
    /// List the requests that are open at the gate of the node that answers, the oldest first
    List(ListArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// Only of this identity
    #[arg(long, value_name = "X")]
    identity: Option<String>,
    /// Only to this API
    #[arg(long, value_name = "NAME")]
    api: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N", default_value = "1000",
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
}

impl Stream {
    pub(crate) async fn run(self, remote: &Remote) -> Result<Exit, Failure> {
        let Self::List(args) = self;
        let limit = args.limit.to_string();
        let filter = query(&[
            ("identity", args.identity.as_deref()),
            ("api", args.api.as_deref()),
            ("limit", Some(limit.as_str())),
        ]);
        let streams: Vec<StreamView> = remote.client.get(&format!("/streams{filter}")).await?;
        remote.out.show(&streams, |streams| listed(streams))?;
        Ok(Exit::Done)
    }
}

fn listed(streams: &[StreamView]) -> String {
    let mut table = Table::new(&["request", "since", "kind", "identity", "api", "operation"]);
    for stream in streams {
        table.row([
            stream.request_id.clone(),
            instant(&stream.since),
            stream.kind.clone(),
            stream.identity_id.clone(),
            stream.api_id.clone(),
            or_dash(stream.operation.as_deref()),
        ]);
    }
    table.render("Nothing is open that matches at the node that answers")
}

/// What a change ends of what is open, where anything is.
pub(super) fn ended(open: &OpenView, is_done: bool) -> String {
    let OpenView { streams, ending, reasons } = open;
    if *streams == 0 {
        return String::new();
    }
    let (is, has) = if is_done { ("were", "ended") } else { ("are", "would end") };
    let mut out = format!("{streams} streams {is} open at this node; {ending} {has}");
    if !reasons.is_empty() {
        let counts: Vec<_> = reasons.iter().map(|(reason, n)| format!("{n} {reason}")).collect();
        out.push_str(&format!(" ({})", counts.join(", ")));
    }
    out.push('\n');
    if reasons.contains_key("policy_error") {
        out.push_str(
            "  policy_error: a guardrail looks at what was not kept of these when they began\n",
        );
    }
    out
}

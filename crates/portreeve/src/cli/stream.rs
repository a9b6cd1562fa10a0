//! `portreeve stream …`

use app::view::StreamView;
use clap::Subcommand;

use super::Remote;
use crate::client::query;
use crate::failure::{Exit, Failure};
use crate::output::{Table, moment, or_dash};

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
            moment(Some(&stream.since)),
            stream.kind.clone(),
            stream.identity_id.clone(),
            stream.api_id.clone(),
            or_dash(stream.operation.as_deref()),
        ]);
    }
    table.render("Nothing is open that matches")
}

//! `portreeve group …`

use app::view::{Changed, GroupView};
use clap::Subcommand;

use super::{Remote, changed};
use crate::client::segment;
use crate::failure::{Exit, Failure};
use crate::output::Table;

#[derive(Debug, Subcommand)]
pub(crate) enum Group {
    /// List the groups
    List,
    /// Make a group, or give it another name and other members
    Set {
        /// Its id, which grants and owners name as group:ID
        id: String,
        /// Display name [default: the id]
        #[arg(long, value_name = "N")]
        name: Option<String>,
        /// Ids of all its members; without any it is empty
        #[arg(long, value_name = "ID[,ID…]", value_delimiter = ',')]
        members: Vec<String>,
        /// Ids of groups whose members are members here too
        #[arg(long, value_name = "ID[,ID…]", value_delimiter = ',')]
        groups: Vec<String>,
    },
}

impl Group {
    pub(crate) async fn run(self, remote: &Remote) -> Result<Exit, Failure> {
        match self {
            Self::List => {
                let groups: Vec<GroupView> = remote.client.get("/groups").await?;
                remote.out.show(&groups, |groups| listed(groups))?;
            }
            Self::Set { id, name, members, groups } => {
                let name = name.unwrap_or_else(|| id.clone());
                let body = admin::form::PutGroup { name, members, groups };
                let path = format!("/groups/{}", segment(&id));
                let now: Changed<GroupView> = remote.client.put(&path, &body).await?;
                remote.out.show(&now, |now| changed(now, row))?;
            }
        }
        Ok(Exit::Done)
    }
}

fn row(group: &GroupView) -> String {
    listed(std::slice::from_ref(group))
}

fn listed(groups: &[GroupView]) -> String {
    let mut table = Table::new(&["id", "name", "members", "groups"]);
    for group in groups {
        table.row([
            group.id.clone(),
            group.name.clone(),
            group.members.join(", "),
            group.groups.join(", "),
        ]);
    }
    table.render("No groups: portreeve group set ID --members A,B")
}

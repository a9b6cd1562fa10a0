//! `portreeve role …`

use app::view::{ChangeReceipt, Changed, PutRole, RoleView};
use clap::Subcommand;

use super::{Remote, changed, receipt};
use crate::client::segment;
use crate::failure::{Exit, Failure};
use crate::output::Table;

#[derive(Debug, Subcommand)]
pub(crate) enum Role {
    /// List the roles and what they cover
    List,
    /// Make a role, or set what one covers; grants that give it cover that from now on
    Set {
        /// Its id, which grants name as role:ID
        id: String,
        /// The API whose operations it names
        #[arg(long, value_name = "NAME")]
        api: String,
        /// read, write, all, or operation ids
        #[arg(long, value_name = "OP", value_delimiter = ',')]
        can: Vec<String>,
        /// Roles whose operations it covers too
        #[arg(long, value_name = "ID[,ID…]", value_delimiter = ',')]
        includes: Vec<String>,
        /// Display name [default: the id]
        #[arg(long, value_name = "N")]
        name: Option<String>,
    },
    /// Remove a role: grants that give it cover nothing by it
    Remove {
        /// The role
        id: String,
        /// Why
        #[arg(long, value_name = "T")]
        reason: String,
    },
}

impl Role {
    pub(crate) async fn run(self, remote: &Remote) -> Result<Exit, Failure> {
        match self {
            Self::List => {
                let roles: Vec<RoleView> = remote.client.get("/roles").await?;
                remote.out.show(&roles, |roles| listed(roles))?;
            }
            Self::Set { id, api, can, includes, name } => {
                let body = PutRole { name, api, can, includes };
                let path = format!("/roles/{}", segment(&id));
                let now: Changed<RoleView> = remote.client.put(&path, &body).await?;
                remote.out.show(&now, |now| changed(now, row))?;
            }
            Self::Remove { id, reason } => {
                let path = format!("/roles/{}/remove", segment(&id));
                let body = admin::form::Reason { reason };
                let removed: ChangeReceipt = remote.client.post(&path, &body).await?;
                remote.out.show(&removed, receipt)?;
            }
        }
        Ok(Exit::Done)
    }
}

fn row(role: &RoleView) -> String {
    listed(std::slice::from_ref(role))
}

fn listed(roles: &[RoleView]) -> String {
    let mut table = Table::new(&["id", "api", "covers", "includes"]);
    for role in roles {
        table.row([
            role.id.clone(),
            role.api_id.clone(),
            role.covers.join(", "),
            role.includes.join(", "),
        ]);
    }
    table.render("No roles: portreeve role set ID --api NAME --can read")
}

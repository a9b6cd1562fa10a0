//! `portreeve relation …`

use app::view::{Changed, PutRelation, RelationView};
use clap::Subcommand;

use super::{Remote, changed};
use crate::client::query;
use crate::failure::{Exit, Failure};
use crate::output::{Table, moment};

#[derive(Debug, Subcommand)]
pub(crate) enum Relation {
    /// List the relations of a subject
    List {
        /// An identity's id or group:ID
        subject: String,
    },
    /// Set the objects that a subject has a relation to
    Set {
        /// An identity's id or group:ID
        subject: String,
        /// What conditions name as related.NAME
        name: String,
        /// All its objects
        #[arg(long, value_name = "O[,O…]", value_delimiter = ',', conflicts_with_all = ["add", "remove"])]
        objects: Option<Vec<String>>,
        /// Objects to add
        #[arg(long, value_name = "O[,O…]", value_delimiter = ',')]
        add: Vec<String>,
        /// Objects to take away
        #[arg(long, value_name = "O[,O…]", value_delimiter = ',')]
        remove: Vec<String>,
    },
}

impl Relation {
    pub(crate) async fn run(self, remote: &Remote) -> Result<Exit, Failure> {
        match self {
            Self::List { subject } => {
                let path = format!("/relations{}", query(&[("subject", Some(subject.as_str()))]));
                let relations: Vec<RelationView> = remote.client.get(&path).await?;
                remote.out.show(&relations, |relations| listed(relations))?;
            }
            Self::Set { subject, name, objects, add, remove } => {
                let wanted = PutRelation { objects, add, remove };
                let body = admin::form::SetRelation { subject, name, wanted };
                let now: Changed<RelationView> = remote.client.put("/relations", &body).await?;
                remote.out.show(&now, |now| changed(now, row))?;
            }
        }
        Ok(Exit::Done)
    }
}

/// Objects of one relation that a table shows.
const SHOWN_MAX: usize = 8;

fn row(relation: &RelationView) -> String {
    listed(std::slice::from_ref(relation))
}

fn listed(relations: &[RelationView]) -> String {
    let mut table = Table::new(&["subject", "relation", "objects", "set"]);
    for relation in relations {
        let shown: Vec<_> = relation.objects.iter().take(SHOWN_MAX).cloned().collect();
        let more = relation.objects.len().saturating_sub(SHOWN_MAX);
        let objects = match more {
            0 => shown.join(", "),
            more => format!("{}, {more} more", shown.join(", ")),
        };
        table.row([
            relation.subject.clone(),
            relation.name.clone(),
            objects,
            moment(Some(&relation.updated_at)),
        ]);
    }
    table.render("No relations")
}

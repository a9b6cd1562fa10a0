//! Relations: which objects somebody has to do with, as whoever knows it says.

use std::collections::BTreeSet;

use base::Problem;
use grant::{GrantSubject, Relation};
use policy::OBJECT_BYTES_MAX;

use crate::authority::Authority;
use crate::grant::existing_subject;
use crate::view::{Changed, PutRelation, RelationView};
use crate::{Actor, App, input, lookup};

/// Most objects of one relation of one subject.
const OBJECTS_MAX: usize = 100_000;

impl App {
    /// The relations of a subject, sorted by name.
    pub async fn relations(
        &self,
        actor: &Actor,
        subject: &str,
    ) -> Result<Vec<RelationView>, Problem> {
        let mut state = self.read().await?;
        let authority = Authority::of(&mut state, actor).await?;
        authority.must_read_all("see relations")?;
        let relations = state.relations_of(subject).await?;
        Ok(relations.into_iter().map(view).collect())
    }

    /// Sets a relation of a subject; without objects it is gone. Grants with a condition on it hold
    /// by it when this returns.
    pub async fn put_relation(
        &self,
        actor: &Actor,
        subject: &str,
        name: &str,
        wanted: PutRelation,
    ) -> Result<Changed<RelationView>, Problem> {
        let subject: GrantSubject = input::id("subject", subject)?;
        if !grant::tie::is_name(name) || name.len() > 64 {
            let detail = format!("`{name}` is not a name of a relation");
            return Err(Problem::invalid("bad_relation", detail)
                .at("name")
                .hint("use letters, digits, _ and -"));
        }
        lookup::is_stored(&self.ruleset().load(), name)?;
        let mut tx = self.begin(actor).await?;
        let authority = Authority::of(&mut tx, actor).await?;
        authority.must_administer("set a relation")?;
        existing_subject(&mut tx, &authority, &subject).await?;
        let known = tx.relations_of(&subject.to_string()).await?;
        let before = known.into_iter().find(|relation| relation.name == name);
        let had = before.as_ref().map(|before| before.objects.clone()).unwrap_or_default();
        let mut objects: BTreeSet<String> = match wanted.objects {
            Some(objects) => objects.into_iter().collect(),
            None => had.clone(),
        };
        objects.extend(wanted.add);
        objects.retain(|object| !wanted.remove.contains(object));
        check(&objects)?;
        let after = Relation { subject, name: name.to_owned(), objects, updated_at: tx.at() };
        if after.objects != had {
            tx.save_relation(before.as_ref(), &after).await?;
        }
        Ok(Changed { now: view(after), receipt: self.settle(tx).await? })
    }
}

fn check(objects: &BTreeSet<String>) -> Result<(), Problem> {
    if objects.len() > OBJECTS_MAX {
        let detail = format!("a relation has at most {OBJECTS_MAX} objects");
        return Err(Problem::invalid("too_many", detail).at("objects"));
    }
    let is_bad = |object: &&String| object.is_empty() || object.len() > OBJECT_BYTES_MAX;
    match objects.iter().find(is_bad) {
        None => Ok(()),
        Some(_) => {
            let detail = format!("an object is named by 1 to {OBJECT_BYTES_MAX} bytes");
            Err(Problem::invalid("bad_object", detail).at("objects"))
        }
    }
}

fn view(relation: Relation) -> RelationView {
    RelationView {
        subject: relation.subject.to_string(),
        name: relation.name,
        objects: relation.objects.into_iter().collect(),
        updated_at: relation.updated_at.to_string(),
    }
}

//! Changes of policy: made in one transaction, by the same steps as one by one, and then kept or
//! taken back.

use base::{GrantId, Problem};
use catalog::ApiMode;
use grant::Guardrails;
use store::Tx;

use super::{cases, guardrails};
use crate::grant::Narrowing;
use crate::view::ChangeSet;
use crate::{Actor, App, input};

/// Most acts of one change.
const ACTS_MAX: usize = 1_000;
/// Bytes of one file of the policy set.
const FILE_BYTES_MAX: usize = 1 << 20;

impl App {
    /// Does everything that a change says, in a transaction of the caller's. What is wrong with any
    /// part of it is told with its place, and nothing is kept. `given`: the ids of the grants that it
    /// gives; drawn where there are none.
    pub(crate) async fn apply(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        change: &ChangeSet,
        given: &[GrantId],
    ) -> Result<(), Problem> {
        check_size(change)?;
        let why = input::maybe_line("why", change.why.as_deref())?;
        for (id, role) in &change.roles {
            let made = self.put_role_in(tx, actor, id, role.clone()).await;
            made.map_err(|problem| within(problem, &format!("roles.{id}")))?;
        }
        for (api, mode) in &change.modes {
            let mode: ApiMode = input::word(&format!("modes.{api}"), mode)?;
            let set = self.set_mode_in(tx, actor, api, mode).await;
            set.map_err(|problem| within(problem, &format!("modes.{api}")))?;
        }
        for id in &change.revoke {
            let before = self.reducible(tx, actor, id).await;
            let before = before.map_err(|problem| within(problem, "revoke"))?;
            self.revoke_in(tx, &before, why.as_deref()).await?;
        }
        for (index, narrow) in change.narrow.iter().enumerate() {
            let at = |problem| within(problem, &format!("narrow[{index}]"));
            let before = self.reducible(tx, actor, &narrow.id).await.map_err(at)?;
            let operations = self.kept(tx, &before, &narrow.operations).await.map_err(at)?;
            let narrowing = Narrowing { operations, reason: None, note: why.clone() };
            self.narrow_in(tx, &before, narrowing).await.map_err(at)?;
        }
        for (index, new) in change.give.iter().enumerate() {
            let id = given.get(index).cloned().unwrap_or_else(|| self.draw(GrantId::generate));
            let made = self.give_in(tx, actor, new, id).await;
            made.map_err(|problem| within(problem, &format!("give[{index}]")))?;
        }
        self.put_files(tx, actor, change, why.as_deref()).await
    }

    async fn put_files(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        change: &ChangeSet,
        why: Option<&str>,
    ) -> Result<(), Problem> {
        if change.files.is_empty() {
            return Ok(());
        }
        let authority = crate::authority::Authority::of(tx, actor).await?;
        authority.must_administer("change the policy set")?;
        let before = tx.guardrails().await?;
        let mut after = before.clone().unwrap_or_default();
        for (name, text) in &change.files {
            check_name(name)?;
            match text.is_empty() {
                true if after.files.remove(name).is_none() => return Err(not_there(name, &after)),
                true => {}
                false => drop(after.files.insert(name.clone(), text.clone())),
            }
        }
        if before.as_ref().is_some_and(|before| before.files == after.files) {
            return Ok(());
        }
        cases::of(&after)?;
        guardrails::name_what_is_there(tx, before.as_ref(), &after).await?;
        after = Guardrails {
            version: before.as_ref().map_or(0, |before| before.version) + 1,
            updated_at: tx.at(),
            updated_by: actor.id.to_string(),
            ..after
        };
        tx.save_guardrails(before.as_ref(), &after, why).await?;
        Ok(())
    }
}

fn check_size(change: &ChangeSet) -> Result<(), Problem> {
    let acts = change.give.len()
        + change.narrow.len()
        + change.revoke.len()
        + change.roles.len()
        + change.modes.len()
        + change.files.len();
    if acts == 0 {
        let detail = "the change changes nothing";
        return Err(Problem::invalid("empty_change", detail)
            .hint("write [[give]], [[narrow]], revoke, [roles.…], [modes] or [files]"));
    }
    if acts > ACTS_MAX {
        let detail = format!("a change has at most {ACTS_MAX} acts");
        return Err(Problem::invalid("too_many", detail));
    }
    match change.files.iter().find(|(_, text)| text.len() > FILE_BYTES_MAX) {
        Some((name, _)) => {
            let detail = format!("a file has at most {FILE_BYTES_MAX} bytes");
            Err(Problem::invalid("too_long", detail).at(format!("files.{name}")))
        }
        None => Ok(()),
    }
}

fn check_name(name: &str) -> Result<(), Problem> {
    let is_plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    let is_known = name.ends_with(cases::SUFFIX) || name.ends_with(guardrails::SUFFIX);
    if is_plain && is_known && !name.starts_with('.') && name.len() <= 128 {
        return Ok(());
    }
    let detail = format!("`{name}` is not the name of a policy file");
    Err(Problem::invalid("bad_file_name", detail)
        .at("files")
        .hint("call files of guardrails ….cedar and files of tests ….toml"))
}

/// A file that is to be taken out and is not in the policy set.
fn not_there(name: &str, present: &Guardrails) -> Problem {
    let detail = format!("there is no file `{name}` in the policy set to take out");
    let problem = Problem::invalid("unknown_file", detail).at(format!("files.{name}"));
    let names: Vec<_> = present.files.keys().map(String::as_str).collect();
    match names.is_empty() {
        true => problem.hint("the policy set has no files"),
        false => problem.hint(format!("there are: {}", names.join(", "))),
    }
}

/// Says in which part of the change a problem is.
fn within(mut problem: Problem, part: &str) -> Problem {
    problem.place = Some(match problem.place.take() {
        Some(place) => format!("{part}, {place}"),
        None => part.to_owned(),
    });
    problem
}

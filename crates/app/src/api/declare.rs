//! APIs that somebody maintains as a whole list: the configuration file, or the demo. The list
//! creates and updates its APIs and removes those that it no longer has. APIs of other origins are
//! neither changed nor removed.

use std::collections::BTreeSet;

use base::{ApiId, Problem};
use catalog::Api;

use super::{check_free, check_owner, checks, operations_of, origin_of, parse};
use crate::authority::Authority;
use crate::view::NewApi;
use crate::{Actor, App};

impl App {
    /// Brings the APIs of the actor's origin in line with the list, in one transaction. Everything
    /// is read and checked before anything changes. Grants on an API that leaves the list allow
    /// nothing, and hold again when it comes back.
    pub async fn declare_apis(&self, actor: &Actor, wanted: Vec<NewApi>) -> Result<(), Problem> {
        let authority = Authority::of(&mut *self.read().await?, actor).await?;
        authority.must_administer("declare APIs")?;
        let mut apis = Vec::new();
        for new in &wanted {
            let mut api = parse(new, self.now(), origin_of(actor))
                .map_err(|problem| within(problem, &new.name))?;
            let given = self.document_of(new).await?;
            api.operations = operations_of(given.as_ref(), &new.operations, &api)?;
            api.check_limits().map_err(|problem| within(problem, &api.name))?;
            apis.push((api, given, new.checks.as_ref()));
        }
        let mut tx = self.begin(actor).await?;
        let mut changed = false;
        let kept: BTreeSet<&ApiId> = apis.iter().map(|(api, ..)| &api.id).collect();
        let origin = origin_of(actor).to_string();
        let known = self.ruleset().load_full();
        for gone in known.apis().filter(|api| api.origin == origin && !kept.contains(&api.id)) {
            checks::save(&mut tx, &gone.id, None, None).await?;
            tx.remove_api(gone).await?;
            changed = true;
        }
        for (api, given, wanted) in apis {
            let before = tx.api_by_id_or_name(api.id.as_str()).await?;
            // An owner that is on record stays right: a start must not fail for what it was.
            if before.as_ref().is_none_or(|before| before.owner != api.owner) {
                let checked = check_owner(&mut tx, &authority, api.owner.as_deref()).await;
                checked.map_err(|problem| within(problem, &api.name))?;
            }
            let checked = checks::save(&mut tx, &api.id, given.as_ref(), wanted).await;
            changed |= checked.map_err(|problem| within(problem, &api.name))?;
            changed |= declare(&mut tx, before, api).await?;
        }
        if changed {
            self.commit(tx).await?;
        }
        Ok(())
    }
}

/// Saves one API of the list; false when it is as it should be already.
async fn declare(tx: &mut store::Tx, before: Option<Api>, mut api: Api) -> Result<bool, Problem> {
    let Some(before) = before else {
        check_free(tx, &api).await?;
        tx.save_api(audit::Event::ApiAdded, None, &api).await?;
        return Ok(true);
    };
    if before.origin != api.origin {
        let detail = format!("API `{}` is maintained by {}", api.id, before.origin);
        let hint = "remove it there, or declare it under another name";
        return Err(Problem::conflict("other_origin", detail).hint(hint));
    }
    api.created_at = before.created_at;
    if before == api {
        return Ok(false);
    }
    tx.save_api(audit::Event::ApiChanged, Some(&before), &api).await?;
    Ok(true)
}

fn within(problem: Problem, name: &str) -> Problem {
    let place = match &problem.place {
        Some(field) => format!("api `{name}`: {field}"),
        None => format!("api `{name}`"),
    };
    problem.at(place)
}

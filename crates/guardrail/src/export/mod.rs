//! The meaning of a state, written down once: every grant as a Cedar `permit`, what the gate asks
//! of everybody as `forbid`s, guardrails as they are. Made from the objects themselves and not from
//! the ruleset's index, so that one can be held against the other.
//!
//! What an evaluator of the export has to know: any evaluation error refuses, and so does a caller
//! that has no entity. What is visible of a response stands in annotations; it is no decision.

mod conditions;
mod entities;
mod hierarchy;
mod permits;

use std::fmt::Write as _;

use base::Problem;
use catalog::{Api, ApiMode};
use grant::{Grant, Relation, Role};
use identity::{Group, Identity};

use crate::names::{self, quoted};
use crate::rails::{self, MARK};
use crate::schema::{self, Extra};
use crate::uses::Uses;
use hierarchy::Hierarchy;

pub(crate) use entities::{Related, memberships};

/// Everything that decides, each object once.
#[derive(Debug, Clone, Copy, Default)]
pub struct State<'a> {
    /// APIs.
    pub apis: &'a [Api],
    /// Identities.
    pub identities: &'a [Identity],
    /// Groups.
    pub groups: &'a [Group],
    /// Roles.
    pub roles: &'a [Role],
    /// Grants, in force or not.
    pub grants: &'a [Grant],
    /// Relations.
    pub relations: &'a [Relation],
    /// Guardrails; `None` = there are none.
    pub guardrails: Option<&'a grant::Guardrails>,
}

/// A state as Cedar reads it.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyExport {
    /// The policies. `@portreeve` says what each is: `grant:<id>`, `observe:<api>`, `gate:<what>`,
    /// `guardrail:<id>` or `unreadable:<id of a guardrail>`.
    pub policies: String,
    /// The schema, in Cedar's own syntax.
    pub schema: String,
    /// Identities, groups and APIs, in Cedar's JSON form.
    pub entities: serde_json::Value,
    /// What the policies look at.
    pub uses: Uses,
}

/// Exports a state. The same state gives the same text, whatever its order. Refused are guardrails
/// that do not compile: such a state allows nothing.
pub fn export(state: &State<'_>) -> Result<PolicyExport, Problem> {
    let roles = role_hierarchy(state);
    let groups = group_hierarchy(state);
    let mut uses = vocabulary(state);
    let mut policies = String::from(
        "// Exported by portreeve. Any evaluation error refuses, and so does a caller without an\n\
         // entity.\n\n",
    );
    gate(&mut policies);
    observed(&mut policies, state);
    let mut grants: Vec<&Grant> = state.grants.iter().collect();
    grants.sort_by(|one, other| one.id.cmp(&other.id));
    for grant in grants {
        permits::permit(&mut policies, state, grant, &mut uses);
    }
    guardrails(&mut policies, state, &mut uses)?;
    let schema = schema::with(state.apis, &uses, Some(&actions(state, &roles)));
    let entities = entities::entities(state, &groups);
    Ok(PolicyExport { policies, schema, entities, uses })
}

/// All plain facts, and every attribute and relation that somebody has.
fn vocabulary(state: &State<'_>) -> Uses {
    let mut uses = Uses::default();
    let facts = ["now", "now_us", "week_minute", "draw", "credential_class", "strength"];
    uses.context.extend(facts.map(str::to_owned));
    uses.context.extend(["binding", "source"].map(str::to_owned));
    let names = state.identities.iter().flat_map(|identity| identity.attributes.keys());
    uses.attributes.extend(names.cloned());
    uses.related.extend(state.relations.iter().map(|relation| relation.name.clone()));
    uses.places.extend(schema::path_places(state.apis));
    uses
}

/// What is asked of everybody, whatever is granted.
fn gate(out: &mut String) {
    let _ = write!(
        out,
        "@{MARK}(\"gate:identity_inactive\")\n\
         forbid(principal, action, resource)\n\
         unless {{\n  principal.status == \"active\" &&\n  (if principal has left && \
         principal has left_us\n   then context.now < principal.left ||\n     \
         (context.now == principal.left && context.now_us < principal.left_us)\n   \
         else true)\n}};\n\n\
         @{MARK}(\"gate:credential_not_accepted\")\n\
         forbid(principal, action, resource)\n\
         unless {{ resource.accept.contains(context.credential_class) }};\n\n"
    );
}

/// In observe mode what no grant allows passes, and says so.
fn observed(out: &mut String, state: &State<'_>) {
    let mut apis: Vec<&Api> = state.apis.iter().collect();
    apis.sort_by(|one, other| one.id.cmp(&other.id));
    for api in apis.into_iter().filter(|api| api.mode == ApiMode::Observe) {
        let (mark, id) = (quoted(&format!("observe:{}", api.id)), quoted(api.id.as_str()));
        let action = quoted(&names::api_action(api.id.as_str()));
        let _ = write!(
            out,
            "@{MARK}({mark})\npermit(principal, action in Action::{action}, \
             resource == Api::{id});\n\n"
        );
    }
}

/// Guardrails as they are, each followed by what it refuses where it cannot be evaluated.
fn guardrails(out: &mut String, state: &State<'_>, uses: &mut Uses) -> Result<(), Problem> {
    let Some(set) = state.guardrails else { return Ok(()) };
    let (rails, problems) = rails::parse(&set.files);
    if let Some(problem) = problems.into_iter().next() {
        return Err(problem);
    }
    for rail in &rails {
        uses.merge(&rail.uses);
        let mark = quoted(&format!("guardrail:{}", rail.id));
        let place = rails::at(&rail.file, rail.line);
        let _ = write!(out, "// {place}\n@{MARK}({mark})\n{}\n\n", rail.policy);
        if !rail.uses.places.is_empty() {
            let policy = rail.unreadable().map_err(Problem::internal)?;
            let _ = write!(out, "{policy}\n\n");
        }
    }
    Ok(())
}

pub(crate) fn group_hierarchy(state: &State<'_>) -> Hierarchy<String> {
    let mut groups = Hierarchy::default();
    for group in state.groups {
        groups.add(group.id.to_string());
        for inner in &group.groups {
            groups.put(inner.to_string(), group.id.to_string());
        }
    }
    groups
}

/// Roles that are not removed, each below those of the same API that include it.
fn role_hierarchy(state: &State<'_>) -> Hierarchy<String> {
    let live = |id: &str| state.roles.iter().find(|role| role.id.as_str() == id && !role.removed);
    let mut roles = Hierarchy::default();
    for role in state.roles.iter().filter(|role| !role.removed) {
        roles.add(role.id.to_string());
        for inner in &role.includes {
            if live(inner.as_str()).is_some_and(|inner| inner.api == role.api) {
                roles.put(inner.to_string(), role.id.to_string());
            }
        }
    }
    roles
}

/// Roles as groups of actions.
fn actions(state: &State<'_>, roles: &Hierarchy<String>) -> Extra {
    let mut extra = Extra::default();
    for role in state.roles.iter().filter(|role| !role.removed) {
        let name = names::role(role.id.as_str());
        let above = roles.above(&role.id.to_string());
        extra.groups.entry(name).or_default().extend(above.iter().map(|id| names::role(id)));
        // Roles that include each other cover the same.
        let peers = roles.peers(&role.id.to_string());
        for action in permits::covered(state, &role.api, &role.operations) {
            let within = extra.members.entry(action).or_default();
            within.extend(peers.iter().map(|id| names::role(id)));
        }
    }
    extra
}

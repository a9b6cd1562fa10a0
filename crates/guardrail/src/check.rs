//! Whether guardrails can be published: syntax, and every name and type against the catalogue.

use std::collections::{BTreeMap, BTreeSet};

use base::{Problem, nearest};
use catalog::Api;
use cedar_policy::{PolicySet, Schema, ValidationMode, ValidationWarning, Validator};
use grant::Place;
use miette::Diagnostic;

use crate::rails::{self, Rail, at, explained, line_in};
use crate::schema;
use crate::uses::Uses;

/// All problems of a set, by file and line.
pub(crate) fn check(set: &grant::Guardrails, apis: &[Api]) -> Result<(), Vec<Problem>> {
    let (rails, mut problems) = rails::parse(&set.files);
    problems.extend(unknown_parameters(&rails, apis));
    problems.extend(unknown_facts(&rails));
    if problems.is_empty() {
        problems = validate(set, &rails, apis).unwrap_or_else(|fault| vec![fault]);
    }
    problems.sort_by(|one, other| one.place.cmp(&other.place));
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Relations that are looked up, by file and line of the guardrails that look at them.
pub(crate) fn ask_no_source(
    set: &grant::Guardrails,
    looked_up: &BTreeSet<String>,
) -> Result<(), Vec<Problem>> {
    if looked_up.is_empty() {
        return Ok(());
    }
    let (rails, _) = rails::parse(&set.files);
    let of = |rail: &Rail| {
        let name = rail.uses.related.iter().find(|name| looked_up.contains(*name))?;
        let detail = format!("`principal.related.{name}` is looked up, and guardrails ask nobody");
        let problem = Problem::invalid("relation_looked_up", detail);
        let hint = "forbid by what is known: attributes, groups, or relations that are stored";
        Some(problem.at(at(&rail.file, rail.line)).hint(hint))
    };
    let mut problems: Vec<Problem> = rails.iter().filter_map(of).collect();
    problems.sort_by(|one, other| one.place.cmp(&other.place));
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// A parameter that no template has is never there: the guardrail would never hold.
fn unknown_parameters(rails: &[Rail], apis: &[Api]) -> Vec<Problem> {
    let known = schema::path_places(apis);
    let mut problems = Vec::new();
    for rail in rails {
        for place in rail.uses.places.iter().filter(|place| matches!(place, Place::Path(_))) {
            if known.contains(place) {
                continue;
            }
            let names: Vec<String> = known.iter().map(ToString::to_string).collect();
            let text = place.to_string();
            let detail = format!("no path template has a parameter for `{text}`");
            let problem = Problem::invalid("guardrail_unknown_name", detail);
            let problem = problem.at(at(&rail.file, rail.line));
            problems.push(match nearest(&text, names.iter().map(String::as_str)) {
                Some(near) => problem.hint(format!("did you mean `{near}`?")),
                None => problem.hint("parameters are named as in the template, `{…}`"),
            });
        }
    }
    problems
}

/// What the context tells beside the values of the request.
const FACTS: [&str; 8] =
    ["now", "now_us", "week_minute", "draw", "credential_class", "strength", "binding", "source"];

/// Told here, and once: Cedar tells it for every operation anew.
fn unknown_facts(rails: &[Rail]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for rail in rails {
        for name in rail.uses.context.iter().filter(|name| !FACTS.contains(&name.as_str())) {
            let detail = format!("`context.{name}` does not exist");
            let problem = Problem::invalid("guardrail_unknown_name", detail);
            let problem = problem.at(at(&rail.file, rail.line));
            problems.push(match nearest(name, FACTS) {
                Some(near) => problem.hint(format!("did you mean `context.{near}`?")),
                None => problem.hint("`portreeve policy export vocabulary` says what there is"),
            });
        }
    }
    problems
}

fn validate(
    set: &grant::Guardrails,
    rails: &[Rail],
    apis: &[Api],
) -> Result<Vec<Problem>, Problem> {
    let mut uses = Uses::default();
    rails.iter().for_each(|rail| uses.merge(&rail.uses));
    uses.places.extend(schema::path_places(apis));
    let text = schema::with(apis, &uses, None);
    let (schema, _) = Schema::from_cedarschema_str(&text)
        .map_err(|e| Problem::internal(format!("the schema of the catalogue is wrong: {e}")))?;
    let policies = PolicySet::from_policies(rails.iter().map(|rail| rail.policy.clone()))
        .map_err(|e| Problem::internal(e.to_string()))?;
    let result = Validator::new(schema).validate(&policies, ValidationMode::Strict);
    let by_id: BTreeMap<&str, &Rail> = rails.iter().map(|rail| (rail.id.as_str(), rail)).collect();
    let place = |id: &str, error: &dyn Diagnostic| {
        let rail = by_id.get(id)?;
        let text = set.files.get(&rail.file)?;
        Some(at(&rail.file, line_in(text, error).unwrap_or(rail.line)))
    };
    let mut problems = Vec::new();
    // A guardrail is validated for each operation that it is about, and the same is wrong for each.
    let mut told = BTreeSet::new();
    for error in result.validation_errors() {
        let of = error.labels().and_then(|mut labels| labels.next()).map(|label| label.offset());
        let text = of.is_none().then(|| error.to_string());
        if !told.insert((error.policy_id().to_string(), of, text)) {
            continue;
        }
        let problem = Problem::invalid("guardrail_invalid", error.to_string());
        let id: &str = error.policy_id().as_ref();
        problems.push(explained(problem.at(place(id, error).unwrap_or_default()), error));
    }
    // That no operation is in a group today may change; a condition that is false by itself does
    // not.
    let idle: BTreeSet<String> = result.validation_warnings().filter_map(idle).collect();
    for warning in result.validation_warnings() {
        if let ValidationWarning::ImpossiblePolicy(impossible) = warning {
            let id: &str = impossible.policy_id().as_ref();
            if idle.contains(id) {
                continue;
            }
            let detail = "the condition can never hold, so this forbids nothing";
            let problem = Problem::invalid("guardrail_impossible", detail);
            let problem = problem.at(place(id, impossible).unwrap_or_default());
            problems.push(problem.hint("take it away, or mend the comparison"));
        }
    }
    Ok(problems)
}

/// The policy whose scope has no operation in it at present.
fn idle(warning: &ValidationWarning) -> Option<String> {
    match warning {
        ValidationWarning::InvalidActionApplication(idle) => Some(idle.policy_id().to_string()),
        _ => None,
    }
}

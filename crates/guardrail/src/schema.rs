//! The Cedar schema that guardrails are validated against, made from the catalogue.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use catalog::{Api, Impact};

use crate::names::{self, quoted};
use crate::uses::{Uses, member};

/// A group of actions and the groups that it is in.
type Groups = BTreeMap<String, BTreeSet<String>>;

/// What an export adds: roles as groups of actions, and facts that only grants ask about.
#[derive(Debug, Clone, Default)]
pub(crate) struct Extra {
    /// Groups of actions beside those of the catalogue, with the groups that they are in.
    pub(crate) groups: Groups,
    /// Groups that an action is in beside those of the catalogue.
    pub(crate) members: Groups,
}

/// The schema of these APIs, to be printed for whoever writes guardrails. The same APIs give the
/// same text, whatever their order.
///
/// Parameters of paths are known from the catalogue. A query parameter, header field, property of
/// the body, claim, attribute or relation exists as soon as a guardrail names it.
pub fn schema(apis: &[Api]) -> String {
    let mut uses = Uses::default();
    uses.places.extend(path_places(apis));
    with(apis, &uses, None)
}

/// Every parameter of a path template.
pub(crate) fn path_places(apis: &[Api]) -> BTreeSet<grant::Place> {
    let templates = apis.iter().flat_map(|api| &api.operations).map(|operation| &operation.path);
    let names = templates.flat_map(|path| path.split('{').skip(1));
    let names = names.filter_map(|rest| rest.split_once('}')).map(|(name, _)| name.to_owned());
    names.map(grant::Place::Path).collect()
}

/// The schema for policies that look at these.
pub(crate) fn with(apis: &[Api], uses: &Uses, extra: Option<&Extra>) -> String {
    let mut out = String::from(
        "// Entities are `Identity::\"…\"`, `Group::\"…\"` and `Api::\"…\"`, by their ids.\n\
         // Values of a request are sets, absent where there are none: ask with `has` first.\n\n\
         entity Group in [Group];\n",
    );
    entities(&mut out, uses, extra.is_some());
    asked(&mut out, uses, extra.is_some());
    actions(&mut out, apis, extra);
    out
}

fn entities(out: &mut String, uses: &Uses, is_export: bool) {
    out.push_str("\nentity Identity in [Group] = {\n");
    out.push_str("  id: String,\n  kind: String,\n  environment: String,\n");
    out.push_str("  owner?: String,\n  vendor?: String,\n  email?: String,\n");
    if is_export {
        out.push_str("  status: String,\n  left?: datetime,\n  left_us?: Long,\n");
    }
    record(out, "attributes", uses.attributes.iter().map(String::as_str));
    record(out, "related", uses.related.iter().map(String::as_str));
    out.push_str("};\n\nentity Api = {\n  name: String,\n  impact: String,\n  mode: String,\n");
    out.push_str("  environment: String,\n  owner?: String,\n  accept: Set<String>,\n};\n");
}

fn record<'n>(out: &mut String, name: &str, members: impl Iterator<Item = &'n str>) {
    let _ = write!(out, "  {name}: {{");
    let mut comma = "";
    for member in members {
        let _ = write!(out, "{comma} {}?: Set<String>", quoted(member));
        comma = ",";
    }
    out.push_str(if comma.is_empty() { "},\n" } else { " },\n" });
}

fn asked(out: &mut String, uses: &Uses, is_export: bool) {
    out.push_str("\ntype Asked = {\n");
    out.push_str("  // when: the time, microseconds beyond it (0 to 999), and the minute of the\n");
    out.push_str("  // week in UTC (0 = Monday 00:00)\n");
    out.push_str("  now: datetime,\n  now_us: Long,\n  week_minute: Long,\n");
    out.push_str("  // 0 to 9,999: by what share of the requests something holds\n  draw: Long,\n");
    out.push_str("  // by which proof\n  credential_class: String,\n  strength: String,\n");
    out.push_str("  binding?: String,\n  // from where\n  source?: ipaddr,\n");
    record(out, "claims", uses.claims.iter().map(String::as_str));
    for part in ["path", "query", "header", "body"] {
        let members = uses.places.iter().filter_map(member);
        record(out, part, members.filter(|(of, _)| *of == part).map(|(_, name)| name));
    }
    if is_export {
        out.push_str("  // what grants ask beside: the token's scopes and what the operation is\n");
        out.push_str(
            "  // called in them, which lists cover all that is written, and what of the\n",
        );
        out.push_str("  // request cannot be read\n");
        out.push_str("  scopes?: Set<String>,\n  scope_names: Set<String>,\n");
        out.push_str("  writes_within: Set<String>,\n  unreadable: Set<String>,\n");
        record(out, "brings", uses.unions.keys().map(String::as_str));
    }
    out.push_str("};\n");
}

fn actions(out: &mut String, apis: &[Api], extra: Option<&Extra>) {
    let (mut groups, mut single) = (Groups::new(), Groups::new());
    for impact in Impact::ALL {
        groups.entry(names::impact(impact.as_str())).or_default();
    }
    for api in apis {
        let (id, whole) = (api.id.as_str(), names::api_action(api.id.as_str()));
        for part in [names::known(id), names::effect(id, false), names::effect(id, true)] {
            groups.entry(part).or_default().insert(whole.clone());
        }
        groups.entry(whole).or_default();
        let asked = api.operations.iter().map(Some).chain([None]);
        for operation in asked {
            let action = names::action_of(api, operation);
            single.entry(action).or_default().extend(names::groups_of(api, operation));
        }
    }
    for (name, within) in extra.iter().flat_map(|extra| &extra.groups) {
        groups.entry(name.clone()).or_default().extend(within.iter().cloned());
    }
    for (name, within) in extra.iter().flat_map(|extra| &extra.members) {
        let known = if single.contains_key(name) { &mut single } else { &mut groups };
        known.entry(name.clone()).or_default().extend(within.iter().cloned());
    }
    out.push_str("\n// Groups of operations.\n");
    groups.iter().for_each(|(name, within)| action(out, name, within, ";\n"));
    out.push_str("\n// Operations; `?` is what the catalogue does not know.\n");
    let applies = "\n  appliesTo { principal: [Identity], resource: [Api], context: Asked };\n";
    single.iter().for_each(|(name, within)| action(out, name, within, applies));
}

fn action(out: &mut String, name: &str, within: &BTreeSet<String>, end: &str) {
    let _ = write!(out, "action {}", quoted(name));
    if !within.is_empty() {
        let within: Vec<String> = within.iter().map(|name| quoted(name)).collect();
        let _ = write!(out, " in [{}]", within.join(", "));
    }
    out.push_str(end);
}

#[cfg(test)]
mod tests;

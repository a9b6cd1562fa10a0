//! Terms of grants, from words and to words.

use base::{Problem, Timestamp};
use catalog::{Api, Operation, field};
use grant::{Grant, Place, Source, Terms, Tie, Window, Withdrawal, WithdrawalStage};
use ipnet::IpNet;
use policy::{BadShown, Ruleset, Shown};

use crate::input;
use crate::view::{TermsView, WithdrawalView};

/// Most entries of one list.
const ENTRIES_MAX: usize = 256;

/// Reads terms. Each entry that cannot be read is named.
pub(crate) fn parse(wanted: &TermsView, now: Timestamp) -> Result<Terms, Problem> {
    let certified = wanted.certified_until.as_deref();
    let certified = certified.map(|until| input::future("certified_until", until, now));
    let writable = wanted.writable.as_deref().map(|names| each("writable", names, property));
    Ok(Terms {
        environments: each("environments", &wanted.environments, input::word)?,
        hours: each("hours", &wanted.hours, hours)?,
        networks: each("networks", &wanted.networks, network)?,
        credentials: each("credentials", &wanted.credentials, input::word)?,
        strength: wanted.strength.as_deref().map(|w| input::word("strength", w)).transpose()?,
        bindings: each("bindings", &wanted.bindings, input::word)?,
        ties: each("ties", &wanted.ties, tie)?,
        writable: writable.transpose()?,
        certified_until: certified.transpose()?,
        withdrawal: None,
    })
}

fn each<T>(
    field: &str,
    texts: &[String],
    read: impl Fn(&str, &str) -> Result<T, Problem>,
) -> Result<Vec<T>, Problem> {
    if texts.len() > ENTRIES_MAX {
        let detail = format!("{field} has more than {ENTRIES_MAX} entries");
        return Err(Problem::invalid("too_many", detail).at(field));
    }
    let at = |index: usize, text: &String| read(&format!("{field}[{index}]"), text.trim());
    texts.iter().enumerate().map(|(index, text)| at(index, text)).collect()
}

fn hours(field: &str, text: &str) -> Result<Window, Problem> {
    text.parse().map_err(|error: grant::window::BadWindow| {
        let problem = Problem::invalid("bad_hours", error.to_string()).at(field);
        match error.instead() {
            Some(instead) => problem.hint(format!("write {instead}")),
            None => problem,
        }
    })
}

fn network(field: &str, text: &str) -> Result<IpNet, Problem> {
    let single = || text.parse().ok().map(|address: std::net::IpAddr| IpNet::from(address));
    let network: Option<IpNet> = text.parse().ok().or_else(single);
    network.map(|network| network.trunc()).ok_or_else(|| {
        Problem::invalid("bad_network", format!("`{text}` is not a network"))
            .at(field)
            .hint("write an address or a prefix, e.g. 10.0.0.0/8")
    })
}

fn tie(field: &str, text: &str) -> Result<Tie, Problem> {
    let bad = |why: String| Problem::invalid("bad_tie", why).at(field);
    let tie: Tie = text.parse().map_err(|error: grant::tie::BadTie| {
        bad(error.to_string()).hint("write e.g. path.tenant = identity.tenant")
    })?;
    match &tie.place {
        Place::Response(place) if place.split('.').any(is_any) => {
            Err(bad(format!("`{place}` has a `*`, but a tie names one place"))
                .hint("name the property, e.g. response.items[].tenant = identity.tenant"))
        }
        _ => Ok(tie),
    }
}

/// A segment of a place that stands for any name.
fn is_any(segment: &str) -> bool {
    segment.trim_end_matches("[]") == field::ANY
}

fn property(field: &str, text: &str) -> Result<String, Problem> {
    match Shown::parse(text) {
        Ok(Shown::Path(path)) => Ok(path.to_owned()),
        Err(BadShown::List(_, names)) => {
            let detail = format!("`{text}` has `[]`, but names go through lists by themselves");
            let problem = Problem::invalid("bad_property", detail).at(field);
            Err(problem.hint(format!("write `{names}`")))
        }
        _ => Err(Problem::invalid("bad_property", format!("`{text}` is not a property name"))
            .at(field)
            .hint("write a dotted name, e.g. customer.name")),
    }
}

/// What a grant shows, as it is kept.
pub(crate) fn fields(wanted: Option<&[String]>) -> Result<Option<Vec<String>>, Problem> {
    let entry = |field: &str, text: &str| match Shown::parse(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => {
            Err(Problem::invalid("bad_field", error.to_string()).at(field).hint(match error {
                BadShown::List(_, names) => format!("write `{names}`"),
                BadShown::Class(_) | BadShown::Name(_) => {
                    "write a dotted name, or `no` and a data class, e.g. `no phi`".to_owned()
                }
            }))
        }
    };
    wanted.map(|texts| each("fields", texts, entry)).transpose()
}

/// Refuses what could never hold: a path parameter that none of the operations has, a tie on the
/// response to objects that nobody can list or in a list that an answer does not have, and a property
/// that no answer has.
pub(crate) fn check_against(grant: &Grant, api: &Api, ruleset: &Ruleset) -> Result<(), Problem> {
    let covered = || api.operations.iter().filter(|op| grant.operations.contains(&op.id));
    for (index, tie) in grant.terms.ties.iter().enumerate() {
        if let Place::Response(place) = &tie.place {
            listed(tie, index, ruleset)?;
            covered().try_for_each(|operation| has_list(place, index, operation))?;
        }
        let Place::Path(name) = &tie.place else { continue };
        let braced = format!("{{{name}}}");
        let unknown = !covered().any(|op| op.path.contains(&braced));
        if unknown && grant.roles.is_empty() {
            let detail = format!("none of the operations has a path parameter `{name}`");
            let names = covered().flat_map(|op| parameters(&op.path));
            let problem =
                Problem::invalid("unknown_parameter", detail).at(format!("ties[{index}]"));
            return Err(input::with_nearest(problem, name, names));
        }
    }
    if grant.roles.is_empty() { described(grant, &covered().collect::<Vec<_>>()) } else { Ok(()) }
}

/// Where the document describes an answer without the list, all of it would be withheld.
fn has_list(place: &str, index: usize, operation: &Operation) -> Result<(), Problem> {
    let Some((lists, _)) = place.rsplit_once("[]") else { return Ok(()) };
    let names = lists.replace("[]", "");
    let names = names.trim_start_matches('.');
    if names.is_empty() || operation.may_have(names) {
        return Ok(());
    }
    let detail = format!("answers of `{}` have no list `{names}`", operation.id);
    Err(Problem::invalid("unknown_list", detail)
        .at(format!("ties[{index}]"))
        .hint("give it in a grant of its own, without this tie"))
}

/// A property that none of the answers has shows nothing, and is more likely a slip of the pen.
fn described(grant: &Grant, covered: &[&Operation]) -> Result<(), Problem> {
    for (index, entry) in grant.fields.iter().flatten().enumerate() {
        let Ok(Shown::Path(path)) = Shown::parse(entry) else { continue };
        let is_open = field::segments(path).any(|segment| segment == field::ANY);
        if is_open || covered.is_empty() || covered.iter().any(|op| op.may_have(path)) {
            continue;
        }
        let detail = format!("no answer of the operations has a property `{path}`");
        let known = covered.iter().flat_map(|op| &op.fields).map(|field| field.path.as_str());
        let problem = Problem::invalid("unknown_field", detail).at(format!("fields[{index}]"));
        return Err(input::with_nearest(problem, path, known));
    }
    Ok(())
}

/// A source is asked about one object at a time, and a response may hold any number.
fn listed(tie: &Tie, index: usize, ruleset: &Ruleset) -> Result<(), Problem> {
    let looked_up = tie.sources.iter().find_map(|source| match source {
        Source::Related(name) if ruleset.looks_up(name) => Some(name),
        _ => None,
    });
    let Some(name) = looked_up else { return Ok(()) };
    let detail = format!("`related.{name}` is looked up, one object at a time, and is no list");
    Err(Problem::invalid("relation_looked_up", detail)
        .at(format!("ties[{index}]"))
        .hint("tie what is asked for: the path, the query, a header or the body"))
}

fn parameters(template: &str) -> impl Iterator<Item = &str> {
    template.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name)
}

/// Reads a step of a withdrawal; `None` = it stops.
pub(crate) fn stage(text: &str) -> Result<Option<WithdrawalStage>, Problem> {
    let unknown = || {
        Problem::invalid("bad_stage", format!("`{text}` is not a stage"))
            .at("stage")
            .hint("write log_only, a share such as 10%, or stop")
    };
    match text {
        "stop" => Ok(None),
        "log_only" | "log-only" => Ok(Some(WithdrawalStage::LogOnly)),
        share => {
            let percent = share.strip_suffix('%').ok_or_else(unknown)?;
            let percent: f64 = percent.trim().parse().map_err(|_| unknown())?;
            let hundredths = (percent * 100.0).round();
            let whole = (1.0..=10_000.0).contains(&hundredths).then_some(hundredths as u16);
            whole.map(|share| Some(WithdrawalStage::Share(share))).ok_or_else(unknown)
        }
    }
}

/// Terms as they are shown; `None` where there are none.
pub(crate) fn view(terms: &Terms) -> Option<TermsView> {
    fn texts<T: ToString>(values: &[T]) -> Vec<String> {
        values.iter().map(ToString::to_string).collect()
    }
    let view = TermsView {
        environments: texts(&terms.environments),
        hours: texts(&terms.hours),
        networks: texts(&terms.networks),
        credentials: texts(&terms.credentials),
        strength: terms.strength.map(|strength| strength.to_string()),
        bindings: texts(&terms.bindings),
        ties: texts(&terms.ties),
        writable: terms.writable.clone(),
        certified_until: terms.certified_until.map(|until| until.to_string()),
    };
    (view != TermsView::default()).then_some(view)
}

/// A withdrawal as it is shown.
pub(crate) fn withdrawal_view(withdrawal: &Withdrawal) -> WithdrawalView {
    let (stage, share) = match withdrawal.stage {
        WithdrawalStage::LogOnly => ("log_only", 0),
        WithdrawalStage::Share(share) => ("share", share),
    };
    WithdrawalView {
        stage: stage.to_owned(),
        share,
        since: withdrawal.since.to_string(),
        by: withdrawal.by.clone(),
    }
}

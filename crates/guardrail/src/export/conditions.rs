//! The terms of a grant as Cedar conditions.

use std::fmt::Display;
use std::net::IpAddr;

use grant::{Grant, GrantStatus, Source, Terms, Tie, WithdrawalStage};
use identity::Strength;
use ipnet::IpNet;

use crate::moment;
use crate::names::quoted;
use crate::uses::{Uses, member};

const SCOPES: &str =
    "if context has scopes then context.scopes.containsAny(context.scope_names) else true";

/// Each condition of a grant, all of which must hold.
pub(super) fn conditions(grant: &Grant, uses: &mut Uses) -> Vec<String> {
    let mut out = Vec::new();
    if grant.status != GrantStatus::Active {
        out.push("false".to_owned());
    }
    out.extend(grant.expires_at.map(moment::is_before));
    out.extend(grant.terms.certified_until.map(moment::is_before));
    // A token's scopes only narrow.
    out.push(SCOPES.to_owned());
    circumstances(&grant.terms, &mut out);
    let ties = grant.terms.ties.iter().filter_map(|tie| condition(tie, uses));
    out.extend(ties);
    if let Some(names) = &grant.terms.writable {
        let key = serde_json::Value::from(names.clone()).to_string();
        out.push(format!("context.writes_within.contains({})", quoted(&key)));
        uses.writable.insert(key, names.clone());
    }
    out
}

/// What does not depend on the content of the request.
fn circumstances(terms: &Terms, out: &mut Vec<String>) {
    if let Some(WithdrawalStage::Share(share)) = terms.withdrawal.as_ref().map(|taken| taken.stage)
    {
        out.push(format!("context.draw >= {share}"));
    }
    if !terms.environments.is_empty() {
        out.push(format!("{}.contains(principal.environment)", list(&terms.environments)));
    }
    if !terms.hours.is_empty() {
        let ranges = terms.hours.iter().flat_map(|window| window.ranges());
        out.push(any(ranges.map(|(from, to)| {
            format!("(context.week_minute >= {from} && context.week_minute < {to})")
        })));
    }
    if !terms.networks.is_empty() {
        let within = terms.networks.iter();
        let within = within.map(|net| format!("context.source.isInRange(ip(\"{}\"))", range(net)));
        out.push(format!("context has source && ({})", any(within)));
    }
    if !terms.credentials.is_empty() {
        out.push(format!("{}.contains(context.credential_class)", list(&terms.credentials)));
    }
    if let Some(least) = terms.strength {
        let enough = Strength::ALL.iter().filter(|strength| **strength >= least);
        out.push(format!("{}.contains(context.strength)", list(enough)));
    }
    if !terms.bindings.is_empty() {
        let bindings = list(&terms.bindings);
        out.push(format!("context has binding && {bindings}.contains(context.binding)"));
    }
}

/// Every value at the place is one of the caller's. `None` for the response, which is judged when
/// it is there.
fn condition(tie: &Tie, uses: &mut Uses) -> Option<String> {
    let (part, name) = member(&tie.place)?;
    let name = quoted(name);
    let there = format!("context.{part} has {name}");
    let values = format!("context.{part}[{name}]");
    uses.places.insert(tie.place.clone());
    let texts: Option<Vec<&String>> = tie.sources.iter().map(text).collect();
    let mine = match (texts, tie.sources.as_slice()) {
        (Some(texts), _) => format!("{}.containsAll({values})", list(texts)),
        (None, [source]) => one_source(source, &values, uses),
        // Cedar has no union of sets: whoever asks tells it, by the text of the sources.
        (None, sources) => {
            let key: Vec<String> = sources.iter().map(ToString::to_string).collect();
            let key = key.join(" | ");
            uses.unions.insert(key.clone(), sources.to_vec());
            contains_all("context.brings", &key, &values)
        }
    };
    Some(format!("{there} && {mine}"))
}

fn text(source: &Source) -> Option<&String> {
    match source {
        Source::Text(text) => Some(text),
        _ => None,
    }
}

fn one_source(source: &Source, values: &str, uses: &mut Uses) -> String {
    match source {
        Source::Identity(name) => match name.as_str() {
            // The built-in names win over attributes that are called the same.
            "id" | "kind" | "environment" => format!("[principal.{name}].containsAll({values})"),
            "owner" | "vendor" | "email" => {
                format!("principal has {name} && [principal.{name}].containsAll({values})")
            }
            name => {
                uses.attributes.insert(name.to_owned());
                contains_all("principal.attributes", name, values)
            }
        },
        Source::Claim(name) => {
            uses.claims.insert(name.clone());
            contains_all("context.claims", name, values)
        }
        Source::Related(name) => {
            uses.related.insert(name.clone());
            contains_all("principal.related", name, values)
        }
        Source::Text(text) => format!("[{}].containsAll({values})", quoted(text)),
    }
}

fn contains_all(record: &str, name: &str, values: &str) -> String {
    let name = quoted(name);
    format!("{record} has {name} && {record}[{name}].containsAll({values})")
}

fn list(words: impl IntoIterator<Item = impl Display>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| quoted(&word.to_string())).collect();
    format!("[{}]", words.join(", "))
}

fn any(conditions: impl Iterator<Item = String>) -> String {
    conditions.collect::<Vec<_>>().join(" || ")
}

/// A network as Cedar reads it: IPv6 in eight groups, because it refuses an embedded IPv4 address
/// (`::ffff:0.0.0.0`), which is how such a network is printed otherwise.
fn range(network: &IpNet) -> String {
    let address = match network.addr() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => address.segments().map(|segment| format!("{segment:x}")).join(":"),
    };
    format!("{address}/{}", network.prefix_len())
}

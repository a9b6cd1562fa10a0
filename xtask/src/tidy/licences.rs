//! Licences, banned packages and sources of packages, by the rules in `deny.toml`: the part of
//! `cargo deny check bans licenses sources` that the gate must not go without when that tool is
//! not installed.

use serde::Deserialize;

use super::Finding;
use super::metadata::{Metadata, Package};
use crate::repository::Chore;

/// The rules in `deny.toml` that are checked here.
#[derive(Debug)]
pub(super) struct Policy {
    licences: Vec<String>,
    bans: Vec<Ban>,
}

/// A package that may not be used, in some versions or in all.
#[derive(Debug)]
struct Ban {
    name: String,
    versions: semver::VersionReq,
}

#[derive(Deserialize)]
struct DenyFile {
    licenses: Licenses,
    bans: Bans,
}

#[derive(Deserialize)]
struct Licenses {
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<DenyEntry>,
}

#[derive(Deserialize)]
struct DenyEntry {
    #[serde(rename = "crate")]
    package: String,
}

impl Policy {
    pub(super) fn parse(text: &str) -> Chore<Self> {
        let file: DenyFile = toml::from_str(text).map_err(|e| format!("deny.toml: {e}"))?;
        let bans: Chore<Vec<Ban>> =
            file.bans.deny.iter().map(|entry| Ban::parse(&entry.package)).collect();
        Ok(Self { licences: file.licenses.allow, bans: bans? })
    }
}

impl Ban {
    /// `name`, or `name:<1.2.3`.
    fn parse(text: &str) -> Chore<Self> {
        let (name, versions) = text.split_once(':').unwrap_or((text, "*"));
        let versions = versions.parse().map_err(|e| format!("deny.toml: {text}: {e}"))?;
        Ok(Self { name: name.to_owned(), versions })
    }

    fn hits(&self, package: &Package) -> bool {
        self.name == package.name && self.versions.matches(&package.version)
    }
}

pub(super) fn check(metadata: &Metadata, policy: &Policy) -> Vec<Finding> {
    let built = metadata.packages.iter().filter(|package| metadata.is_built(package));
    built.flat_map(|package| check_package(package, policy)).collect()
}

fn check_package(package: &Package, policy: &Policy) -> Vec<Finding> {
    let place = format!("{} {}", package.name, package.version);
    let mut findings = Vec::new();
    if policy.bans.iter().any(|ban| ban.hits(package)) {
        findings.push(Finding::fault(&place, "is banned by deny.toml"));
    }
    let licence = package.license.as_deref().unwrap_or_default();
    if !permitted(licence, &policy.licences) {
        let what = format!("its licence `{licence}` is not allowed by deny.toml");
        findings.push(Finding::fault(&place, what));
    }
    if package.source.as_ref().is_some_and(|source| !source.starts_with("registry+")) {
        findings.push(Finding::fault(&place, "does not come from a registry"));
    }
    findings
}

/// Whether an SPDX expression can be met with allowed licences: `OR` needs one side, `AND` both.
/// `/` is the old way to write `OR`. An empty or malformed expression is not met.
fn permitted(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut tokens = spaced.split_whitespace().peekable();
    let met = any_of(&mut tokens, allowed);
    met.unwrap_or(false) && tokens.next().is_none()
}

type Tokens<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn any_of(tokens: &mut Tokens<'_>, allowed: &[String]) -> Option<bool> {
    let mut met = all_of(tokens, allowed)?;
    while tokens.next_if_eq(&"OR").is_some() {
        met |= all_of(tokens, allowed)?;
    }
    Some(met)
}

fn all_of(tokens: &mut Tokens<'_>, allowed: &[String]) -> Option<bool> {
    let mut met = one(tokens, allowed)?;
    while tokens.next_if_eq(&"AND").is_some() {
        met &= one(tokens, allowed)?;
    }
    Some(met)
}

fn one(tokens: &mut Tokens<'_>, allowed: &[String]) -> Option<bool> {
    let token = tokens.next()?;
    if token == "(" {
        let met = any_of(tokens, allowed)?;
        return (tokens.next() == Some(")")).then_some(met);
    }
    let mut name = token.to_owned();
    if tokens.next_if_eq(&"WITH").is_some() {
        name = format!("{token} WITH {}", tokens.next()?);
    }
    Some(allowed.contains(&name))
}

#[cfg(test)]
mod tests;

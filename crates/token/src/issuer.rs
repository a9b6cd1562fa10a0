//! Trusted token issuers: what the configuration says of them, and their present keys.

use base::{Problem, Span, words};
use serde::{Deserialize, Serialize};

use crate::jose::{Algorithm, JwkSet};

/// The widest tolerance for clocks that disagree.
pub const LEEWAY_MAX: Span = Span::from_secs(300);

words! {
    /// What the scopes of an issuer's tokens mean at the gate.
    ScopeRule {
        /// Nothing: grants alone decide.
        Ignore = "ignore",
        /// They narrow: without a scope that names the operation the request is refused.
        Enforce = "enforce",
    }
}

/// One issuer as configured. Unknown settings are refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerSettings {
    /// portreeve's own name for it, shown to people.
    pub name: String,
    /// The exact value of `iss` in its tokens.
    pub issuer: String,
    /// Values of `aud` of which a token must have at least one.
    pub audiences: Vec<String>,
    /// Signature algorithms that its tokens may use.
    pub algorithms: Vec<Algorithm>,
    /// Tolerance for clocks that disagree, at most [`LEEWAY_MAX`]; 30 s unless given.
    #[serde(default = "default_leeway")]
    pub leeway: Span,
    /// What the scopes of its tokens mean; `ignore` unless given.
    #[serde(default = "default_scopes")]
    pub scopes: ScopeRule,
}

const fn default_leeway() -> Span {
    Span::from_secs(30)
}

const fn default_scopes() -> ScopeRule {
    ScopeRule::Ignore
}

/// A trusted issuer with its present keys. Immutable: new keys make a new value with a higher
/// generation, so a token that was verified by withdrawn keys can be told from a current one.
#[derive(Debug, Clone)]
pub struct Issuer {
    settings: IssuerSettings,
    keys: JwkSet,
    generation: u64,
}

impl Issuer {
    /// Checks the settings. `generation` counts the key sets of this issuer.
    pub fn new(settings: IssuerSettings, keys: JwkSet, generation: u64) -> Result<Self, Problem> {
        check(&settings).map_err(|problem| problem.at(format!("issuer `{}`", settings.name)))?;
        Ok(Self { settings, keys, generation })
    }

    /// The same issuer with another key set.
    #[must_use]
    pub fn with_keys(&self, keys: JwkSet, generation: u64) -> Self {
        Self { settings: self.settings.clone(), keys, generation }
    }

    /// portreeve's name for it.
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// The exact value of `iss`.
    pub fn issuer(&self) -> &str {
        &self.settings.issuer
    }

    /// The settings.
    pub fn settings(&self) -> &IssuerSettings {
        &self.settings
    }

    /// The present keys.
    pub fn keys(&self) -> &JwkSet {
        &self.keys
    }

    /// Counts key sets.
    pub fn generation(&self) -> u64 {
        self.generation
    }
}

fn check(settings: &IssuerSettings) -> Result<(), Problem> {
    let bad =
        |reason: &str, detail: String, hint: &str| Err(Problem::invalid(reason, detail).hint(hint));
    if settings.name.is_empty() || settings.issuer.is_empty() {
        return bad(
            "issuer_unnamed",
            "an issuer needs a `name` and the `issuer` of its tokens".to_owned(),
            "write the `iss` value exactly as it stands in the tokens",
        );
    }
    if settings.audiences.is_empty() || settings.audiences.iter().any(String::is_empty) {
        return bad(
            "issuer_without_audience",
            "`audiences` is empty: a token for any other service would pass".to_owned(),
            "list the audience that the issuer puts into tokens for this gate",
        );
    }
    if settings.algorithms.is_empty() {
        return bad(
            "issuer_without_algorithm",
            "`algorithms` is empty: no token could be verified".to_owned(),
            "list what the issuer signs with, e.g. [\"RS256\"] or [\"ES256\"]",
        );
    }
    if settings.leeway > LEEWAY_MAX || settings.leeway < Span::from_micros(0) {
        return bad(
            "leeway_too_wide",
            format!("a leeway of {} is not between 0s and {LEEWAY_MAX}", settings.leeway),
            "set the clocks; expired tokens pass for as long as the leeway",
        );
    }
    Ok(())
}

/// Refuses two issuers with one name or with one `iss`: which keys hold would depend on order.
pub fn issuers_are_distinct(issuers: &[Issuer]) -> Result<(), Problem> {
    for (index, issuer) in issuers.iter().enumerate() {
        let twin = issuers
            .iter()
            .take(index)
            .find(|other| other.name() == issuer.name() || other.issuer() == issuer.issuer());
        if let Some(twin) = twin {
            let detail = format!(
                "issuers `{}` and `{}` share their name or their `issuer`",
                twin.name(),
                issuer.name()
            );
            return Err(Problem::invalid("issuer_twice", detail)
                .hint("give every issuer one entry; put several audiences into its list"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;

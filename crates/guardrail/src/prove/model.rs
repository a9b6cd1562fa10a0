//! The solver's answer: a request, decided again by Cedar.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use base::{ApiId, IdentityId, OperationId, Problem, Timestamp};
use catalog::{Api, Operation};
use cedar_policy::{Authorizer, Context, Decision, Request, RestrictedExpression};
use grant::{Place, Source};

use super::answer::{self, Found};
use super::members::has_parameter;
use super::names::{Names, v6_of};
use super::subject::Subject;
use super::{Side, Target, Values};
use crate::uses::member;
use crate::{asked, moment, names};

/// What the solver chose.
#[derive(Debug)]
pub(super) struct Model<'n> {
    values: BTreeMap<String, Found>,
    names: &'n Names,
}

/// A request that one state allows, and another does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counterexample {
    /// Which state allows it.
    pub allowed_by: Side,
    /// Who calls.
    pub identity: IdentityId,
    /// Which API.
    pub api: ApiId,
    /// Which operation; `None` = one that the catalogue does not know.
    pub operation: Option<OperationId>,
    /// When.
    pub now: Timestamp,
    /// What the request draws, 0 to 9,999.
    pub draw: u16,
    /// With which kind of credential.
    pub credential_class: String,
    /// How strong that is.
    pub strength: String,
    /// Bound to its sender by this.
    pub binding: Option<String>,
    /// From where.
    pub source: Option<IpAddr>,
    /// The scopes of the token, where they narrow.
    pub scopes: Option<BTreeSet<String>>,
    /// The claims of the token.
    pub claims: BTreeMap<String, BTreeSet<String>>,
    /// The values of the request; of what is not named, none.
    pub values: BTreeMap<Place, BTreeSet<String>>,
    /// What of it cannot be read.
    pub unreadable: BTreeSet<String>,
    /// The properties that the body writes; `None` = it is no JSON.
    pub writes: Option<BTreeSet<String>>,
}

impl<'n> Model<'n> {
    /// Reads `((name value) …)` after the first line.
    pub(super) fn read(output: &str, names: &'n Names) -> Result<Self, Problem> {
        let broken = || Problem::internal("the solver's model cannot be read");
        let values = answer::values(output).ok_or_else(broken)?;
        Ok(Self { values, names })
    }

    pub(super) fn case(&self) -> i128 {
        self.number("case")
    }

    fn number(&self, name: &str) -> i128 {
        match self.values.get(name) {
            Some(Found::Number(number)) => *number,
            _ => -1,
        }
    }

    fn is(&self, name: &str) -> bool {
        self.values.get(name) == Some(&Found::Truth(true))
    }

    fn texts(&self, name: &str) -> BTreeSet<String> {
        match self.values.get(name) {
            Some(Found::Set(set)) => set.iter().map(|number| self.names.word(*number)).collect(),
            _ => BTreeSet::new(),
        }
    }

    fn source(&self) -> Option<IpAddr> {
        let number = self.number("address");
        self.is("from").then(|| match self.is("v4") {
            true => Ipv4Addr::from(u32::try_from(number).unwrap_or_default()).into(),
            false => Ipv6Addr::from(v6_of(number)).into(),
        })
    }

    /// The request that was chosen.
    pub(super) fn example(
        &self,
        identity: &IdentityId,
        api: &Api,
        asked: Option<&Operation>,
        allowed_by: Side,
    ) -> Counterexample {
        let (identity, api, operation): Target =
            (identity.clone(), api.id.clone(), asked.map(|one| one.id.clone()));
        let places = self.names.places.iter().enumerate();
        // Of a parameter that the path does not have, the solver may say what it likes.
        let there = |place: &Place| match place {
            Place::Path(name) => has_parameter(asked, name),
            _ => true,
        };
        let values = places.map(|(at, place)| (place.clone(), self.texts(&format!("place_{at}"))));
        let values = values.filter(|(place, values)| !values.is_empty() && there(place));
        let claims = self.names.claims.iter().enumerate();
        let claims = claims.map(|(at, name)| (name.clone(), self.texts(&format!("claim_{at}"))));
        let micros = self.number("now") * 1_000 + self.number("now_us");
        let word = |name: &str| self.names.word(self.number(name));
        Counterexample {
            allowed_by,
            identity,
            api,
            operation,
            now: Timestamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX)),
            draw: u16::try_from(self.number("draw")).unwrap_or_default(),
            credential_class: word("class"),
            strength: word("strength"),
            binding: self.is("bound").then(|| word("binding")),
            source: self.source(),
            scopes: self.is("scoped").then(|| self.texts("scopes")),
            claims: claims.filter(|(_, values)| !values.is_empty()).collect(),
            values: values.collect(),
            unreadable: self.texts("unreadable"),
            writes: self.is("readable").then(|| self.texts("writes")),
        }
    }
}

impl Counterexample {
    /// Asks Cedar. Its answer must be the claimed one, or the formulas were wrong; unless they left
    /// something open.
    pub(super) fn confirm(
        &self,
        subject: &Subject<'_>,
        claimed: bool,
        left_open: Option<&Problem>,
    ) -> Result<(), Problem> {
        let is = self.is_allowed(subject).map_err(Problem::internal)?;
        if is == claimed {
            return Ok(());
        }
        if let Some(problem) = left_open {
            return Err(problem.clone());
        }
        let (is, not) = if is { ("allowed", "refused") } else { ("refused", "allowed") };
        Err(Problem::internal(format!("the solver says {not}, and Cedar says {is}, of: {self}")))
    }

    fn is_allowed(&self, subject: &Subject<'_>) -> Result<bool, String> {
        let known = subject.api(self.api.as_str());
        let Some(api) = known.filter(|_| subject.identity(&self.identity).is_some()) else {
            return Ok(false);
        };
        let found = api.operations.iter().find(|one| Some(&one.id) == self.operation.as_ref());
        if found.is_some() != self.operation.is_some() {
            return Ok(false);
        }
        let types = subject.types();
        let context = self.context(subject, api, found)?;
        let request = Request::new(
            types.identity(self.identity.as_str()),
            types.action(&names::action_of(api, found)),
            types.api(api.id.as_str()),
            context,
            None,
        );
        let request = request.map_err(|e| e.to_string())?;
        let meaning = &subject.meaning;
        let response =
            Authorizer::new().is_authorized(&request, &meaning.policies, &meaning.entities);
        match response.diagnostics().errors().next() {
            Some(error) => Err(error.to_string()),
            None => Ok(response.decision() == Decision::Allow),
        }
    }

    fn context(
        &self,
        subject: &Subject<'_>,
        api: &Api,
        operation: Option<&Operation>,
    ) -> Result<Context, String> {
        let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
        let long = |number: i64| RestrictedExpression::new_long(number);
        let (millis, beyond) = moment::split(self.now);
        let now = moment::text(millis).ok_or("a time that cannot be written")?;
        let within = subject.uses().writable.iter().filter(|(_, list)| {
            self.writes.as_ref().is_some_and(|writes| writes.iter().all(|one| list.contains(one)))
        });
        let mut all = vec![
            ("now", RestrictedExpression::new_datetime(now)),
            ("now_us", long(beyond)),
            ("week_minute", long(grant::window::week_minute(self.now).into())),
            ("draw", long(self.draw.into())),
            ("credential_class", text(&self.credential_class)),
            ("strength", text(&self.strength)),
            ("scope_names", asked::set(crate::meaning::scope_names(api, operation))),
            ("writes_within", asked::set(within.map(|(key, _)| key))),
            ("unreadable", asked::set(&self.unreadable)),
            ("claims", sets(self.claims.iter().map(|(name, set)| (name.clone(), set)))?),
        ];
        all.extend(self.binding.as_deref().map(|binding| ("binding", text(binding))));
        all.extend(self.scopes.as_ref().map(|scopes| ("scopes", asked::set(scopes))));
        let source = self.source.map(|source| RestrictedExpression::new_ip(source_text(source)));
        all.extend(source.map(|source| ("source", source)));
        for part in ["path", "query", "header", "body"] {
            let values = self.values.iter().filter_map(|(place, set)| {
                member(place).filter(|(of, _)| *of == part).map(|(_, name)| (name.to_owned(), set))
            });
            all.push((part, sets(values)?));
        }
        let brings: Values = self.brings(subject);
        all.push(("brings", sets(brings.iter().map(|(key, set)| (key.clone(), set)))?));
        let all = all.into_iter().map(|(name, value)| (name.to_owned(), value));
        Context::from_pairs(all).map_err(|e| e.to_string())
    }

    fn brings(&self, subject: &Subject<'_>) -> Values {
        let of = |source: &Source| -> Vec<String> {
            match source {
                Source::Text(text) => vec![text.clone()],
                Source::Claim(name) => {
                    self.claims.get(name).into_iter().flatten().cloned().collect()
                }
                Source::Related(name) => subject.objects(&self.identity, name),
                Source::Identity(name) => {
                    let known = subject.identity(&self.identity);
                    let values = known.map(|(_, about)| about.values(&self.identity, name));
                    values.into_iter().flatten().collect()
                }
            }
        };
        let unions = subject.uses().unions.iter();
        unions
            .map(|(key, sources)| (key.clone(), sources.iter().flat_map(of).collect()))
            .filter(|(_, set): &(String, BTreeSet<String>)| !set.is_empty())
            .collect()
    }
}

/// Cedar takes no embedded IPv4 address.
fn source_text(source: IpAddr) -> String {
    match source {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => address.segments().map(|part| format!("{part:x}")).join(":"),
    }
}

fn sets<'s>(
    members: impl Iterator<Item = (String, &'s BTreeSet<String>)>,
) -> Result<RestrictedExpression, String> {
    asked::record(members.map(|(name, set)| (name, asked::set(set))).collect())
}

impl fmt::Display for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operation = self.operation.as_ref().map_or("?", |operation| operation.as_str());
        write!(f, "{} calls {}/{operation} at {}", self.identity, self.api, self.now)?;
        write!(f, " with {} ({})", self.credential_class, self.strength)?;
        if let Some(source) = self.source {
            write!(f, " from {source}")?;
        }
        for (place, values) in &self.values {
            write!(f, ", {place} = {values:?}")?;
        }
        for (claim, values) in &self.claims {
            write!(f, ", claim.{claim} = {values:?}")?;
        }
        if let Some(scopes) = &self.scopes {
            write!(f, ", scopes {scopes:?}")?;
        }
        write!(f, ", draw {}", self.draw)
    }
}

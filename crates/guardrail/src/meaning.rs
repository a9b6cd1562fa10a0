//! An export, read back and asked: what the policies say about a request. Slow, and right by
//! definition.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use base::{IdentityId, Problem, Timestamp};
use catalog::{Api, Operation};
use cedar_policy::{
    Authorizer, Entities, Entity, EvalResult, PolicyId, PolicySet, Request, RestrictedExpression,
    Schema, ValidationMode, Validator,
};
use grant::Source;
use policy::{Caller, Facts, Reading, Writes};

use crate::asked::{self, Asked, Readings};
use crate::export::PolicyExport;
use crate::names::Types;
use crate::rails::MARK;
use crate::uses::Uses;

/// What policies say about a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// Policies that permit, by their `@portreeve` mark, sorted.
    pub permits: BTreeSet<String>,
    /// Policies that forbid.
    pub forbids: BTreeSet<String>,
    /// What could not be evaluated. Any of it refuses.
    pub errors: Vec<String>,
}

impl Said {
    /// Whether the request is allowed.
    pub fn allows(&self) -> bool {
        !self.permits.is_empty() && self.forbids.is_empty() && self.errors.is_empty()
    }

    /// The ids behind the marks of one kind (`grant`, `guardrail`, `unreadable`, `gate`).
    pub fn of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a str> {
        let all = self.permits.iter().chain(&self.forbids);
        all.filter_map(move |mark| mark.strip_prefix(kind)?.strip_prefix(':'))
    }
}

/// An export that can be asked.
#[derive(Debug)]
pub struct Meaning {
    types: Types,
    uses: Uses,
    pub(crate) schema: Schema,
    pub(crate) policies: PolicySet,
    permits: PolicySet,
    forbids: PolicySet,
    pub(crate) entities: Entities,
    /// What identities bring to unions, by source.
    brings: BTreeMap<(IdentityId, Source), Vec<String>>,
}

impl Meaning {
    /// Reads an export, and validates it strictly against its own schema.
    pub fn read(export: &PolicyExport) -> Result<Self, Problem> {
        let fault =
            |what: &str, why: String| Problem::invalid("bad_export", format!("{what}: {why}"));
        let (schema, _) = Schema::from_cedarschema_str(&export.schema)
            .map_err(|e| fault("the schema", e.to_string()))?;
        let parsed: PolicySet =
            export.policies.parse().map_err(|e| fault("the policies", format!("{e}")))?;
        let (mut permits, mut forbids) = (Vec::new(), Vec::new());
        for policy in parsed.policies() {
            let mark =
                policy.annotation(MARK).ok_or_else(|| fault("a policy", "no mark".into()))?;
            let named = policy.new_id(PolicyId::new(mark));
            match named.effect() {
                cedar_policy::Effect::Permit => permits.push(named),
                cedar_policy::Effect::Forbid => forbids.push(named),
            }
        }
        let set = |policies: Vec<cedar_policy::Policy>| {
            PolicySet::from_policies(policies).map_err(|e| fault("the policies", e.to_string()))
        };
        let policies = set(permits.iter().chain(&forbids).cloned().collect())?;
        let result = Validator::new(schema.clone()).validate(&policies, ValidationMode::Strict);
        if let Some(error) = result.validation_errors().next() {
            return Err(fault("the policies", error.to_string()));
        }
        let entities = Entities::from_json_value(export.entities.clone(), Some(&schema))
            .map_err(|e| fault("the entities", format!("{e}")))?;
        let types = Types::new().ok_or_else(|| fault("the types", "not names".into()))?;
        let (permits, forbids) = (set(permits)?, set(forbids)?);
        let (uses, brings) = (export.uses.clone(), BTreeMap::new());
        let mut meaning =
            Self { types, uses, schema, policies, permits, forbids, entities, brings };
        meaning.bring();
        Ok(meaning)
    }

    pub(crate) fn uses(&self) -> &Uses {
        &self.uses
    }

    /// What each policy says. What is not read yet counts as missing.
    pub fn ask(
        &self,
        who: Caller<'_>,
        api: &Api,
        operation: Option<&Operation>,
        facts: Facts<'_>,
        now: Timestamp,
    ) -> Said {
        let asked = Asked { who, api, operation, facts, now };
        let request = match self.request(&asked) {
            Ok(request) => request,
            Err(why) => return Said { errors: vec![why], ..Said::default() },
        };
        let entities = match self.entities_of(&asked) {
            Ok(entities) => entities,
            Err(why) => return Said { errors: vec![why], ..Said::default() },
        };
        let mut said = Said::default();
        for (set, marks) in [(&self.permits, &mut said.permits), (&self.forbids, &mut said.forbids)]
        {
            let response = Authorizer::new().is_authorized(&request, set, &entities);
            marks.extend(response.diagnostics().reason().map(|id| id.to_string()));
            said.errors.extend(response.diagnostics().errors().map(ToString::to_string));
        }
        said
    }

    /// What Cedar's authorizer says of all policies at once, with a request that its schema has
    /// checked.
    pub fn decide(
        &self,
        who: Caller<'_>,
        api: &Api,
        operation: Option<&Operation>,
        facts: Facts<'_>,
        now: Timestamp,
    ) -> Result<bool, String> {
        let asked = Asked { who, api, operation, facts, now };
        let (request, entities) = (self.request(&asked)?, self.entities_of(&asked)?);
        if let Some(context) = request.context()
            && let Some(action) = request.action()
        {
            context.validate(&self.schema, action).map_err(|e| e.to_string())?;
        }
        let response = Authorizer::new().is_authorized(&request, &self.policies, &entities);
        match response.diagnostics().errors().next() {
            Some(error) => Err(error.to_string()),
            None => Ok(response.decision() == cedar_policy::Decision::Allow),
        }
    }

    /// The entities, in which the caller has the relations too that a source said it has: to the
    /// objects that were asked about. An export holds none of them.
    fn entities_of(&self, asked: &Asked<'_>) -> Result<Cow<'_, Entities>, String> {
        let answers = asked.facts.answers;
        let uid = self.types.identity(asked.who.identity().as_str());
        let Some(entity) = self.entities.get(&uid).filter(|_| answers.iter().next().is_some())
        else {
            return Ok(Cow::Borrowed(&self.entities));
        };
        let related = self.uses.related.iter().map(|name| {
            let stored = nested(entity, "related", name).map(texts).unwrap_or_default();
            let asked = answers.objects(name).map(str::to_owned);
            (name.clone(), stored.into_iter().chain(asked).collect::<BTreeSet<String>>())
        });
        let related = related.filter(|(_, objects)| !objects.is_empty());
        let related = asked::record(related.map(|(n, set)| (n, asked::set(set))).collect())?;
        let (uid, mut members, parents) = entity.clone().into_inner();
        members.insert("related".to_owned(), related);
        let parents: HashSet<_> = parents.into_iter().collect();
        let entity = Entity::new(uid, members.into_iter().collect(), parents);
        let entity = entity.map_err(|e| e.to_string())?;
        let entities = self.entities.clone().upsert_entities([entity], None);
        entities.map(Cow::Owned).map_err(|e| e.to_string())
    }

    fn request(&self, asked: &Asked<'_>) -> Result<Request, String> {
        let principal = self.types.identity(asked.who.identity().as_str());
        if self.entities.get(&principal).is_none() {
            return Err(format!("`{}` has no entity", asked.who.identity()));
        }
        let readings = asked::read(self.uses.places.iter(), asked.facts);
        let more = self.more(asked, &readings)?;
        let context = asked::context(asked, &self.uses, &readings, more)?;
        let action = self.types.action(&crate::names::action_of(asked.api, asked.operation));
        let resource = self.types.api(asked.api.id.as_str());
        Request::new(principal, action, resource, context, None).map_err(|e| e.to_string())
    }

    /// What only grants ask.
    fn more(
        &self,
        asked: &Asked<'_>,
        readings: &Readings<'_>,
    ) -> Result<Vec<(String, RestrictedExpression)>, String> {
        let mut more = Vec::new();
        if let Some(scopes) = asked.who.scopes() {
            more.push(("scopes".to_owned(), asked::set(scopes)));
        }
        more.push(("scope_names".to_owned(), asked::set(scope_names(asked.api, asked.operation))));
        let within = self
            .uses
            .writable
            .iter()
            .filter(|(_, names)| asked.facts.request.writes(names) == Writes::Within);
        more.push(("writes_within".to_owned(), asked::set(within.map(|(key, _)| key))));
        let unreadable = readings.iter().filter(|(_, found)| *found == Reading::Unreadable);
        let unreadable = unreadable.map(|(place, _)| place.to_string());
        more.push(("unreadable".to_owned(), asked::set(unreadable)));
        let brings = self.uses.unions.iter().map(|(key, sources)| {
            let values: Vec<String> =
                sources.iter().flat_map(|source| self.brought(asked, source)).collect();
            (key.clone(), values)
        });
        let brings = brings.filter(|(_, values)| !values.is_empty());
        let brings = brings.map(|(key, values)| (key, asked::set(values)));
        more.push(("brings".to_owned(), asked::record(brings.collect())?));
        Ok(more)
    }

    fn brought(&self, asked: &Asked<'_>, source: &Source) -> Vec<String> {
        let stored = || {
            let key = (asked.who.identity().clone(), source.clone());
            self.brings.get(&key).cloned().unwrap_or_default()
        };
        match source {
            Source::Text(text) => vec![text.clone()],
            Source::Claim(name) => asked.who.claim(name).to_vec(),
            Source::Identity(_) => stored(),
            Source::Related(name) => {
                let mut objects = stored();
                objects.extend(asked.facts.answers.objects(name).map(str::to_owned));
                objects
            }
        }
    }

    /// Looks up, in the entities, what every identity brings to unions.
    fn bring(&mut self) {
        let sources: BTreeSet<&Source> = self.uses.unions.values().flatten().collect();
        let mut found = Vec::new();
        for entity in self.entities.iter() {
            let uid = entity.uid();
            let Ok(id) = IdentityId::parse(uid.id().unescaped()) else { continue };
            if uid.type_name().basename() != "Identity" {
                continue;
            }
            for source in &sources {
                let value = match source {
                    Source::Identity(name) => match name.as_str() {
                        "id" | "kind" | "environment" | "owner" | "vendor" | "email" => {
                            entity.attr(name).and_then(Result::ok)
                        }
                        name => nested(entity, "attributes", name),
                    },
                    Source::Related(name) => nested(entity, "related", name),
                    Source::Claim(_) | Source::Text(_) => continue,
                };
                let values = value.map(texts).unwrap_or_default();
                found.push(((id.clone(), (*source).clone()), values));
            }
        }
        self.brings = found.into_iter().collect();
    }
}

fn nested(entity: &Entity, record: &str, name: &str) -> Option<EvalResult> {
    match entity.attr(record)?.ok()? {
        EvalResult::Record(members) => members.get(name).cloned(),
        _ => None,
    }
}

fn texts(value: EvalResult) -> Vec<String> {
    match value {
        EvalResult::String(text) => vec![text],
        EvalResult::Set(values) => values.iter().cloned().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

/// The scopes that name what is asked. `all`, `read` and `write` behind an API's id are never an
/// operation that is called so.
pub(crate) fn scope_names(api: &Api, operation: Option<&Operation>) -> Vec<String> {
    let Some(operation) = operation else { return Vec::new() };
    let (api, id) = (&api.id, operation.id.as_str());
    let effect = if operation.mutating { "write" } else { "read" };
    let mut names = vec![id.to_owned(), format!("{api}:all"), format!("{api}:{effect}")];
    if !["all", "read", "write"].contains(&id) {
        names.push(format!("{api}:{id}"));
    }
    names
}

//! The compiled set, and its judgement of one request.

use std::collections::BTreeSet;
use std::sync::Arc;

use base::{ApiId, Problem};
use catalog::Api;
use cedar_policy::{Authorizer, Entities, Policy, PolicySet, Request};
use grant::Place;
use policy::{Explained, Guard, Judgement, Question, Reading, Verdict};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::asked::{self, Asked, Readings};
use crate::explain::explained;
use crate::literal::Named;
use crate::names::Types;
use crate::rails::{self, Rail};
use crate::swift::Asking;
use crate::uses::Uses;

/// Compiled guardrails. Of a request only those are evaluated whose scope names its API, or none.
#[derive(Debug)]
pub struct Guardrails {
    version: u64,
    /// `Err`: why nothing can be judged.
    index: Result<Index, String>,
}

#[derive(Debug)]
struct Index {
    types: Types,
    by_api: FxHashMap<ApiId, Bucket>,
    /// Of APIs that no scope names.
    others: Bucket,
}

/// The guardrails of one API.
#[derive(Debug, Default)]
struct Bucket {
    rails: Vec<Arc<Rail>>,
    policies: PolicySet,
    uses: Uses,
    places: Vec<Place>,
}

/// What one evaluation came to.
#[derive(Debug, Default)]
struct Found {
    forbids: Vec<String>,
    error: Option<String>,
    /// What stands in the body and cannot be read.
    body: Option<String>,
    later: bool,
}

impl Guardrails {
    /// Compiles a set. One that cannot be compiled judges every request with an error: what was
    /// published is checked first, so this is a fault, and what cannot decide refuses.
    pub fn compile(set: &grant::Guardrails) -> Self {
        let (rails, problems) = rails::parse(&set.files);
        let index = match problems.first() {
            Some(problem) => Err(problem.to_string()),
            None => Index::of(rails),
        };
        Self { version: set.version.into(), index }
    }

    /// Whether a set may be published: each file with guardrails in it, each a `forbid`, every
    /// name and type right by the schema of these APIs.
    pub fn check(set: &grant::Guardrails, apis: &[Api]) -> Result<(), Vec<Problem>> {
        crate::check::check(set, apis)
    }

    /// The entities that a set names, sorted: Cedar takes any. Of what cannot be read, none.
    pub fn named(set: &grant::Guardrails) -> Vec<Named> {
        crate::literal::named(&rails::parse(&set.files).0)
    }

    /// What a set compares with words or numbers that are never there, which it could be published
    /// with before; whoever asks tells it where a set is published.
    pub fn impossible(set: &grant::Guardrails) -> Vec<Problem> {
        crate::literal::impossible(&rails::parse(&set.files).0)
    }

    /// Whether none of a set looks at one of these relations, which are looked up: guardrails ask
    /// nobody.
    pub fn ask_no_source(
        set: &grant::Guardrails,
        looked_up: &BTreeSet<String>,
    ) -> Result<(), Vec<Problem>> {
        crate::check::ask_no_source(set, looked_up)
    }
}

impl Guard for Guardrails {
    fn judge(&self, question: &Question<'_>) -> Judgement {
        let index = match &self.index {
            Ok(index) => index,
            Err(why) => return Judgement::Error(why.clone()),
        };
        let bucket = index.bucket(&question.api.id);
        if bucket.rails.is_empty() {
            return Judgement::Pass;
        }
        let (found, rest) = bucket.swiftly(question);
        if rest.is_empty() {
            return found.into_judgement();
        }
        match index.prepare(bucket, question) {
            Ok(prepared) => prepared.all(bucket, &rest).and(found).into_judgement(),
            Err(why) => Judgement::Error(why),
        }
    }

    fn reads(&self, api: &ApiId) -> &[Place] {
        self.index.as_ref().map_or(&[], |index| &index.bucket(api).places)
    }

    fn explain(&self, question: &Question<'_>) -> Vec<Explained> {
        let Ok(index) = &self.index else { return Vec::new() };
        let bucket = index.bucket(&question.api.id);
        let prepared = index.prepare(bucket, question);
        let each = |rail: &Arc<Rail>| {
            let verdict = match &prepared {
                Ok(prepared) => prepared.one(rail).into_verdict(),
                Err(why) => Verdict::Error(why.clone()),
            };
            explained(rail, verdict)
        };
        let mut all: Vec<Explained> = bucket.rails.iter().map(each).collect();
        all.sort_by(|one, other| one.id.cmp(&other.id));
        all
    }

    fn fault(&self) -> Option<&str> {
        self.index.as_ref().err().map(String::as_str)
    }

    fn version(&self) -> u64 {
        self.version
    }
}

impl Index {
    fn of(rails: Vec<Rail>) -> Result<Self, String> {
        let types = Types::new().ok_or("the names of the entity types do not parse")?;
        let (mut by_api, mut everywhere) = (FxHashMap::default(), Vec::new());
        for rail in rails.into_iter().map(Arc::new) {
            match &rail.apis {
                None => everywhere.push(rail),
                Some(apis) => apis.iter().for_each(|api| {
                    let of_api: &mut Vec<_> = by_api.entry(api.clone()).or_default();
                    of_api.push(Arc::clone(&rail));
                }),
            }
        }
        let bucket = |(api, mut rails): (ApiId, Vec<Arc<Rail>>)| {
            rails.extend(everywhere.iter().cloned());
            Ok((api, Bucket::of(rails)?))
        };
        let by_api = by_api.into_iter().map(bucket).collect::<Result<_, String>>()?;
        Ok(Self { types, by_api, others: Bucket::of(everywhere)? })
    }

    fn bucket(&self, api: &ApiId) -> &Bucket {
        self.by_api.get(api).unwrap_or(&self.others)
    }

    fn prepare<'q>(
        &self,
        bucket: &'q Bucket,
        question: &'q Question<'q>,
    ) -> Result<Prepared<'q>, String> {
        let Question { who, about, groups, related, api, operation, facts, now } = *question;
        let asked = Asked { who, api, operation, facts, now };
        let readings = asked::read(bucket.places.iter(), facts);
        let (types, uses) = (&self.types, &bucket.uses);
        if let Some(name) = uses.related.iter().find(|name| related.is_looked_up(name)) {
            return Err(format!("`related.{name}` is looked up, and guardrails ask nobody"));
        }
        let context = asked::context(&asked, uses, &readings, Vec::new())?;
        let objects = |name: &str| related.objects(name).map(str::to_owned).collect();
        let principal = asked::principal(types, uses, who.identity(), groups, about, objects)?;
        let resource = asked::resource(types, uses, api)?;
        let action = asked::action(types, api, operation);
        let (by, what, on) = (principal.uid(), action.uid(), resource.uid());
        let request = Request::new(by, what, on, context, None).map_err(|e| e.to_string())?;
        let entities = Entities::from_entities([principal, action, resource], None)
            .map_err(|e| e.to_string())?;
        Ok(Prepared { request, entities, readings, question })
    }
}

impl Bucket {
    fn of(rails: Vec<Arc<Rail>>) -> Result<Self, String> {
        let mut uses = Uses::default();
        rails.iter().for_each(|rail| uses.merge(&rail.uses));
        let policies = PolicySet::from_policies(rails.iter().map(|rail| rail.policy.clone()))
            .map_err(|e| e.to_string())?;
        let places = uses.places.iter().cloned().collect();
        Ok(Self { rails, policies, uses, places })
    }

    /// What can be judged without Cedar, and what is left to it.
    fn swiftly(&self, question: &Question<'_>) -> (Found, SmallVec<[&Rail; 2]>) {
        let asking = Asking::new(question, &self.places);
        let (mut found, mut rest) = (Found::default(), SmallVec::new());
        // None can be judged then, whatever the others say.
        if self.uses.related.iter().any(|name| question.related.is_looked_up(name)) {
            return (found, self.rails.iter().map(AsRef::as_ref).collect());
        }
        for rail in &self.rails {
            match rail.swift.as_ref().and_then(|swift| swift.forbids(&asking)) {
                Some(true) => found.forbids.push(rail.id.clone()),
                Some(false) => {}
                None => rest.push(rail.as_ref()),
            }
        }
        (found, rest)
    }
}

/// A question in Cedar's terms.
struct Prepared<'q> {
    request: Request,
    entities: Entities,
    readings: Readings<'q>,
    question: &'q Question<'q>,
}

impl Prepared<'_> {
    /// Some guardrails of the API: all of them at once; where something cannot be read, and where
    /// they are few, one by one.
    fn all(&self, bucket: &Bucket, rails: &[&Rail]) -> Found {
        let is_open = |reading: &Reading<'_>| !matches!(reading, Reading::Values(_));
        let all = rails.len() == bucket.rails.len();
        if all
            && !self.forgets(&bucket.uses)
            && !self.readings.iter().any(|(_, reading)| is_open(reading))
        {
            return self.evaluate(&bucket.policies);
        }
        rails.iter().map(|rail| self.one(rail)).fold(Found::default(), Found::and)
    }

    /// One guardrail. If it reads what is not there to be read, it is only judged as far as that:
    /// where it does not hold up to there it does not forbid, else nobody can tell. Absence would
    /// let pass what could not be read.
    fn one(&self, rail: &Rail) -> Found {
        if self.forgets(&rail.uses) {
            return self.without_claims(rail);
        }
        let mut later = false;
        for (place, reading) in &self.readings {
            if !rail.uses.places.contains(place) {
                continue;
            }
            match reading {
                Reading::Values(_) => {}
                Reading::Later => later = true,
                Reading::Unreadable => {
                    let why = Some(format!("{}: `{place}` cannot be read", rail.id));
                    return self.open(rail, |found| match place {
                        Place::Body(_) => found.body = why,
                        _ => found.error = why,
                    });
                }
            }
        }
        if later {
            return self.open(rail, |found| found.later = true);
        }
        self.alone(&rail.policy)
    }

    /// Whether these look at claims, and it is not known what the token claimed.
    fn forgets(&self, uses: &Uses) -> bool {
        !self.question.who.knows_claims() && !uses.claims.is_empty()
    }

    /// One that looks at claims that nobody knows: what comes before them may say that it does not
    /// apply. Cedar, to which they are absent, would say that of claims too.
    fn without_claims(&self, rail: &Rail) -> Found {
        let places: Vec<Place> = rail.uses.places.iter().cloned().collect();
        let asking = Asking::new(self.question, &places);
        let known = rail.swift.as_ref().and_then(|swift| swift.forbids(&asking));
        let forbids = known.is_some_and(|forbids| forbids).then(|| rail.id.clone());
        let forbids = forbids.into_iter().collect();
        Found { forbids, later: known.is_none(), ..Found::default() }
    }

    fn open(&self, rail: &Rail, unknown: impl FnOnce(&mut Found)) -> Found {
        let mut found = self.alone(&rail.prelude);
        if !std::mem::take(&mut found.forbids).is_empty() {
            unknown(&mut found);
        }
        found
    }

    fn alone(&self, policy: &Policy) -> Found {
        match PolicySet::from_policies([policy.clone()]) {
            Ok(set) => self.evaluate(&set),
            Err(e) => Found { error: Some(e.to_string()), ..Found::default() },
        }
    }

    fn evaluate(&self, policies: &PolicySet) -> Found {
        let response = Authorizer::new().is_authorized(&self.request, policies, &self.entities);
        let diagnostics = response.diagnostics();
        let forbids = diagnostics.reason().map(|id| id.to_string()).collect();
        // Cedar skips a policy that fails, also a `forbid`. Here it refuses.
        let error = diagnostics.errors().map(ToString::to_string).min();
        Found { forbids, error, ..Found::default() }
    }
}

impl Found {
    fn and(mut self, other: Self) -> Self {
        self.forbids.extend(other.forbids);
        Self {
            forbids: self.forbids,
            error: self.error.or(other.error),
            body: self.body.or(other.body),
            later: self.later || other.later,
        }
    }

    /// What is certain comes first: what forbids without the body forbids with it.
    fn into_judgement(mut self) -> Judgement {
        self.forbids.sort_unstable();
        match (self.forbids.is_empty(), self.error, self.body, self.later) {
            (false, ..) => Judgement::Forbid(self.forbids),
            (true, Some(why), ..) => Judgement::Error(why),
            (true, None, Some(why), _) => Judgement::UnreadableBody(why),
            (true, None, None, true) => Judgement::Later,
            (true, None, None, false) => Judgement::Pass,
        }
    }

    fn into_verdict(self) -> Verdict {
        match self.into_judgement() {
            Judgement::Pass => Verdict::DoesNotApply,
            Judgement::Forbid(_) => Verdict::Forbids,
            Judgement::Error(why) | Judgement::UnreadableBody(why) => Verdict::Error(why),
            Judgement::Later => Verdict::NeedsBody,
        }
    }
}

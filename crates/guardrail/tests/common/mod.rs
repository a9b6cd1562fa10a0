//! Small worlds: objects with the members that decisions read, and defaults for the rest.
#![allow(dead_code, unreachable_pub, reason = "each test uses its part of it")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use base::{ApiId, Timestamp};
use catalog::{Api, Method};
use grant::Place;
use guardrail::Guardrails;
use identity::CredentialClass;
use policy::{
    Caller, Change, Explained, Facts, Guard, Judgement, Question, Reading, Refusal, Request,
    Ruleset, Supposed, Writes, reading,
};
use testkit::sample;
pub use testkit::sample::{grant, group, identity};

pub const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);

/// An API at `/<id>`: GET for each name, POST for one that ends in `!` (which is cut off).
pub fn api(id: &str, operations: &[&str]) -> Api {
    let operation = |name: &&str| {
        let (name, method) = match name.strip_suffix('!') {
            Some(name) => (name, Method::Post),
            None => (*name, Method::Get),
        };
        sample::operation(name, method, &format!("/{id}/{name}/{{tenant}}"))
    };
    sample::api(id, operations.iter().map(operation).collect())
}

/// Guardrails of one file, `rules.cedar`.
pub fn rails(text: &str) -> grant::Guardrails {
    let files = BTreeMap::from([("rules.cedar".to_owned(), text.to_owned())]);
    grant::Guardrails { version: 1, files, updated_at: NOW, updated_by: "robin".to_owned() }
}

/// A request whose values are these, by place. A value `?` cannot be read.
#[derive(Debug, Clone, Default)]
pub struct Asks {
    pub values: BTreeMap<Place, Vec<String>>,
    /// The template, if there is one, and the path: read as the gate reads them.
    pub path: Option<(Option<String>, String)>,
    /// Names of the properties of the body; `None` = no body.
    pub body: Option<Vec<String>>,
    /// The body is there and is no JSON.
    pub broken: bool,
    /// The body was not read yet.
    pub later: bool,
}

impl Asks {
    pub fn with(mut self, tie: &str, values: &[&str]) -> Self {
        let place = format!("{tie} = \"\"").parse::<grant::Tie>().unwrap().place;
        self.values.insert(place, values.iter().map(|value| (*value).to_owned()).collect());
        self
    }
}

impl Request for Asks {
    fn read(&self, place: &Place) -> Reading<'_> {
        if matches!(place, Place::Body(_)) {
            if self.later {
                return Reading::Later;
            }
            if self.broken {
                return Reading::Unreadable;
            }
        }
        if let (Place::Path(name), Some((template, path))) = (place, &self.path) {
            return reading::path(template.as_deref(), path, name);
        }
        match self.values.get(place) {
            Some(values) if values.iter().any(|value| value == "?") => Reading::Unreadable,
            Some(values) => Reading::Values(values.iter().map(|v| v.as_str().into()).collect()),
            None => Reading::absent(),
        }
    }

    fn writes(&self, allowed: &[String]) -> Writes {
        if self.later {
            return Writes::Later;
        }
        if self.broken {
            return Writes::Unreadable;
        }
        let names = self.body.iter().flatten();
        let outside: Vec<String> = names.filter(|name| !allowed.contains(name)).cloned().collect();
        if outside.is_empty() { Writes::Within } else { Writes::Outside(outside) }
    }
}

/// Guardrails that keep what they explained last.
#[derive(Debug)]
pub struct Spy(pub Guardrails, pub Mutex<Vec<Explained>>);

impl Guard for Spy {
    fn judge(&self, question: &Question<'_>) -> Judgement {
        *self.1.lock().unwrap() = self.0.explain(question);
        self.0.judge(question)
    }

    fn explain(&self, question: &Question<'_>) -> Vec<Explained> {
        self.0.explain(question)
    }

    fn reads(&self, api: &ApiId) -> &[Place] {
        self.0.reads(api)
    }

    fn version(&self) -> u64 {
        self.0.version()
    }
}

/// `orders` with `get`, `list` and the writing `pay`; `robin`, in `clerks`, may do all of it.
pub fn town(text: &str) -> (Ruleset, Arc<Spy>) {
    let spy = Arc::new(Spy(Guardrails::compile(&rails(text)), Mutex::default()));
    let guard: Arc<dyn Guard> = Arc::clone(&spy) as Arc<dyn Guard>;
    let state = vec![
        Change::Api(api("orders", &["get", "list", "pay!"])),
        Change::Api(api("bills", &["get"])),
        Change::Identity(identity("robin")),
        Change::Group(group("clerks", &["robin"], &[])),
        Change::Group(group("staff", &[], &["clerks"])),
        Change::Grant(grant("g_robin", "robin", "orders", &["*"])),
        Change::Grant(grant("g_bills", "robin", "bills", &["*"])),
        Change::Guard(Some(guard)),
    ];
    (Ruleset::build(1, state).unwrap(), spy)
}

/// What robin, by a key, would be told.
pub fn call(ruleset: &Ruleset, what: &str, facts: Facts<'_>) -> Result<Supposed, Refusal> {
    let robin = "robin".parse().unwrap();
    call_by(Caller::supposed(&robin, CredentialClass::ApiKey), ruleset, what, facts)
}

pub fn call_by(
    who: Caller<'_>,
    ruleset: &Ruleset,
    what: &str,
    facts: Facts<'_>,
) -> Result<Supposed, Refusal> {
    let (api, operation) = what.split_once('/').unwrap();
    let entry = ruleset.entry(&api.parse().unwrap()).unwrap();
    let known = entry.api().operations.iter().find(|one| one.id.as_str() == operation);
    ruleset.suppose(who, entry, known, facts, NOW)
}

//! A question, read: who, does what, on what, under which circumstances.

use std::net::IpAddr;

use base::{ApiId, IdentityId, OperationId, Problem, Timestamp};
use catalog::{ApiMode, Operation};
use identity::{Binding, CredentialClass, IdentityKind};
use policy::{Answers, ApiEntry, Ruleset};
use serde_json::Value;
use token::ClaimValues;
use traffic::{Authority, Reason, Target};

use super::facts::Given;
use super::judge::{Judged, judge};
use crate::calls::Sight;
use crate::input;
use crate::lookup::Wanted;
use crate::view::{AskedResource, AskedSubject, Decision, DecisionContext, Evaluation, Properties};

/// A type of subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SubjectType {
    /// Any identity.
    Identity,
    /// Identities of this kind.
    Kind(IdentityKind),
}

impl SubjectType {
    pub(super) fn of(word: &str) -> Option<Self> {
        match word {
            "identity" => Some(Self::Identity),
            "user" => Some(Self::Kind(IdentityKind::Person)),
            word => word.parse().ok().map(Self::Kind),
        }
    }

    pub(super) fn takes(self, kind: IdentityKind) -> bool {
        match self {
            Self::Identity => true,
            Self::Kind(wanted) => wanted == kind,
        }
    }
}

/// What is known of a subject whoever it is.
#[derive(Debug, Clone, Default)]
pub(super) struct Proof {
    pub(super) claims: ClaimValues,
    pub(super) class: Option<CredentialClass>,
    pub(super) binding: Option<Binding>,
    pub(super) scopes: Option<Vec<String>>,
}

/// Under which circumstances.
#[derive(Debug, Clone)]
pub(super) struct Circumstances {
    pub(super) now: Timestamp,
    pub(super) source: Option<IpAddr>,
    pub(super) proof: Proof,
}

impl Circumstances {
    pub(super) fn read(
        subject: Option<&Properties>,
        context: Option<&Properties>,
        now: Timestamp,
    ) -> Result<Self, Problem> {
        let text = |name: &str| text(context, name);
        let moment = |text: &str| {
            let bad = |error: base::time::BadTime| Problem::invalid("bad_time", error.to_string());
            Timestamp::parse(text).map_err(|error| bad(error).at("context.time"))
        };
        let address = |text: &str| {
            let bad = |_| Problem::invalid("bad_address", format!("`{text}` is no IP address"));
            text.parse().map_err(|error: std::net::AddrParseError| bad(error).at("context.ip"))
        };
        let class = text("credential_class")?.map(|word| input::word("credential_class", word));
        let binding = text("binding")?.map(|word| input::word("binding", word));
        let claims = object(subject, "claims", "subject.properties.claims")?;
        Ok(Self {
            now: text("time")?.map_or(Ok(now), moment)?,
            source: text("ip")?.map(address).transpose()?,
            proof: Proof {
                claims: claims.map(token::claim_values).unwrap_or_default(),
                class: class.transpose()?,
                binding: binding.transpose()?,
                scopes: scopes(context)?,
            },
        })
    }
}

/// A text in the context. `null` is not told.
fn text<'p>(context: Option<&'p Properties>, name: &str) -> Result<Option<&'p str>, Problem> {
    match context.and_then(|context| context.get(name)) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(not("a text", &format!("context.{name}"))),
    }
}

/// As `scope` of a token has them, or as a list.
fn scopes(context: Option<&Properties>) -> Result<Option<Vec<String>>, Problem> {
    let bad = || not("a list of texts", "context.scopes");
    match context.and_then(|context| context.get("scopes")) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => {
            Ok(Some(text.split_ascii_whitespace().map(str::to_owned).collect()))
        }
        Some(Value::Array(items)) => {
            let scope = |item: &Value| item.as_str().map(str::to_owned).ok_or_else(bad);
            items.iter().map(scope).collect::<Result<_, _>>().map(Some)
        }
        Some(_) => Err(bad()),
    }
}

/// An object among the properties.
pub(super) fn object<'p>(
    properties: Option<&'p Properties>,
    name: &str,
    place: &str,
) -> Result<Option<&'p Properties>, Problem> {
    match properties.and_then(|properties| properties.get(name)) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(object)) => Ok(Some(object)),
        Some(_) => Err(not("an object", place)),
    }
}

pub(super) fn not(what: &str, place: &str) -> Problem {
    Problem::invalid("bad_question", format!("not {what}")).at(place)
}

/// A resource.
#[derive(Debug, Clone)]
pub(super) enum Resource {
    /// An API, whose actions are operations.
    Api(ApiId),
    /// The target of a request, whose actions are methods.
    Route { target: Target, host: Option<Authority> },
}

impl Resource {
    /// `None`: a type or an id that nothing can have.
    pub(super) fn read(asked: &AskedResource) -> Result<Option<Self>, Problem> {
        match asked.kind.as_str() {
            "api" => Ok(asked.id.parse().ok().map(Self::Api)),
            "route" => Self::route(asked).map(Some),
            _ => Ok(None),
        }
    }

    /// A target as the gate reads it: what it would not take is no question.
    fn route(asked: &AskedResource) -> Result<Self, Problem> {
        let target = Target::parse(asked.id.as_bytes()).map_err(|reason| {
            let detail = format!("the gate refuses this target ({reason})");
            Problem::invalid("bad_target", detail)
                .at("resource.id")
                .hint("write a path as the gate forwards it: `/orders/42`")
        })?;
        let host = match asked.properties.as_ref().and_then(|known| known.get("host")) {
            None | Some(Value::Null) => None,
            Some(Value::String(host)) => {
                let bad = |_| not("a host name", "resource.properties.host");
                Some(Authority::parse(host.as_bytes()).map_err(bad)?)
            }
            Some(_) => return Err(not("a text", "resource.properties.host")),
        };
        if let (Some(host), Some(named)) = (&host, target.authority())
            && host != named
        {
            return Err(not("the host of the target", "resource.properties.host"));
        }
        Ok(Self::Route { host: host.or_else(|| target.authority().cloned()), target })
    }

    /// The API, and the operation of this name or method.
    pub(super) fn find<'r>(
        &self,
        ruleset: &'r Ruleset,
        action: &str,
    ) -> Option<(&'r ApiEntry, Option<&'r Operation>)> {
        match self {
            Self::Api(id) => {
                let entry = ruleset.entry(id)?;
                let wanted = OperationId::parse(action).ok();
                let operations = entry.api().operations.iter();
                let operation = wanted.and_then(|id| operations.into_iter().find(|o| o.id == id));
                Some((entry, operation))
            }
            Self::Route { target, host } => {
                let host = host.as_ref().map(Authority::host);
                let located = ruleset.locate(action, host, target.path());
                Some((located.api?, located.operation))
            }
        }
    }

    pub(super) fn target(&self) -> Option<&Target> {
        match self {
            Self::Api(_) => None,
            Self::Route { target, .. } => Some(target),
        }
    }
}

/// A subject.
#[derive(Debug, Clone)]
pub(super) struct Subject {
    /// `None`: a type or an id that nobody can have.
    pub(super) who: Option<(SubjectType, IdentityId)>,
}

impl Subject {
    pub(super) fn read(asked: &AskedSubject) -> Self {
        let id = asked.id.parse().ok();
        Self { who: SubjectType::of(&asked.kind).zip(id) }
    }

    /// The identity, where there is one of this type.
    pub(super) fn find(&self, ruleset: &Ruleset) -> Option<&IdentityId> {
        let (wanted, id) = self.who.as_ref()?;
        ruleset.kind_of(id).is_some_and(|kind| wanted.takes(kind)).then_some(id)
    }
}

/// A question, read.
#[derive(Debug, Clone)]
pub(super) struct Question {
    subject: Subject,
    action: String,
    resource: Option<Resource>,
    given: Given,
    circumstances: Circumstances,
}

impl Question {
    pub(super) fn read(asked: &Evaluation, now: Timestamp) -> Result<Self, Problem> {
        let properties = asked.subject.properties.as_ref();
        let resource = Resource::read(&asked.resource)?;
        let target = resource.as_ref().and_then(Resource::target);
        Ok(Self {
            given: Given::read(asked.resource.properties.as_ref(), target)?,
            circumstances: Circumstances::read(properties, asked.context.as_ref(), now)?,
            subject: Subject::read(&asked.subject),
            action: asked.action.name.clone(),
            resource,
        })
    }

    /// The answer, as far as those with this sight may know it. `Err`: sources have to be asked
    /// first.
    pub(super) fn answer(
        &self,
        ruleset: &Ruleset,
        sight: &Sight,
        answers: &Answers,
    ) -> Result<Decision, Wanted> {
        let found = self.resource.as_ref().and_then(|known| known.find(ruleset, &self.action));
        let api = found.map(|(entry, _)| &entry.api().id);
        let named = self.subject.who.as_ref().map(|(_, id)| id);
        let seen = seen(sight, named, api);
        if seen == Seen::Nothing {
            return Ok(Decision::default());
        }
        let Some(who) = self.subject.find(ruleset) else {
            return Ok(missing(seen, "subject"));
        };
        let Some(resource) = &self.resource else { return Ok(missing(seen, "resource")) };
        let Some((entry, operation)) = found else {
            return Ok(refused(seen, Reason::UnknownApi, ruleset));
        };
        let judged = judge(
            ruleset,
            who,
            (entry, operation),
            &self.given.of(resource, operation),
            &self.circumstances,
            answers,
        )?;
        Ok(rendered(judged, seen, entry.api().mode, ruleset))
    }
}

/// How much of an answer the asker may know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// Not even that there is one.
    Nothing,
    /// Who may call this API; of others nothing.
    Api,
    /// All that the caller itself may know.
    Caller,
    /// All of it.
    Everything,
}

pub(super) fn seen(sight: &Sight, who: Option<&IdentityId>, api: Option<&ApiId>) -> Seen {
    match sight {
        Sight::All => Seen::Everything,
        Sight::Own { identities, .. } if who.is_some_and(|who| identities.contains(who)) => {
            Seen::Caller
        }
        Sight::Own { apis, .. } if api.is_some_and(|api| apis.contains(api)) => Seen::Api,
        Sight::Own { .. } => Seen::Nothing,
    }
}

fn missing(seen: Seen, what: &str) -> Decision {
    match seen {
        Seen::Nothing | Seen::Api => Decision::default(),
        Seen::Caller | Seen::Everything => {
            Decision::none(404, format!("there is no such {what}; types and ids have to be right"))
        }
    }
}

fn refused(seen: Seen, reason: Reason, ruleset: &Ruleset) -> Decision {
    let refusal =
        policy::Refusal { reason, guardrails: Vec::new(), ruleset_version: ruleset.version() };
    rendered(Err(refusal), seen, ApiMode::Enforce, ruleset)
}

fn rendered(judged: Judged, seen: Seen, mode: ApiMode, ruleset: &Ruleset) -> Decision {
    let mut context = DecisionContext {
        mode: (mode == ApiMode::Observe).then(|| mode.to_string()),
        ruleset_version: Some(ruleset.version()),
        ..DecisionContext::default()
    };
    match judged {
        Ok(allowed) => {
            context.grants = allowed.grants;
            context.obligations = allowed.obligations;
            Decision { decision: true, context: Some(context) }
        }
        // That somebody is suspended, say, is no business of an API's owner.
        Err(_) if matches!(seen, Seen::Nothing | Seen::Api) => Decision::default(),
        Err(refusal) => {
            context.reason = Some(refusal.reason.to_string());
            if seen == Seen::Everything {
                context.guardrails = refusal.guardrails;
            }
            Decision { decision: false, context: Some(context) }
        }
    }
}

//! Questions and answers of the AuthZEN Authorization API 1.0. Members that are not known are
//! ignored, as it demands (§10.1.1).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// Members that each asker fills as it likes.
pub type Properties = Map<String, Value>;

/// Who is asked about (§5.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AskedSubject {
    /// `identity`, a kind of identity (`service_account`, …), or `user` for a person.
    #[serde(rename = "type")]
    pub kind: String,
    /// Id of the identity.
    pub id: String,
    /// `claims`: the claims of its token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object)]
    pub properties: Option<Properties>,
}

/// What is to be done (§5.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AskedAction {
    /// Of an `api` an operation's id, of a `route` a method.
    pub name: String,
}

/// On what (§5.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AskedResource {
    /// `api` or `route`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Id of the API, or the target of a request: `/orders/42?verbose=1`.
    pub id: String,
    /// Values for conditions: `path`, `query`, `header`, `body`; of a route also `host`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object)]
    pub properties: Option<Properties>,
}

/// A question (§6.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Evaluation {
    /// Who.
    pub subject: AskedSubject,
    /// Does what.
    pub action: AskedAction,
    /// On what.
    pub resource: AskedResource,
    /// Under which circumstances: `ip`, `time`, `credential_class`, `binding`, `scopes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object)]
    pub context: Option<Properties>,
}

/// Several questions (§7.1). Without `evaluations` it is one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Evaluations {
    /// Holds for each question that has none of its own; so do the next three.
    #[serde(default)]
    pub subject: Option<AskedSubject>,
    /// Does what.
    #[serde(default)]
    pub action: Option<AskedAction>,
    /// On what.
    #[serde(default)]
    pub resource: Option<AskedResource>,
    /// Under which circumstances.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub context: Option<Properties>,
    /// The questions. One that is wrong is answered as such, and the others are answered.
    #[serde(default)]
    #[schema(value_type = Vec<Evaluation>)]
    pub evaluations: Option<Vec<Value>>,
    /// How to go through them.
    #[serde(default)]
    pub options: Option<EvaluationOptions>,
}

/// How to go through several questions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EvaluationOptions {
    /// `execute_all` (default), `deny_on_first_deny` or `permit_on_first_permit`.
    #[serde(default)]
    pub evaluations_semantic: Option<String>,
}

/// Entities of one type, to be searched for: an id does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Sought {
    /// As in a question.
    #[serde(rename = "type")]
    pub kind: String,
    /// As in a question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object)]
    pub properties: Option<Properties>,
}

/// Who may do this? (§8.4)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SubjectSearch {
    /// Identities of this type.
    pub subject: Sought,
    /// Do what.
    pub action: AskedAction,
    /// On what.
    pub resource: AskedResource,
    /// Under which circumstances.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object)]
    pub context: Option<Properties>,
    /// Which part of the answer.
    #[serde(default, skip_serializing)]
    pub page: Option<PageAsked>,
}

/// On what may it do this? (§8.5)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ResourceSearch {
    /// Who.
    pub subject: AskedSubject,
    /// Does what.
    pub action: AskedAction,
    /// On resources of this type: `api`.
    pub resource: Sought,
    /// Under which circumstances.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object)]
    pub context: Option<Properties>,
    /// Which part of the answer.
    #[serde(default, skip_serializing)]
    pub page: Option<PageAsked>,
}

/// What may it do on this? (§8.6)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ActionSearch {
    /// Who.
    pub subject: AskedSubject,
    /// On what.
    pub resource: AskedResource,
    /// Under which circumstances.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object)]
    pub context: Option<Properties>,
    /// Which part of the answer.
    #[serde(default, skip_serializing)]
    pub page: Option<PageAsked>,
}

/// Which part of an answer (§8.2.1).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PageAsked {
    /// The `next_token` of the part before.
    #[serde(default)]
    pub token: Option<String>,
    /// Results at most; 1,000 are the most.
    #[serde(default)]
    pub limit: Option<u64>,
}

/// What the gate would say (§5.5).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Decision {
    /// Whether it would pass in enforce mode.
    pub decision: bool,
    /// Why, as far as the asker may know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<DecisionContext>,
}

/// Why, as far as the asker may know.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct DecisionContext {
    /// Why not: the gate's reason code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// `observe`: the gate refuses nobody on this API for want of a grant yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// The grants that would let it pass.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<String>,
    /// What must be done with the response; absent when it may be shown whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub obligations: Option<Obligations>,
    /// The guardrails that forbid it; told to those who read everything.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub guardrails: Vec<String>,
    /// The ruleset that answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ruleset_version: Option<u64>,
    /// Why there is no decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<QuestionError>,
}

/// What is wrong with one of several questions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QuestionError {
    /// As an HTTP status.
    pub status: u16,
    /// In words.
    pub message: String,
}

/// What must be done with the response. Who cannot do it must not let the request pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Obligations {
    /// What at least one of these shows may be seen: of the whole, and of each item of a list.
    pub shows: Vec<ShownPart>,
}

/// What one grant shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShownPart {
    /// Dotted names of the visible properties; absent = all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<Vec<String>>,
    /// Of the properties only texts, numbers and truth values are visible, and the objects and lists
    /// around them; a name `*` is any name that neither `fields` nor `except` has beside it. Absent:
    /// all that is in them is visible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub except: Option<Vec<String>>,
    /// Only objects and items with these values are visible.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ties: Vec<ShownTie>,
}

/// A value that an object must have to be visible.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShownTie {
    /// Where it stands (`tenant_id`, `items[].tenant`).
    pub place: String,
    /// What it must be one of.
    pub values: Vec<String>,
}

/// The answer to one or several questions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Evaluated {
    /// In their order; fewer where a semantic ended them early.
    Several {
        /// One for each question.
        evaluations: Vec<Decision>,
    },
    /// There was one.
    One(Decision),
}

/// What was found (§8.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Found<T> {
    /// Where to go on.
    pub page: PageFound,
    /// What answered.
    pub context: FoundContext,
    /// The entities, by their ids.
    pub results: Vec<T>,
}

/// Where to go on (§8.2.2).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PageFound {
    /// Ask for the next part with this; empty at the end.
    pub next_token: String,
    /// How many results are here.
    pub count: u64,
}

/// What answered a search.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FoundContext {
    /// The ruleset.
    pub ruleset_version: u64,
}

/// A subject or a resource that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FoundEntity {
    /// The type that was asked for.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its id.
    pub id: String,
}

/// An action that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FoundAction {
    /// Its name.
    pub name: String,
}

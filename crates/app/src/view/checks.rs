//! What is checked of an API's messages, as the doors show and take it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is checked of the messages of an API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChecksView {
    /// The file or address that the document came from.
    pub document: String,
    /// What becomes of requests that break it: `off`, `observe` or `enforce`.
    pub requests: String,
    /// The same for responses.
    pub responses: String,
    /// Objects in requests take only properties that some schema describes.
    pub closed: bool,
    /// The query takes only parameters that the operation lists.
    pub strict_query: bool,
    /// What is not checked, and why not.
    pub notes: Vec<String>,
}

/// What is to be checked; what is left out stays as it is, and is off at first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PutChecks {
    /// `off`, `observe` or `enforce`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<String>,
    /// `off`, `observe` or `enforce`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub responses: Option<String>,
    /// Objects in requests take only properties that some schema describes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed: Option<bool>,
    /// The query takes only parameters that the operation lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strict_query: Option<bool>,
}

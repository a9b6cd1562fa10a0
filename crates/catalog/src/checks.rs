//! What is kept of an API's document for checking messages against it, as a value. Compiles
//! nothing.

use base::{ApiId, words};
use serde::{Deserialize, Serialize};

words! {
    /// What becomes of messages that break the contract of an API.
    CheckMode {
        /// They are not looked at.
        Off = "off",
        /// They pass, and the record says what is wrong.
        Observe = "observe",
        /// They are refused.
        Enforce = "enforce",
    }
}

/// What a contract is compiled from, and what it is used for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContractSource {
    /// Whose it is.
    pub api: ApiId,
    /// The file or address that the document came from.
    pub name: String,
    /// The document, as it came.
    pub document: String,
    /// What becomes of requests.
    pub requests: CheckMode,
    /// What becomes of responses.
    pub responses: CheckMode,
    /// Objects in requests take only properties that some schema describes.
    pub closed: bool,
    /// The query takes only parameters that the operation lists.
    pub strict_query: bool,
}

impl ContractSource {
    /// A document that nothing is checked against so far.
    pub fn unchecked(api: ApiId, name: String, document: String) -> Self {
        let (requests, responses) = (CheckMode::Off, CheckMode::Off);
        Self { api, name, document, requests, responses, closed: false, strict_query: false }
    }

    /// Whether anything is checked.
    pub fn is_used(&self) -> bool {
        self.requests != CheckMode::Off || self.responses != CheckMode::Off
    }
}

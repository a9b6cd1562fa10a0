//! Guardrails as they are written and kept: texts in Cedar, under names. What they mean is not
//! known here.

use std::collections::BTreeMap;

use base::Timestamp;
use serde::{Deserialize, Serialize};

/// All guardrails, as one value with one version: what forbids is published whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guardrails {
    /// Grows by one with each change; 0 = never written.
    pub version: u32,
    /// Cedar policies by the name of their file, e.g. `payments.cedar`.
    pub files: BTreeMap<String, String>,
    /// When it was published.
    pub updated_at: Timestamp,
    /// Who published it.
    pub updated_by: String,
}

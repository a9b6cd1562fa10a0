//! What headers, messages and the store call a limit.

use std::fmt;

use super::{Calendar, Measure, Scope, Window};

/// The name of a limit: closed, so that it needs no memory of its own and can be part of a key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(u8);

/// How many limits one scope can have.
const MEASURES: u8 = 6;

macro_rules! names {
    ($($scope:literal),*) => {
        [$(
            concat!("per-", $scope),
            concat!("per-", $scope, "-minute"),
            concat!("per-", $scope, "-hour"),
            concat!("per-", $scope, "-day"),
            concat!("per-", $scope, "-month"),
            concat!("per-", $scope, "-concurrent"),
        )*]
    };
}

/// In the order of [`Scope`], and of the measures.
const NAMES: [&str; 36] = names!("identity", "credential", "grant", "operation", "source", "api");

impl Name {
    pub(super) const fn of(scope: Scope, measure: Measure) -> Self {
        let measure = match measure {
            Measure::Rate { window: Window::Second, .. } => 0,
            Measure::Rate { window: Window::Minute, .. } => 1,
            Measure::Rate { window: Window::Hour, .. } => 2,
            Measure::Quota { calendar: Calendar::Day, .. } => 3,
            Measure::Quota { calendar: Calendar::Month, .. } => 4,
            Measure::Concurrent { .. } => 5,
        };
        Self(scope as u8 * MEASURES + measure)
    }

    /// The name as text.
    pub fn as_str(self) -> &'static str {
        NAMES.get(usize::from(self.0)).copied().unwrap_or_default()
    }

    /// The name with this text.
    pub fn find(text: &str) -> Option<Self> {
        let at = NAMES.iter().position(|name| *name == text)?;
        u8::try_from(at).ok().map(Self)
    }

    /// Whose use the limit counts together.
    pub fn scope(self) -> Scope {
        let at = usize::from(self.0 / MEASURES);
        Scope::ALL.get(at).copied().unwrap_or(Scope::Api)
    }

    /// It counts days or months.
    pub const fn is_quota(self) -> bool {
        matches!(self.0 % MEASURES, 3 | 4)
    }

    /// It counts requests at the same time.
    pub const fn is_concurrent(self) -> bool {
        self.0 % MEASURES == 5
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

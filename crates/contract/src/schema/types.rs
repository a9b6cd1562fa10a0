//! The types of JSON values, as sets.

use serde_json::Value;

use super::number;

/// A set of types. Of numbers, integers are told apart from those that are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Types(u8);

/// The types, with the words that a document and a sentence have for them.
const WORDS: [(Types, &str, &str); 7] = [
    (Types::NULL, "null", "`null`"),
    (Types::BOOLEAN, "boolean", "a boolean"),
    (Types::NUMBER, "number", "a number"),
    (Types::INTEGER, "integer", "an integer"),
    (Types::STRING, "string", "a string"),
    (Types::ARRAY, "array", "an array"),
    (Types::OBJECT, "object", "an object"),
];

impl Types {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const ALL: Self = Self(0x7f);
    pub(crate) const NULL: Self = Self(1);
    pub(crate) const BOOLEAN: Self = Self(2);
    pub(crate) const INTEGER: Self = Self(4);
    /// Numbers that are no integers.
    pub(crate) const FRACTION: Self = Self(8);
    pub(crate) const NUMBER: Self = Self(4 | 8);
    pub(crate) const STRING: Self = Self(16);
    pub(crate) const ARRAY: Self = Self(32);
    pub(crate) const OBJECT: Self = Self(64);

    /// What a document's word stands for.
    pub(crate) fn of_word(word: &str) -> Option<Self> {
        WORDS.iter().find(|(_, known, _)| *known == word).map(|(types, _, _)| *types)
    }

    /// The type of a value. As JSON Schema has it, `1.0` is an integer.
    pub(crate) fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::NULL,
            Value::Bool(_) => Self::BOOLEAN,
            Value::Number(number) if number::is_integer(number) => Self::INTEGER,
            Value::Number(_) => Self::FRACTION,
            Value::String(_) => Self::STRING,
            Value::Array(_) => Self::ARRAY,
            Value::Object(_) => Self::OBJECT,
        }
    }

    pub(crate) fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether both have a type in common.
    pub(crate) fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    #[must_use]
    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    #[must_use]
    pub(crate) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// For a sentence: `a string or an integer`.
    pub(crate) fn words(self) -> String {
        // A number that is no integer cannot be said on its own.
        let mut left = if self.has(Self::FRACTION) { self.or(Self::NUMBER) } else { self };
        let mut words = Vec::new();
        for (types, _, word) in WORDS {
            if left.has(types) {
                words.push(word);
                left = Self(left.0 & !types.0);
            }
        }
        words.join(" or ")
    }
}

impl Default for Types {
    fn default() -> Self {
        Self::ALL
    }
}

//! Closed lists of words: one enum variant, one text form, in JSON, on the command line and in the
//! store alike.

pub use serde::{self, Deserialize, Serialize};

/// A word that is not in the list of words of its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is not one of: {allowed}")]
pub struct UnknownWord {
    /// What was written.
    pub word: String,
    /// The words that exist.
    pub allowed: String,
}

/// Declares an enum whose variants have one text form each, in `snake_case`, used in JSON, on the
/// command line and in the store alike.
#[macro_export]
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive($crate::words::Serialize, $crate::words::Deserialize)]
        #[serde(crate = "base::words::serde")]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $word)] $variant,)*
        }

        impl $name {
            /// Every variant, in order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word for it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::words::UnknownWord;
            fn from_str(word: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|known| known.as_str() == word).ok_or_else(|| {
                    let allowed: Vec<_> = Self::ALL.iter().map(|known| known.as_str()).collect();
                    $crate::words::UnknownWord { word: word.to_owned(), allowed: allowed.join(", ") }
                })
            }
        }
    };
}

//! Relations that are looked up: a source outside is asked about one object at a time, by whoever
//! asks for the decision. The decision says what it would have to know, is asked again with the
//! answers, and never guesses. This module asks nobody.

use std::collections::BTreeMap;

use base::words;

/// How many questions one decision may depend on. A request that names more objects than that is
/// not worth as many requests of ours.
pub const LOOKUPS_MAX: usize = 16;

/// Longest name of an object that is asked about, in bytes. Nobody has to do with a longer one.
pub const OBJECT_BYTES_MAX: usize = 512;

/// What a source is asked: has the caller this relation to this object? Whose caller and which API
/// it is about is known to whoever asks for the decision.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lookup {
    /// The relation.
    pub relation: String,
    /// The object, as the request names it.
    pub object: String,
}

words! {
    /// What came of a question.
    Answer {
        /// The caller has the relation to the object.
        Related = "related",
        /// It has not.
        Unrelated = "unrelated",
        /// The source did not say. Holds as little as `unrelated`, and is told apart from it.
        Unknown = "unknown",
    }
}

/// The answers that a decision is made with: those to questions about one caller on one API.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers(BTreeMap<Lookup, Answer>);

/// Of which nothing was asked.
pub(crate) static NO_ANSWERS: Answers = Answers(BTreeMap::new());

impl Answers {
    /// What was answered, if it was asked.
    pub fn get(&self, lookup: &Lookup) -> Option<Answer> {
        self.0.get(lookup).copied()
    }

    /// Adds an answer.
    pub fn put(&mut self, lookup: Lookup, answer: Answer) {
        self.0.insert(lookup, answer);
    }

    /// All of them, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&Lookup, Answer)> {
        self.0.iter().map(|(lookup, answer)| (lookup, *answer))
    }

    /// The objects that the caller has this relation to, as far as was asked.
    pub fn objects<'a>(&'a self, relation: &'a str) -> impl Iterator<Item = &'a str> {
        let related = self.iter().filter(move |(lookup, answer)| {
            lookup.relation == relation && *answer == Answer::Related
        });
        related.map(|(lookup, _)| lookup.object.as_str())
    }
}

//! Long answers in parts. A token says after which result to go on, and which question it belongs
//! to: with another one it is refused (AuthZEN §8.2).

use base::{Digest, Problem, encoding};
use serde::Serialize;

use crate::view::{PageAsked, PageFound};

/// Results of a part unless asked otherwise, and at most.
const RESULTS: usize = 100;
const RESULTS_MAX: usize = 1_000;

/// A part of an answer, and what is in it.
pub(super) type Listed = (PageFound, Vec<String>);

/// What becomes of a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    /// Listed.
    Yes,
    /// Not listed, and not to be told of.
    No,
    /// Not known yet. The part is of no use before it is.
    Open,
    /// Not known, and not to be asked about for this part, which ends before it.
    Enough,
}

/// Where a part begins and how long it may be.
#[derive(Debug, Clone)]
pub(super) struct Cursor {
    after: String,
    /// Candidates after that which are done with. Their names are not told: they are not listed.
    skip: usize,
    limit: usize,
    question: Digest,
}

impl Cursor {
    /// Of a question, which is everything but the page.
    pub(super) fn read(
        asked: Option<&PageAsked>,
        question: &impl Serialize,
    ) -> Result<Self, Problem> {
        let text = serde_json::to_vec(question)
            .map_err(|error| Problem::internal(format!("a question has no text: {error}")))?;
        let question = Digest::of(&[&text]);
        let wanted = asked.and_then(|page| page.limit);
        let limit = wanted.map(|limit| usize::try_from(limit).unwrap_or(RESULTS_MAX));
        let limit = limit.map(|limit| limit.min(RESULTS_MAX));
        let token = asked.and_then(|page| page.token.as_deref()).filter(|token| !token.is_empty());
        let Some(token) = token else {
            return Ok(Self {
                after: String::new(),
                skip: 0,
                limit: limit.unwrap_or(RESULTS),
                question,
            });
        };
        let bad = |why: &str| Problem::invalid("bad_page_token", why).at("page.token");
        let before =
            Self::parse(token).ok_or_else(|| bad("this is no `next_token` of an answer"))?;
        if before.question != question || limit.is_some_and(|limit| limit != before.limit) {
            return Err(bad("the token belongs to another question")
                .hint("ask for the next part with the question of the first"));
        }
        Ok(before)
    }

    fn parse(token: &str) -> Option<Self> {
        let text = String::from_utf8(encoding::from_hex(token)?).ok()?;
        let (limit, rest) = text.split_once(' ')?;
        let (skip, rest) = rest.split_once(' ')?;
        let (question, after) = rest.split_once(' ')?;
        let limit: usize = limit.parse().ok().filter(|limit| *limit <= RESULTS_MAX)?;
        let (after, skip) = (after.to_owned(), skip.parse().ok()?);
        Some(Self { after, skip, limit, question: Digest::from_hex(question)? })
    }

    fn text(&self, after: &str, skip: usize) -> String {
        let Self { limit, question, .. } = self;
        encoding::to_hex(format!("{limit} {skip} {question} {after}").as_bytes())
    }

    /// Takes a part of what `keep` keeps of the names, which are sorted.
    pub(super) fn take<'n>(
        &self,
        names: impl Iterator<Item = &'n str>,
        mut keep: impl FnMut(&str) -> Kept,
    ) -> Listed {
        let (mut found, mut open) = (Vec::new(), 0);
        let mut next_token = String::new();
        let (mut after, mut skip) = (self.after.as_str(), self.skip);
        for name in names.filter(|name| *name > self.after.as_str()).skip(self.skip) {
            match keep(name) {
                Kept::No => skip += 1,
                Kept::Open => open += 1,
                Kept::Yes if found.len() < self.limit => {
                    found.push(name.to_owned());
                    (after, skip) = (name, 0);
                }
                Kept::Yes | Kept::Enough => {
                    next_token = self.text(after, skip);
                    break;
                }
            }
            if found.len() + open > self.limit {
                break;
            }
        }
        (PageFound { next_token, count: found.len() as u64 }, found)
    }
}

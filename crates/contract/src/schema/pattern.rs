//! Compiled patterns, each once for a document, however often it stands there.

use std::sync::Arc;

use base::Problem;
use catalog::openapi::Node;
use regex::{Regex, RegexBuilder};
use rustc_hash::FxHashMap;

use super::{Pattern, ecma};

/// How many different patterns a document may have.
const PATTERNS_MAX: usize = 2_000;
/// How large a compiled pattern may be, and its cache per thread, in bytes.
const COMPILED_BYTES_MAX: usize = 4 * 1024 * 1024;
const CACHE_BYTES_MAX: usize = 256 * 1024;

#[derive(Default)]
pub(crate) struct Patterns {
    known: FxHashMap<String, Arc<Regex>>,
}

impl Patterns {
    /// Compiles the pattern that `node` or the name of it is. Refuses what the linear engine
    /// cannot say, and what is too large.
    pub(crate) fn compile(&mut self, text: &str, node: &Node<'_>) -> Result<Pattern, Problem> {
        if let Some(regex) = self.known.get(text) {
            return Ok(Pattern { text: text.into(), regex: Arc::clone(regex) });
        }
        if self.known.len() >= PATTERNS_MAX {
            let detail = format!("the document has more than {PATTERNS_MAX} different patterns");
            return Err(node
                .problem("too_many_patterns", detail)
                .hint("remove some, or split the API"));
        }
        let said = ecma::translate(text).map_err(|why| {
            node.problem("unsupported_pattern", format!("the pattern `{text}` {why}"))
                .hint("patterns run without searching back: write it without, or remove it")
        })?;
        let built = RegexBuilder::new(&said)
            .size_limit(COMPILED_BYTES_MAX)
            .dfa_size_limit(CACHE_BYTES_MAX)
            .build();
        let regex = Arc::new(built.map_err(|why| bad(text, &why, node))?);
        self.known.insert(text.to_owned(), Arc::clone(&regex));
        Ok(Pattern { text: text.into(), regex })
    }
}

fn bad(text: &str, why: &regex::Error, node: &Node<'_>) -> Problem {
    if let regex::Error::CompiledTooBig(_) = why {
        return node
            .problem("pattern_too_large", format!("the pattern `{text}` takes too much memory"))
            .hint("repeat less in it, or say lengths with `maxLength`");
    }
    let message = why.to_string();
    // The engine draws the pattern with a mark under it; its last line is the sentence.
    let last = message.lines().last().unwrap_or_default().trim_start_matches("error: ");
    node.problem("bad_pattern", format!("`{text}` is no pattern: {last}"))
        .hint("write a regular expression of ECMA-262")
}

//! Limits of APIs, and what the gate bears.

use std::collections::BTreeMap;

use base::Span;
use toml::Spanned;
use traffic::Limit;
use traffic::limit::COST_MAX;

use super::Reader;
use crate::config::diagnostic::Diagnostic;
use crate::config::raw::{OneOrMore, RawOverload};

impl Reader<'_> {
    /// The shape was checked: each is a limit. Together they may still be too many.
    pub(super) fn limits(&mut self, given: Option<Spanned<OneOrMore>>) -> Vec<String> {
        let Some(given) = given else { return Vec::new() };
        let span = given.span();
        let texts = match given.into_inner() {
            OneOrMore::One(text) => vec![text],
            OneOrMore::More(texts) => texts,
        };
        let limits: Vec<Limit> = texts.iter().flat_map(|text| text.parse()).collect();
        if let Err(problem) = Limit::check_list(&limits) {
            self.found
                .push(Diagnostic { hint: problem.hint, ..Diagnostic::new(problem.detail, span) });
        }
        texts
    }

    pub(super) fn costs(&mut self, given: BTreeMap<String, Spanned<i64>>) -> BTreeMap<String, u32> {
        let mut costs = BTreeMap::new();
        for (operation, cost) in given {
            match u32::try_from(*cost.get_ref()).ok().filter(|cost| *cost <= COST_MAX) {
                Some(cost) => {
                    costs.insert(operation, cost);
                }
                None => {
                    let what = format!("a cost of {} cannot be counted", cost.get_ref());
                    self.wrong(what, cost.span(), format!("at most {COST_MAX}"));
                }
            }
        }
        costs
    }

    pub(super) fn overload(&mut self, raw: RawOverload) -> (u64, Span) {
        let usual = proxy::Limits::default();
        let in_flight = raw.in_flight.as_ref().map(|given| {
            let count = u64::try_from(*given.get_ref()).unwrap_or_default();
            if count == 0 {
                self.wrong("a gate must bear a request", given.span(), "write at least 1");
            }
            count
        });
        let delay = raw.delay.as_ref().and_then(|given| {
            // The shape was checked: this is a duration.
            let span = Span::parse(given.get_ref()).ok()?;
            if span.as_micros() == 0 {
                self.wrong("no gate is never late", given.span(), "write more than 0s");
            }
            Some(span)
        });
        (in_flight.unwrap_or(usual.in_flight), delay.unwrap_or(usual.delay))
    }
}

//! Allowed values, numbers and strings.

use std::cmp::Ordering;

use serde_json::{Number, Value};

use super::{At, Run};
use crate::schema::{Limit, Numbers, Schema, Texts, number, values};
use crate::violation::Rule;

/// How many of the allowed values a sentence lists, and how long one may be there.
const LISTED_MAX: usize = 8;
const LISTED_CHARS_MAX: usize = 40;
/// Bytes of a text that are looked at in one step.
const BYTES_PER_STEP: usize = 64;

impl Run<'_> {
    /// `enum` and `const`.
    pub(super) fn listed(&mut self, at: At<'_, '_>, schema: &Schema) -> bool {
        if let Some(listed) = schema.one_of.as_deref() {
            self.pay(listed.len() / 8);
            if !listed.iter().any(|one| values::equal(one, at.value)) {
                return self.fail(at, Rule::WrongValue, || format!("must be {}", choice(listed)));
            }
        }
        match schema.constant.as_deref() {
            Some(constant) if !values::equal(constant, at.value) => {
                let expected = || format!("must be {}", choice(std::slice::from_ref(constant)));
                self.fail(at, Rule::WrongValue, expected)
            }
            _ => true,
        }
    }

    pub(super) fn number(&mut self, at: At<'_, '_>, rules: &Numbers, value: &Number) -> bool {
        let mut ok = true;
        for limit in &rules.limits {
            let (fits, word, limit) = match limit {
                Limit::AtLeast(least) => (number::order(value, least).is_ge(), "at least", least),
                Limit::MoreThan(low) => (number::order(value, low).is_gt(), "more than", low),
                Limit::AtMost(most) => (number::order(value, most).is_le(), "at most", most),
                Limit::LessThan(high) => {
                    (number::order(value, high) == Ordering::Less, "less than", high)
                }
            };
            if !fits {
                ok = self.fail(at, Rule::WrongValue, || format!("must be {word} {limit}"));
            }
        }
        if let Some(step) = &rules.step
            && !number::is_multiple(value, step)
        {
            ok = self.fail(at, Rule::WrongValue, || format!("must be a multiple of {step}"));
        }
        if let Some(format) = rules.format
            && !format.fits(value)
        {
            ok = self.fail(at, Rule::WrongValue, || format!("must fit into {}", format.word()));
        }
        ok
    }

    pub(super) fn text(&mut self, at: At<'_, '_>, rules: &Texts, text: &str) -> bool {
        if !self.pay(text.len() / BYTES_PER_STEP) {
            return false;
        }
        let mut ok = self.length(at, rules, text);
        if let Some(pattern) = &rules.pattern
            && self.goes_on(ok)
            && !pattern.regex.is_match(text)
        {
            ok = self.fail(at, Rule::WrongValue, || {
                format!("must match the pattern `{}`", brief(&pattern.text))
            });
        }
        if let Some(format) = rules.format
            && self.goes_on(ok)
            && !format.fits(text)
        {
            let expected = || format!("must have the format `{}`", format.word());
            ok = self.fail(at, Rule::WrongValue, expected);
        }
        ok
    }

    fn length(&mut self, at: At<'_, '_>, rules: &Texts, text: &str) -> bool {
        if rules.length_min.is_none() && rules.length_max.is_none() {
            return true;
        }
        let length = text.chars().count();
        self.size(at, (rules.length_min, rules.length_max), length, "character")
    }

    /// A number of things within limits that both count.
    pub(super) fn size(
        &mut self,
        at: At<'_, '_>,
        (least, most): (Option<u64>, Option<u64>),
        count: usize,
        thing: &str,
    ) -> bool {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        let (word, limit) = match (least, most) {
            (Some(least), _) if count < least => ("at least", least),
            (_, Some(most)) if count > most => ("at most", most),
            _ => return true,
        };
        let s = if limit == 1 { "" } else { "s" };
        self.fail(at, Rule::WrongValue, || format!("must have {word} {limit} {thing}{s}"))
    }
}

/// The allowed values, for a sentence.
fn choice(values: &[Value]) -> String {
    let word = |value: &Value| match value {
        Value::String(text) => format!("`{}`", brief(text)),
        other => format!("`{}`", brief(&other.to_string())),
    };
    let words: Vec<String> = values.iter().take(LISTED_MAX).map(word).collect();
    let more = if values.len() > LISTED_MAX { ", …" } else { "" };
    let one_of = if values.len() == 1 { "" } else { "one of " };
    format!("{one_of}{}{more}", words.join(", "))
}

fn brief(text: &str) -> String {
    let mut out: String = text.chars().take(LISTED_CHARS_MAX).collect();
    if text.chars().nth(LISTED_CHARS_MAX).is_some() {
        out.push('…');
    }
    out
}

//! Judging a request. `None` wherever Cedar would raise an error, or nobody can tell yet: then Cedar
//! is asked, which says what is the matter.

use std::borrow::Cow;
use std::cell::OnceCell;

use cedar_policy::pst::PatternElem;
use grant::Place;
use grant::window::week_minute;
use policy::{Question, Reading};
use smallvec::SmallVec;

use super::{
    Action, Number, OfApi, OfPrincipal, Order, Principal, Resource, Set, Swift, Text, Truth,
};
use crate::{asked, moment, names};

/// Cedar cannot write times before the year 0 and after 9999.
const MILLIS: std::ops::RangeInclusive<i64> = -62_167_219_200_000..=253_402_300_799_999;

/// A request that several guardrails are asked about. What they look at is read once, when the first
/// of them does.
pub(crate) struct Asking<'a> {
    question: &'a Question<'a>,
    places: &'a [Place],
    readings: SmallVec<[OnceCell<Reading<'a>>; 4]>,
    /// What is asked, and the groups that it is in.
    action: OnceCell<(String, Vec<String>)>,
}

impl<'a> Asking<'a> {
    /// `places`: whatever the guardrails look at of the request.
    pub(crate) fn new(question: &'a Question<'a>, places: &'a [Place]) -> Self {
        let readings = places.iter().map(|_| OnceCell::new()).collect();
        Self { question, places, readings, action: OnceCell::new() }
    }

    /// The values at a place; `None` when they cannot be read now.
    fn read(&self, place: &Place) -> Option<&[Cow<'a, str>]> {
        let known = self.places.iter().zip(&self.readings).find(|(known, _)| *known == place);
        let (known, reading) = known?;
        match reading.get_or_init(|| self.question.facts.request.read(known)) {
            Reading::Values(values) => Some(values),
            Reading::Later | Reading::Unreadable => None,
        }
    }

    fn action(&self) -> &(String, Vec<String>) {
        self.action.get_or_init(|| {
            let (api, operation) = (self.question.api, self.question.operation);
            (names::action_of(api, operation), names::groups_of(api, operation))
        })
    }
}

impl Swift {
    /// Whether it forbids.
    pub(crate) fn forbids(&self, asking: &Asking<'_>) -> Option<bool> {
        if !(self.resource.fits(asking) && self.principal.fits(asking) && self.action.fits(asking))
        {
            return Some(false);
        }
        // Where one of them cannot be read the whole is judged otherwise, whichever would be reached.
        if !self.places.iter().all(|place| asking.read(place).is_some()) {
            return None;
        }
        for (wanted, condition) in &self.conditions {
            if condition.holds(asking)? != *wanted {
                return Some(false);
            }
        }
        Some(true)
    }
}

impl Principal {
    fn fits(&self, asking: &Asking<'_>) -> bool {
        let question = asking.question;
        match self {
            Self::Any => true,
            Self::Is(id) => question.who.identity().as_str() == id,
            Self::In(group) => question.groups.iter().any(|known| known.as_str() == group),
        }
    }
}

impl Action {
    fn fits(&self, asking: &Asking<'_>) -> bool {
        match self {
            Self::Any => true,
            Self::Is(name) => asking.action().0 == *name,
            Self::In(groups) => {
                let (own, within) = asking.action();
                groups.iter().any(|group| group == own || within.contains(group))
            }
        }
    }
}

impl Resource {
    fn fits(&self, asking: &Asking<'_>) -> bool {
        match self {
            Self::Any => true,
            Self::Is(id) => asking.question.api.id.as_str() == id,
        }
    }
}

impl Truth {
    fn holds(&self, asking: &Asking<'_>) -> Option<bool> {
        Some(match self {
            Self::Known(value) => *value,
            Self::Not(truth) => !truth.holds(asking)?,
            Self::All(parts) => {
                for part in parts {
                    if !part.holds(asking)? {
                        return Some(false);
                    }
                }
                true
            }
            Self::Any(parts) => {
                for part in parts {
                    if part.holds(asking)? {
                        return Some(true);
                    }
                }
                false
            }
            Self::Choose(three) => {
                let [condition, then, otherwise] = three.as_ref();
                if condition.holds(asking)? { then } else { otherwise }.holds(asking)?
            }
            Self::HasText(text) => text.value(asking).is_some(),
            Self::HasSet(set) => set.is_there(asking)?,
            Self::HasSource => asking.question.facts.source.is_some(),
            Self::Same(one, other) => one.value(asking)? == other.value(asking)?,
            Self::Compare(order, one, other) => {
                let (one, other) = (one.value(asking)?, other.value(asking)?);
                match order {
                    Order::Equal => one == other,
                    Order::Less => one < other,
                    Order::AtMost => one <= other,
                }
            }
            Self::Contains(set, text) => {
                set.must_be_there(asking)?;
                set.has(asking, &text.value(asking)?)
            }
            Self::ContainsAll(set, other) => {
                set.must_be_there(asking)?;
                other.must_be_there(asking)?;
                other.all(asking, |text| set.has(asking, text))
            }
            Self::ContainsAny(set, other) => {
                set.must_be_there(asking)?;
                other.must_be_there(asking)?;
                !other.all(asking, |text| !set.has(asking, text))
            }
            Self::IsEmpty(set) => {
                set.must_be_there(asking)?;
                set.all(asking, |_| false)
            }
            Self::InRange(network) => {
                let source = asking.question.facts.source?.to_canonical();
                network.contains(&source)
            }
            Self::Like(text, pattern) => like(&text.value(asking)?, pattern),
            Self::Principal(principal) => principal.fits(asking),
            Self::Action(action) => action.fits(asking),
            Self::Resource(resource) => resource.fits(asking),
        })
    }
}

impl Text {
    /// `None` when it is absent.
    fn value<'a>(&'a self, asking: &'a Asking<'_>) -> Option<Cow<'a, str>> {
        let Question { who, about, api, .. } = asking.question;
        Some(Cow::Borrowed(match self {
            Self::Literal(text) => text.as_str(),
            Self::CredentialClass => who.class().as_str(),
            Self::Strength => who.class().strength(who.binding()).as_str(),
            Self::Binding => who.binding()?.as_str(),
            Self::OfPrincipal(member) => match member {
                OfPrincipal::Id => who.identity().as_str(),
                OfPrincipal::Kind => about.kind.as_str(),
                OfPrincipal::Environment => about.environment.as_str(),
                OfPrincipal::Owner => {
                    return about.owner.as_ref().map(|own| own.to_string().into());
                }
                OfPrincipal::Vendor => about.vendor.as_deref()?,
                OfPrincipal::Email => about.email.as_deref()?,
            },
            Self::OfApi(member) => match member {
                OfApi::Name => api.name.as_str(),
                OfApi::Impact => api.impact.as_str(),
                OfApi::Mode => api.mode.as_str(),
                OfApi::Environment => api.environment.as_str(),
                OfApi::Owner => api.owner.as_deref()?,
            },
        }))
    }
}

impl Number {
    fn value(self, asking: &Asking<'_>) -> Option<i64> {
        let Question { facts, now, .. } = asking.question;
        let (millis, beyond) = moment::split(*now);
        Some(match self {
            Self::Literal(value) => value,
            Self::Now => Some(millis).filter(|millis| MILLIS.contains(millis))?,
            Self::NowMicros => beyond,
            Self::WeekMinute => week_minute(*now).into(),
            Self::Draw => facts.draw.into(),
        })
    }
}

impl Set {
    /// Whether there is such a member; one of the request, a claim, an attribute or a relation
    /// without values is none. `None` when nobody can tell yet.
    fn is_there(&self, asking: &Asking<'_>) -> Option<bool> {
        let Question { who, about, related, .. } = asking.question;
        Some(match self {
            Self::Literal(_) | Self::Accept => true,
            Self::Place(place) => !asking.read(place)?.is_empty(),
            Self::Claim(_) if !who.knows_claims() => return None,
            Self::Claim(name) => !who.claim(name).is_empty(),
            Self::Attribute(name) => {
                about.attributes.get(name).is_some_and(|values| !values.is_empty())
            }
            Self::Related(name) => related.objects(name).next().is_some(),
        })
    }

    /// For Cedar it is an error to look at what is absent.
    fn must_be_there(&self, asking: &Asking<'_>) -> Option<()> {
        self.is_there(asking)?.then_some(())
    }

    /// Whether a text is in the set, which is there.
    fn has(&self, asking: &Asking<'_>, text: &str) -> bool {
        match self {
            // As many objects as there are, and found at once.
            Self::Related(name) => asking.question.related.contains(name, text),
            _ => !self.all(asking, |known| known != text),
        }
    }

    /// Whether something is so of each text in the set, which is there.
    fn all(&self, asking: &Asking<'_>, mut is_so: impl FnMut(&str) -> bool) -> bool {
        let Question { who, about, related, api, .. } = asking.question;
        match self {
            Self::Literal(texts) => texts.iter().all(|text| is_so(text)),
            Self::Accept => asked::accepted(api).all(is_so),
            Self::Place(place) => {
                asking.read(place).into_iter().flatten().all(|value| is_so(value.as_ref()))
            }
            Self::Claim(name) => who.claim(name).iter().all(|value| is_so(value)),
            Self::Attribute(name) => {
                about.attributes.get(name).into_iter().flatten().all(|value| is_so(value))
            }
            Self::Related(name) => related.objects(name).all(is_so),
        }
    }
}

/// Whether a text fits a pattern; a wildcard stands for any number of characters. What was tried is
/// tried again from one character further, at the last wildcard alone: that is enough, and bounded by
/// the product of both lengths.
fn like(text: &str, pattern: &[PatternElem]) -> bool {
    let text: SmallVec<[char; 64]> = text.chars().collect();
    let (mut at, mut part) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while let Some(here) = text.get(at) {
        match pattern.get(part) {
            Some(PatternElem::Wildcard) => {
                retry = Some((at, part));
                part += 1;
            }
            Some(PatternElem::Char(wanted)) if wanted == here => {
                at += 1;
                part += 1;
            }
            _ => {
                let Some((from, wildcard)) = retry else { return false };
                retry = Some((from + 1, wildcard));
                at = from + 1;
                part = wildcard + 1;
            }
        }
    }
    pattern.iter().skip(part).all(|rest| *rest == PatternElem::Wildcard)
}

#[cfg(test)]
mod tests;

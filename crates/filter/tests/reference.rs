//! The filter beside a naive one over whole documents: what goes out, what is removed and what
//! passes must be the same, for any plan, any document and any pieces.

mod common;

use std::collections::BTreeSet;

use common::{Dice, Doc, Done, Style};
use filter::{Alternative, Fields, Filter, Limits, Mode, Trouble};
use proptest::prelude::*;

/// A step of a path, or of the place of a value.
#[derive(Debug, Clone, PartialEq)]
enum Step {
    Name(String),
    Any,
    Item,
}

fn steps(path: &str) -> Vec<Step> {
    let hidden = path.replace("\\.", "\u{0}");
    let mut steps = Vec::new();
    for segment in hidden.split('.') {
        let name = segment.trim_end_matches("[]");
        match name {
            "" => {}
            "*" => steps.push(Step::Any),
            _ => steps.push(Step::Name(name.replace('\u{0}', "."))),
        }
        steps.extend((0..(segment.len() - name.len()) / 2).map(|_| Step::Item));
    }
    steps
}

fn leads(pattern: &[Step], place: &[Step]) -> bool {
    let same = |(expected, step): (&Step, &Step)| {
        expected == step || (*expected == Step::Any && *step != Step::Item)
    };
    pattern.len() == place.len() && pattern.iter().zip(place).all(same)
}

/// What is asked of a value.
enum Asked {
    OneOf(BTreeSet<String>),
    List,
}

/// Visible paths, and all that a document has if only its values are shown.
struct Paths(Vec<Vec<Step>>, Option<Vec<Vec<Step>>>);

/// An alternative, read once.
struct Read {
    /// `None` is everything.
    fields: Option<Paths>,
    /// What each judges, the names from there, and what is asked.
    ties: Vec<(Vec<Step>, Vec<String>, Asked)>,
}

impl Paths {
    /// Whether the first names of a path lead along these.
    fn leads(&self, path: &[Step], names: &[Step]) -> bool {
        path.iter().zip(names).enumerate().all(|(at, (step, name))| {
            let listed = |all: &Vec<Vec<Step>>| {
                let same = |other: &&Vec<Step>| other.len() > at && other[..at] == path[..at];
                all.iter().filter(same).any(|other| other[at] == *name)
            };
            step == name || (*step == Step::Any && !self.1.as_ref().is_some_and(listed))
        })
    }
}

impl Read {
    fn of(alternative: &Alternative) -> Self {
        let fields = match &alternative.fields {
            Fields::All => None,
            Fields::Only(paths) => {
                Some(Paths(paths.iter().map(|path| steps(path)).collect(), None))
            }
            Fields::Described { shown, others } => {
                let read =
                    |paths: &BTreeSet<String>| paths.iter().map(|path| steps(path)).collect();
                let (shown, mut all): (Vec<_>, Vec<_>) = (read(shown), read(others));
                all.extend(shown.iter().cloned());
                Some(Paths(shown, Some(all)))
            }
        };
        let mut ties = Vec::new();
        for tie in &alternative.ties {
            let (scope, names) = scope_of(&tie.path);
            ties.push((scope, names, Asked::OneOf(tie.allowed.clone())));
            // Each list that is named must be there.
            let all = steps(&tie.path);
            for (at, _) in all.iter().enumerate().filter(|(_, step)| **step == Step::Item) {
                let before = all[..at].iter().rposition(|step| *step == Step::Item);
                let scope = before.map_or(0, |before| before + 1);
                let names = all[scope..at].iter().cloned().map(name).collect();
                ties.push((all[..scope].to_vec(), names, Asked::List));
            }
        }
        Self { fields, ties }
    }

    /// Whether it shows the document at the place, if only as what is around something.
    fn shows(&self, place: &[Step], doc: &Doc) -> bool {
        let Some(paths) = &self.fields else { return true };
        let names: Vec<Step> = place.iter().filter(|step| **step != Step::Item).cloned().collect();
        let values = paths.1.is_some();
        paths.0.iter().filter(|path| paths.leads(path, &names)).any(|path| match doc {
            Doc::Scalar(_) if values => path.len() == names.len(),
            Doc::Scalar(_) => path.len() <= names.len(),
            Doc::Object(_) if values => path.len() > names.len(),
            Doc::Array(_) if values => path.len() >= names.len(),
            Doc::Array(_) | Doc::Object(_) => true,
        })
    }
}

fn name(step: Step) -> String {
    match step {
        Step::Name(name) => name,
        _ => panic!("a tie names one place"),
    }
}

/// The part of a tie's path that leads to what it judges, and the names from there.
fn scope_of(path: &str) -> (Vec<Step>, Vec<String>) {
    let mut scope = steps(path);
    let at = scope.iter().rposition(|step| *step == Step::Item).map_or(0, |last| last + 1);
    let names = scope.split_off(at).into_iter().map(name).collect();
    (scope, names)
}

/// The value that the names lead to, if there is one; `Err` if a name comes twice on the way.
fn value<'d>(doc: &'d Doc, names: &[String]) -> Result<Option<&'d Doc>, Trouble> {
    let ([name, rest @ ..], Doc::Object(members)) = (names, doc) else {
        return Ok(names.is_empty().then_some(doc));
    };
    let mut found = members.iter().filter(|(known, _)| known == name).map(|(_, value)| value);
    match (found.next(), found.next()) {
        (Some(_), Some(_)) => Err(Trouble::Ambiguous),
        (Some(only), None) => value(only, rest),
        _ => Ok(None),
    }
}

fn holds(asked: &Asked, value: Option<&Doc>) -> bool {
    let Asked::OneOf(allowed) = asked else { return matches!(value, Some(Doc::Array(_))) };
    let Some(Doc::Scalar(text)) = value else { return false };
    let said = match serde_json::from_str(text).unwrap() {
        serde_json::Value::Null => return false,
        serde_json::Value::String(said) => said,
        _ => text.clone(),
    };
    allowed.contains(&said)
}

struct Naive<'a> {
    alternatives: &'a [Read],
    removed: BTreeSet<String>,
    seen: BTreeSet<String>,
    items_removed: u64,
}

impl Naive<'_> {
    /// A name that leads to a tie twice is refused wherever it is.
    fn check(&self, doc: &Doc, place: &mut Vec<Step>) -> Result<(), Trouble> {
        for (scope, names, _) in self.alternatives.iter().flat_map(|read| &read.ties) {
            if leads(scope, place) {
                value(doc, names)?;
            }
        }
        let inside: Vec<(Step, &Doc)> = match doc {
            Doc::Scalar(_) => Vec::new(),
            Doc::Array(items) => items.iter().map(|item| (Step::Item, item)).collect(),
            Doc::Object(members) => {
                members.iter().map(|(name, value)| (Step::Name(name.clone()), value)).collect()
            }
        };
        for (step, value) in inside {
            place.push(step);
            self.check(value, place)?;
            place.pop();
        }
        Ok(())
    }

    fn is_judged(&self, place: &[Step]) -> bool {
        let mut ties = self.alternatives.iter().flat_map(|alternative| &alternative.ties);
        ties.any(|(scope, ..)| leads(scope, place))
    }

    /// The alternatives among `around` whose ties for this place hold.
    fn matching(&self, doc: &Doc, place: &[Step], around: &[usize]) -> Vec<usize> {
        let holds_here = |number: &&usize| {
            self.alternatives[**number].ties.iter().all(|(scope, names, asked)| {
                !leads(scope, place) || holds(asked, value(doc, names).unwrap())
            })
        };
        around.iter().filter(holds_here).copied().collect()
    }

    fn path(place: &[Step]) -> String {
        let names = place.iter().filter_map(|step| match step {
            Step::Name(name) => Some(name.replace('.', "\\.")),
            _ => None,
        });
        names.collect::<Vec<_>>().join(".")
    }

    fn document(&mut self, doc: &Doc) -> Result<Doc, Trouble> {
        self.check(doc, &mut Vec::new())?;
        let all: Vec<usize> = (0..self.alternatives.len()).collect();
        let matching = self.matching(doc, &[], &all);
        let shown = matching.iter().any(|number| self.alternatives[*number].shows(&[], doc));
        if matching.is_empty() || (matches!(doc, Doc::Scalar(_)) && !shown) {
            return Err(Trouble::Withheld);
        }
        Ok(self.inside(doc, &mut Vec::new(), &matching))
    }

    /// A value as far as it is visible.
    fn visible(&mut self, doc: &Doc, place: &mut Vec<Step>, around: &[usize]) -> Option<Doc> {
        let judged = place.last() == Some(&Step::Item) && self.is_judged(place);
        let matching = if judged { self.matching(doc, place, around) } else { around.to_vec() };
        let shows = |number: &usize| self.alternatives[*number].shows(place, doc);
        if matching.iter().any(shows) {
            return Some(self.inside(doc, place, &matching));
        }
        if judged {
            self.items_removed += 1;
        } else {
            let path = Self::path(place);
            self.removed.insert(if path.is_empty() { "[]".to_owned() } else { path });
        }
        None
    }

    fn inside(&mut self, doc: &Doc, place: &mut Vec<Step>, matching: &[usize]) -> Doc {
        match doc {
            Doc::Scalar(_) => {
                let path = Self::path(place);
                if !path.is_empty() {
                    self.seen.insert(path);
                }
                doc.clone()
            }
            Doc::Array(items) => {
                place.push(Step::Item);
                let kept = items.iter().filter_map(|item| self.visible(item, place, matching));
                let kept = kept.collect();
                place.pop();
                Doc::Array(kept)
            }
            Doc::Object(members) => {
                let mut kept = Vec::new();
                for (name, value) in members {
                    place.push(Step::Name(name.clone()));
                    let value = self.visible(value, place, matching);
                    place.pop();
                    kept.extend(value.map(|value| (name.clone(), value)));
                }
                Doc::Object(kept)
            }
        }
    }
}

fn compare(
    done: &Done,
    doc: &Doc,
    style: Style,
    alternatives: &[Alternative],
) -> Result<(), String> {
    let alternatives: Vec<Read> = alternatives.iter().map(Read::of).collect();
    let mut tracked = Naive {
        alternatives: &alternatives,
        removed: BTreeSet::new(),
        seen: BTreeSet::new(),
        items_removed: 0,
    };
    let reference = tracked.document(doc);
    let (out, report, reference) = match (done, reference) {
        // Which comes first in the document is not known here.
        (Err(Trouble::Ambiguous | Trouble::Withheld), Err(_)) => return Ok(()),
        (Ok((out, report)), Ok(reference)) => (out, report, reference),
        (done, reference) => return Err(format!("{done:?} instead of {reference:?}")),
    };
    let text = String::from_utf8(out.clone()).map_err(|e| e.to_string())?;
    let same = match style {
        Style::Compact => text == reference.write(style),
        // What is written between values stays, unless it goes with what is removed.
        _ if reference == *doc => text == doc.write(style),
        _ => {
            let parsed = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
            parsed(&text).is_some() && parsed(&text) == parsed(&reference.write(Style::Compact))
        }
    };
    if !same {
        return Err(format!("{text}\ninstead of {}", reference.write(style)));
    }
    let set = |paths: &[String]| paths.iter().cloned().collect::<BTreeSet<_>>();
    let told = (set(&report.removed), set(&report.seen), report.items_removed);
    if told != (tracked.removed.clone(), tracked.seen.clone(), tracked.items_removed) {
        return Err(format!(
            "{told:?}\ninstead of {:?}",
            (tracked.removed, tracked.seen, tracked.items_removed)
        ));
    }
    Ok(())
}

fn told(done: &Done) -> String {
    let text =
        |(out, report): &(Vec<u8>, _)| format!("{}\n{report:?}", String::from_utf8_lossy(out));
    done.as_ref().map_or_else(|trouble| format!("{trouble:?}"), text)
}

proptest! {
    #![proptest_config(ProptestConfig {
        max_shrink_iters: 0,
        failure_persistence: None,
        ..ProptestConfig::with_cases(12_000)
    })]

    #[test]
    fn a_document_is_what_the_naive_filter_makes_of_it(seed in any::<u64>()) {
        let mut dice = Dice::new(seed);
        let alternatives: Vec<_> =
            (0..=dice.roll(4)).map(|_| common::alternative(&mut dice)).collect();
        let plan = common::plan(&alternatives);
        let doc = common::document(&mut dice);
        let style = match dice.roll(3) {
            0 => Style::Compact,
            1 => Style::Pretty,
            _ => Style::Wild(seed),
        };
        let text = doc.write(style);
        let whole = common::run(common::filter(&plan, Mode::Document), text.as_bytes(), || text.len());
        if let Err(what) = compare(&whole, &doc, style, &alternatives) {
            return Err(TestCaseError::fail(format!("{text}\n{alternatives:#?}\n{what}")));
        }
        // The same in pieces, with little to hold so that large scopes are held and released.
        let hold_bytes = dice.pick(&[48 * 1_024, text.len(), 40]);
        let limits = Limits { hold_bytes, ..Limits::default() };
        let filter = || Filter::new(plan.clone(), Mode::Document, limits);
        let whole = common::run(filter(), text.as_bytes(), || text.len());
        let most = dice.pick(&[1, 2, 7, 50]);
        let pieces = common::run(filter(), text.as_bytes(), || dice.roll(most) + 1);
        let refused = |done: &Done| done.is_err();
        prop_assert!(
            whole == pieces || (refused(&whole) && refused(&pieces)),
            "{text}\n{alternatives:#?}\n{}\n{}", told(&whole), told(&pieces)
        );
    }
}

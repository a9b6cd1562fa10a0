//! The notation of paths: dotted property names, as the catalogue writes them.

use std::collections::{BTreeMap, BTreeSet};

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// The property of this name.
    Name(String),
    /// A property of any name.
    Any,
    /// A property of any name but these.
    Other(BTreeSet<String>),
    /// The items of a list. Only in the paths of ties.
    Items,
    /// The texts, numbers, `true`, `false` and `null` here, alone or in lists, and nothing else. Ends
    /// a path of a field.
    Values,
}

/// A path of a field: names and `*`. Arrays are transparent, so `[]` has no meaning here.
pub(super) fn field(path: &str) -> Result<Vec<Step>, &'static str> {
    let mut steps = Vec::new();
    for segment in segments(path, false)? {
        steps.push(segment.name()?);
    }
    Ok(steps)
}

/// Paths of which only the values are shown, and in which `*` is any name that none of these and of
/// the `others` has at that place.
pub(super) fn described(shown: Vec<Vec<Step>>, others: &[Vec<Step>]) -> BTreeSet<Vec<Step>> {
    let mut named: BTreeMap<Vec<Step>, BTreeSet<String>> = BTreeMap::new();
    for path in &shown {
        let stars = path.iter().enumerate().filter(|(_, step)| **step == Step::Any);
        let around = stars.filter_map(|(at, _)| path.get(..at));
        named.extend(around.map(|around| (around.to_vec(), BTreeSet::new())));
    }
    for path in shown.iter().chain(others) {
        for (at, step) in path.iter().enumerate() {
            let beside = path.get(..at).and_then(|around| named.get_mut(around));
            if let (Some(names), Step::Name(name)) = (beside, step) {
                names.insert(name.clone());
            }
        }
    }
    let step = |path: &[Step], at: usize, step: &Step| match step {
        Step::Any => {
            let names = path.get(..at).and_then(|around| named.get(around));
            Step::Other(names.cloned().unwrap_or_default())
        }
        step => step.clone(),
    };
    let path = |path: &Vec<Step>| {
        let steps = path.iter().enumerate().map(|(at, one)| step(path, at, one));
        steps.chain([Step::Values]).collect()
    };
    shown.iter().map(path).collect()
}

/// A path of a tie: like that of a field, with `[]` behind each name whose value is a list, or at
/// the very beginning for a list at the root. It ends in a name, and has no `*`: a tie names one
/// place in what it judges, and one place for each list.
pub(super) fn tie(path: &str) -> Result<Vec<Step>, &'static str> {
    let mut steps = Vec::new();
    for (number, segment) in segments(path, true)?.into_iter().enumerate() {
        let lists = segment.lists;
        let root_list = number == 0 && lists > 0 && segment.text.is_empty();
        if !root_list {
            steps.push(segment.name()?);
        }
        steps.extend(std::iter::repeat_n(Step::Items, lists));
    }
    let scope = steps.iter().rposition(|step| *step == Step::Items).map_or(0, |last| last + 1);
    match steps.get(scope..) {
        None | Some([]) => Err("a tie ends in the name of a property"),
        Some(_) if steps.contains(&Step::Any) => Err("a tie names one place: `*` is many"),
        Some(_) => Ok(steps),
    }
}

/// What stands between two dots.
#[derive(Default)]
struct Segment {
    text: String,
    /// Something in it was escaped, so it is no `*`.
    escaped: bool,
    /// How many `[]` stand behind it.
    lists: usize,
}

impl Segment {
    fn name(self) -> Result<Step, &'static str> {
        match self.text.as_str() {
            "" => Err("a name is empty"),
            "*" if !self.escaped => Ok(Step::Any),
            _ => Ok(Step::Name(self.text)),
        }
    }
}

fn segments(path: &str, lists: bool) -> Result<Vec<Segment>, &'static str> {
    let mut done = Vec::new();
    let mut segment = Segment::default();
    let mut chars = path.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '.' => done.push(std::mem::take(&mut segment)),
            '[' if lists && chars.next_if_eq(&']').is_some() => segment.lists += 1,
            _ if segment.lists > 0 => return Err("only a dot may follow `[]`"),
            '\\' => match chars.next() {
                Some(literal @ ('.' | '*' | '[' | ']' | '\\')) => {
                    segment.text.push(literal);
                    segment.escaped = true;
                }
                _ => return Err("a backslash stands before `.`, `*`, `[`, `]` or a backslash"),
            },
            _ => segment.text.push(char),
        }
    }
    done.push(segment);
    Ok(done)
}

/// Appends a name to a path in the catalogue's notation, so that it reads back as that name.
pub(crate) fn append(path: &mut String, name: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    if name == "*" {
        path.push('\\');
    }
    for char in name.chars() {
        if matches!(char, '.' | '\\') {
            path.push('\\');
        }
        path.push(char);
    }
}

#[cfg(test)]
mod tests;

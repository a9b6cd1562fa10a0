//! The text of a solver's answer.

use std::collections::{BTreeMap, BTreeSet};

/// A value in a model.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Found {
    Truth(bool),
    Number(i128),
    Set(BTreeSet<i128>),
}

/// Reads `((name value) …)` behind the first line.
pub(super) fn values(output: &str) -> Option<BTreeMap<String, Found>> {
    let (_, text) = output.split_once('\n')?;
    let mut words = tokens(text).into_iter();
    let Some(Tree::List(pairs)) = tree(&mut words) else { return None };
    let mut values = BTreeMap::new();
    for pair in pairs {
        let Tree::List(pair) = pair else { return None };
        let [Tree::Word(name), value] = pair.as_slice() else { return None };
        values.insert(name.clone(), value.found()?);
    }
    Some(values)
}

/// S-expressions.
enum Tree {
    Word(String),
    List(Vec<Self>),
}

fn tokens(text: &str) -> Vec<String> {
    let spaced = text.replace('(', " ( ").replace(')', " ) ");
    spaced.split_whitespace().map(str::to_owned).collect()
}

fn tree(words: &mut impl Iterator<Item = String>) -> Option<Tree> {
    let word = words.next()?;
    match word.as_str() {
        "(" => {
            let mut items = Vec::new();
            while let Some(item) = tree(words) {
                items.push(item);
            }
            Some(Tree::List(items))
        }
        ")" => None,
        _ => Some(Tree::Word(word)),
    }
}

impl Tree {
    fn found(&self) -> Option<Found> {
        match self {
            Self::Word(word) => match word.as_str() {
                "true" => Some(Found::Truth(true)),
                "false" => Some(Found::Truth(false)),
                number => number.parse().ok().map(Found::Number),
            },
            Self::List(items) => match items.as_slice() {
                [Self::Word(word), number] if word == "-" => match number {
                    // The least number has no positive counterpart.
                    Self::Word(digits) => format!("-{digits}").parse().ok().map(Found::Number),
                    Self::List(_) => None,
                },
                [Self::Word(word), ..] if word == "as" => Some(Found::Set(BTreeSet::new())),
                [Self::Word(word), element] if word == "set.singleton" => match element.found()? {
                    Found::Number(number) => Some(Found::Set(BTreeSet::from([number]))),
                    _ => None,
                },
                [Self::Word(word), parts @ ..] if word == "set.union" => {
                    let mut all = BTreeSet::new();
                    for part in parts {
                        let Found::Set(set) = part.found()? else { return None };
                        all.extend(set);
                    }
                    Some(Found::Set(all))
                }
                _ => None,
            },
        }
    }
}

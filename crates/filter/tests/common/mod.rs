//! Documents, plans and a generator for both.
#![allow(dead_code, missing_docs, unreachable_pub, reason = "each program of tests uses a part")]

use std::collections::BTreeSet;
use std::fmt::Write as _;

use filter::{Alternative, Fields, Filter, Limits, Mode, Plan, Report, Tie, Trouble};

/// A document in the order in which it is written, with whatever names it has twice.
#[derive(Debug, Clone, PartialEq)]
pub enum Doc {
    /// `null`, `true`, a number, a text: as they are written.
    Scalar(String),
    Array(Vec<Doc>),
    Object(Vec<(String, Doc)>),
}

/// How a document is written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Style {
    Compact,
    Pretty,
    /// White space of any kind anywhere, and names that are written with escapes.
    Wild(u64),
}

/// Numbers that look random and are the same for the same seed.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed ^ 0x9e37_79b9_7f4a_7c15)
    }

    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        let mixed = (self.0 ^ (self.0 >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        ((mixed ^ (mixed >> 32)) % sides as u64) as usize
    }

    pub fn one_in(&mut self, sides: usize) -> bool {
        self.roll(sides) == 0
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len())]
    }
}

impl Doc {
    pub fn write(&self, style: Style) -> String {
        let mut out = String::new();
        let mut dice = Dice::new(match style {
            Style::Wild(seed) => seed,
            _ => 0,
        });
        self.write_to(&mut out, style, 0, &mut dice);
        out
    }

    fn write_to(&self, out: &mut String, style: Style, depth: usize, dice: &mut Dice) {
        let gap = |out: &mut String, depth: usize, dice: &mut Dice| match style {
            Style::Compact => {}
            Style::Pretty => {
                out.push('\n');
                out.push_str(&"  ".repeat(depth));
            }
            Style::Wild(_) => {
                for _ in 0..dice.roll(4).saturating_sub(1) {
                    out.push(dice.pick(&[' ', '\n', '\t', '\r']));
                }
            }
        };
        match self {
            Self::Scalar(text) => out.push_str(text),
            Self::Array(items) => {
                out.push('[');
                for (number, item) in items.iter().enumerate() {
                    if number > 0 {
                        out.push(',');
                    }
                    gap(out, depth + 1, dice);
                    item.write_to(out, style, depth + 1, dice);
                }
                if !items.is_empty() || style != Style::Pretty {
                    gap(out, depth, dice);
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (number, (name, value)) in members.iter().enumerate() {
                    if number > 0 {
                        if matches!(style, Style::Wild(_)) {
                            gap(out, depth, dice);
                        }
                        out.push(',');
                    }
                    gap(out, depth + 1, dice);
                    write_name(out, name, style, dice);
                    if style != Style::Pretty {
                        gap(out, depth + 1, dice);
                    }
                    out.push(':');
                    if style == Style::Pretty {
                        out.push(' ');
                    } else {
                        gap(out, depth + 1, dice);
                    }
                    value.write_to(out, style, depth + 1, dice);
                }
                if !members.is_empty() || style != Style::Pretty {
                    gap(out, depth, dice);
                }
                out.push('}');
            }
        }
    }
}

fn write_name(out: &mut String, name: &str, style: Style, dice: &mut Dice) {
    out.push('"');
    for char in name.chars() {
        let wild = matches!(style, Style::Wild(_)) && dice.one_in(6);
        if wild || matches!(char, '"' | '\\') {
            let mut units = [0; 2];
            for unit in char.encode_utf16(&mut units) {
                write!(out, "\\u{unit:04x}").unwrap();
            }
        } else {
            out.push(char);
        }
    }
    out.push('"');
}

const NAMES: &[&str] =
    &["a", "b", "c", "t", "t", "t", "id", "items", "items", "items", "é.x", "longer_name"];
const SCALARS: &[&str] =
    &["1", "1", "2", "\"1\"", "\"\\u0031\"", "true", "null", "-0.5e3", "\"x\\n€\"", "\"\""];

/// A document in which names come twice now and then.
pub fn document(dice: &mut Dice) -> Doc {
    match dice.roll(20) {
        0 => scalar(dice),
        1..=6 => array(dice, 4),
        _ => object(dice, 4),
    }
}

fn scalar(dice: &mut Dice) -> Doc {
    Doc::Scalar(dice.pick(SCALARS).to_owned())
}

fn array(dice: &mut Dice, depth: usize) -> Doc {
    let items = (0..dice.roll(4)).map(|_| match dice.roll(6) {
        0 => value(dice, depth - 1),
        _ => object(dice, depth - 1),
    });
    Doc::Array(items.collect())
}

fn object(dice: &mut Dice, depth: usize) -> Doc {
    let mut members: Vec<(String, Doc)> = Vec::new();
    for _ in 0..dice.roll(6) {
        let name = dice.pick(NAMES);
        if dice.one_in(20) || !members.iter().any(|(known, _)| known == name) {
            let value = match (name, dice.roll(4)) {
                ("items", 1..) if depth > 1 => array(dice, depth - 1),
                ("t" | "id", 1..) => scalar(dice),
                _ => value(dice, depth.saturating_sub(1)),
            };
            members.push((name.to_owned(), value));
        }
    }
    Doc::Object(members)
}

fn value(dice: &mut Dice, depth: usize) -> Doc {
    match dice.roll(5) {
        0 if depth > 0 => array(dice, depth),
        1..=2 if depth > 0 => object(dice, depth),
        _ => scalar(dice),
    }
}

const FIELDS: &[&str] = &[
    "a",
    "b",
    "c",
    "t",
    "id",
    "items",
    "items.a",
    "items.id",
    "items.items",
    "items.items.b",
    "a.b",
    "a.a",
    "a.items.id",
    "*.id",
    "*.*.a",
    "items.*",
    "*",
    "é\\.x",
    "longer_name.t",
    "b.c",
];
const TIES: &[&str] = &[
    "t",
    "a.t",
    "[].t",
    "items[].t",
    "items[].a.t",
    "items[].items[].t",
    "a.items[].t",
    "[].items[].t",
    "[][].t",
    "a.b",
    "[].a.id",
    "longer_name",
    "items[].id",
];
const VALUES: &[&str] = &["1", "1", "1", "2", "true", "-0.5e3", "x\n€", "null", ""];

/// What one grant shows.
pub fn alternative(dice: &mut Dice) -> Alternative {
    let mut paths = |most: usize| {
        let count = dice.roll(most);
        (0..count).map(|_| dice.pick(FIELDS).to_owned()).collect()
    };
    let (shown, others) = (paths(5), paths(3));
    let fields = match dice.roll(3) {
        0 => Fields::All,
        1 => Fields::Described { shown, others },
        _ => Fields::Only(shown),
    };
    let ties = (0..dice.roll(3)).map(|_| {
        let allowed = (0..dice.roll(4)).map(|_| dice.pick(VALUES).to_owned()).collect();
        Tie { path: dice.pick(TIES).to_owned(), allowed }
    });
    let ties = ties.collect();
    Alternative { fields, ties }
}

/// Allowed fields without ties.
pub fn only(paths: &[&str]) -> Alternative {
    let paths = paths.iter().map(|path| (*path).to_owned()).collect();
    Alternative { fields: Fields::Only(paths), ties: Vec::new() }
}

pub fn plan(alternatives: &[Alternative]) -> std::sync::Arc<Plan> {
    std::sync::Arc::new(Plan::compile(alternatives.to_vec()).unwrap())
}

/// What came of a stream.
pub type Done = Result<(Vec<u8>, Report), Trouble>;

/// Runs a body through a filter in pieces of the sizes that `next` says.
pub fn run(mut filter: Filter, body: &[u8], mut next: impl FnMut() -> usize) -> Done {
    let (mut out, mut rest) = (Vec::new(), body);
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at(next().clamp(1, rest.len()));
        filter.push(piece, &mut out)?;
        rest = behind;
    }
    let report = filter.finish(&mut out)?;
    assert_eq!(report.bytes_in, body.len() as u64);
    assert_eq!(report.bytes_out, out.len() as u64);
    assert_eq!(filter.has_written(), !out.is_empty());
    Ok((out, report))
}

pub fn filter(plan: &std::sync::Arc<Plan>, mode: Mode) -> Filter {
    Filter::new(std::sync::Arc::clone(plan), mode, Limits::default())
}

/// Sorted, each once.
pub fn set(paths: &[&str]) -> BTreeSet<String> {
    paths.iter().map(|path| (*path).to_owned()).collect()
}

//! How the nodes of a fleet divide limits among them, without asking each other while a request
//! waits.
//!
//! Every few hundred milliseconds each node has a **round**: it says what is asked of its busy keys
//! ([`Asked`]), the [`Book`] that they share in the store is brought forward by [`Book::settle`],
//! and the node takes over what that says ([`Settled`]).
//!
//! - Of a **rate**, and of requests at the same time, each node has a share. Keys that nothing was
//!   agreed on are divided equally. A key that is busy somewhere gets a [`Line`] for each node, and
//!   shares in proportion to what is asked at each.
//! - Of a **quota** each node holds advances: so much was put down to it, used or not.
//!
//! **Invariant:** what the nodes may use together is never more than the whole, whoever is slow:
//! a node first gives up and then says so, and first asks and then takes. What a node may use of a
//! key without a line of its own is its part of everything (`split`), and everybody counts it so.
//! Only a node that the others took for dead, because it was cut off from the store for
//! [`SILENT_MAX`], adds what it last had.
//!
//! Whoever carries a round out holds the book for that time and saves it before the node is told.

mod book;
mod shares;

use base::{NodeId, Span, Timestamp};

use super::{Limit, Period};
use crate::rate::Share;

pub use book::{Book, Entries};

/// A node that was not heard of for so long takes no part: the others divide what it had.
pub const SILENT_MAX: Span = Span::from_secs(5);
/// What all nodes together keep of each key, whatever is asked where, in millionths: a node on
/// which a caller shows up anew can admit a little before the next round.
const FLOORS: u64 = 5_000;
/// Shares that differ by less are left as they are.
const CLOSE: u64 = 1_000;

/// One life of one node: a process, from its start on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The node.
    pub node: NodeId,
    /// When this life began: what a former life holds of a quota is counted as used.
    pub life: Timestamp,
}

impl Member {
    /// What the book calls this life as the holder of advances.
    pub fn advance_holder(&self) -> String {
        self.holder(true)
    }

    /// Who holds a share (the node, in whichever life) or an advance (this life).
    fn holder(&self, is_quota: bool) -> String {
        match is_quota {
            true => format!("{}@{}", self.node, self.life.as_micros()),
            false => self.node.to_string(),
        }
    }
}

/// What a node says of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The key.
    pub key: String,
    /// The limit as this node knows it.
    pub limit: Limit,
    /// Which day or month; `None` for what is divided by shares.
    pub period: Option<Period>,
    /// What is in force at the node: a share in millionths, or what of a quota is put down to it.
    pub holds: u64,
    /// What the node has used of a quota in this life.
    pub used: u64,
    /// What is asked for, in an unchanging unit.
    pub demand: u64,
    /// Nothing was asked for in a long time.
    pub is_idle: bool,
}

/// What a node says in a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// When it began to say so. What is used later is not in it.
    pub at: Timestamp,
    /// Its part of everything, as it is in force.
    pub split: Share,
    /// How far it knows the book.
    pub seen: u64,
    /// Its busy keys.
    pub keys: Vec<Ask>,
    /// It ends: advances are given back, and none are given.
    pub is_last: bool,
}

/// What a node is told of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The key.
    pub key: String,
    /// The limit.
    pub limit: Limit,
    /// Which day or month; `None` for shares.
    pub period: Option<Period>,
    /// What it may use from now on; `None` = nothing changes.
    pub holds: Option<u64>,
    /// What of a quota is put down to others.
    pub elsewhere: u64,
    /// The key needs no share of its own any more.
    pub is_released: bool,
    /// The node should say something of the key in the next round.
    pub speaks: bool,
}

/// What a node is told in a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// Its part of everything.
    pub split: Share,
    /// How far it knows the book then.
    pub seen: u64,
    /// Keys, in no order.
    pub keys: Vec<Told>,
}

/// A node of the fleet, as the book has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeLine {
    /// Which node, in which life.
    pub member: Member,
    /// Its part of every key that it has no line for.
    pub split: Share,
    /// Its last round.
    pub at: Timestamp,
    /// The step of the book that its last round made.
    pub sequence: u64,
}

/// What one node has of one key, as the book has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The key.
    pub key: String,
    /// Which day or month; `None` for shares.
    pub period: Option<Period>,
    /// Which node, and for a quota in which life.
    pub holder: String,
    /// The limit as that node knows it.
    pub limit: Limit,
    /// A share in millionths, or what of a quota is put down to the node.
    pub holds: u64,
    /// What the node had used of the quota when it wrote this.
    pub used: u64,
    /// What is asked for at the node.
    pub demand: u64,
    /// The step of the book at which this was written.
    pub sequence: u64,
}

/// What is put down to a life of a node that ended without a last round, of one quota: `line` is
/// what the book has of it, `seen` what its records show from its last round on. All of its advance
/// counts as used. What the last round told of its use tells how much `seen` goes beyond it.
pub fn put_down(line: Option<&Line>, last: &NodeLine, seen: u64) -> u64 {
    let Some(line) = line else { return seen };
    if line.sequence == last.sequence {
        return line.holds.max(line.used.saturating_add(seen));
    }
    line.holds.saturating_add(seen)
}

#[cfg(test)]
mod tests;

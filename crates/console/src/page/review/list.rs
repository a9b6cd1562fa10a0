//! Which rows to show, in which order and under which headings. Everything that was asked is in
//! the address, so every view can be linked to.

use std::borrow::Borrow;
use std::collections::BTreeMap;

use app::view::ItemView;
use serde::Deserialize;

use super::{ROWS_MAX, Row};
use crate::page::query;
use crate::shell::Grouping;
use crate::words;

base::words! {
    /// The three piles.
    Tab {
        /// Open, and something about it is not ordinary.
        Look = "look",
        /// Open, used as granted, nothing found.
        Quiet = "quiet",
        /// Drafted, signed, or overtaken by a change: what waits for no choice.
        Decided = "decided",
    }
}

/// What the address asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// Pile; by default the first that has rows.
    pub tab: Option<Tab>,
    /// Headings; by default what the person chose last.
    pub group: Option<Grouping>,
    /// Part of a name.
    pub q: String,
    /// `all`: also the items of other reviewers.
    pub who: String,
    /// Rows to skip.
    pub from: usize,
    /// The item that the last form changed.
    pub done: Option<String>,
}

/// Rows under one heading.
pub struct Group {
    /// Anchor within the page.
    pub anchor: String,
    /// The heading.
    pub title: String,
    /// What stands beside it.
    pub note: String,
    /// Its rows on this page.
    pub rows: Vec<Row>,
}

/// The rows of a page.
pub struct List {
    /// Pile shown.
    pub tab: Tab,
    /// Headings shown.
    pub grouping: Grouping,
    /// What was asked.
    pub asked: Asked,
    /// Rows, under their headings.
    pub groups: Vec<Group>,
    /// Rows in the pile that match.
    pub matching: u64,
    /// Items of other reviewers that the visitor may see.
    pub others: u64,
    counts: [u64; 3],
    drafted: u64,
}

/// What to do when a pile is through.
pub struct NextStep {
    /// What is done.
    pub said: String,
    /// What comes next.
    pub act: String,
    /// The address of the pile that comes next; none when it is time to sign.
    pub href: Option<String>,
}

fn pile(item: &ItemView) -> Tab {
    match (item.state.as_str(), item.tab.as_str()) {
        ("open", "quiet") => Tab::Quiet,
        ("open", _) => Tab::Look,
        _ => Tab::Decided,
    }
}

impl List {
    /// Filters, orders and groups the items.
    pub fn new(items: Vec<ItemView>, asked: Asked, habit: Grouping) -> Self {
        let others = words::len(&items.iter().filter(|item| !item.mine).collect::<Vec<_>>());
        let everyone = asked.who == "all" || others == words::len(&items);
        let items: Vec<_> = items.into_iter().filter(|item| everyone || item.mine).collect();
        let drafted = items.iter().filter(|item| item.state == "drafted").count();
        let counts = Tab::ALL.iter().map(|tab| items.iter().filter(|i| pile(i) == *tab).count());
        let mut piles = [0; 3];
        for (slot, count) in piles.iter_mut().zip(counts) {
            *slot = u64::try_from(count).unwrap_or(u64::MAX);
        }
        let mut list = Self {
            tab: asked.tab.unwrap_or_else(|| first_with_rows(&piles)),
            grouping: asked.group.unwrap_or(habit),
            groups: Vec::new(),
            matching: 0,
            others,
            counts: piles,
            drafted: u64::try_from(drafted).unwrap_or(u64::MAX),
            asked,
        };
        list.fill(items);
        list
    }

    fn fill(&mut self, items: Vec<ItemView>) {
        let wanted = self.asked.q.to_lowercase();
        let matches = |item: &ItemView| {
            let names = [&item.subject_name, &item.subject, &item.api_name];
            names.iter().any(|name| name.to_lowercase().contains(&wanted))
        };
        let mut rows: Vec<_> =
            items.into_iter().filter(|i| pile(i) == self.tab && matches(i)).collect();
        sort(&mut rows, self.grouping);
        self.matching = words::len(&rows);
        let page = rows.into_iter().skip(self.asked.from).take(ROWS_MAX);
        for item in page {
            let anchor = format!("group-{}", crate::page::encode(&key(&item, self.grouping)));
            match self.groups.last_mut().filter(|group| group.anchor == anchor) {
                Some(group) => group.rows.push(Row::new(item)),
                None => self.groups.push(group(anchor, item, self.grouping)),
            }
        }
    }

    /// Rows of a pile, unfiltered.
    pub fn count(&self, tab: impl Borrow<Tab>) -> u64 {
        let index = Tab::ALL.iter().position(|known| known == tab.borrow()).unwrap_or(0);
        self.counts.get(index).copied().unwrap_or(0)
    }

    /// Words of the three piles.
    pub fn tabs(&self) -> [(Tab, String); 3] {
        [
            (Tab::Look, "Needs a look".to_owned()),
            (Tab::Quiet, "Quiet and unchanged".to_owned()),
            (Tab::Decided, words::title(self.settled())),
        ]
    }

    /// What the third pile is: drafts bind nobody, so they are not called decided.
    pub fn settled(&self) -> &'static str {
        match (self.drafted, self.count(Tab::Decided) - self.drafted) {
            (_, 0) => "drafted",
            (0, _) => "decided",
            _ => "drafted or decided",
        }
    }

    /// What comes after the pile shown, once nothing is left to choose in it.
    pub fn next_step(&self) -> Option<NextStep> {
        let (look, quiet) = (self.count(Tab::Look), self.count(Tab::Quiet));
        let step = |said: &str, act: String, tab: Option<Tab>| NextStep {
            said: said.to_owned(),
            act,
            href: tab.map(|tab| self.to_tab(tab)),
        };
        match (self.tab, look, quiet) {
            (_, 0, 0) if self.drafted > 0 => {
                let said = "Every item has a draft. Drafts bind nobody until you sign them.";
                Some(step(said, "Sign off".to_owned(), None))
            }
            (Tab::Look, 0, left @ 1..) => {
                let act = format!("Next: {}", words::count(left, "quiet item"));
                Some(step("Nothing is left that needs a look.", act, Some(Tab::Quiet)))
            }
            (Tab::Quiet, left @ 1.., 0) => {
                let act = format!("Next: {} to look at", words::count(left, "item"));
                Some(step("No quiet item is left.", act, Some(Tab::Look)))
            }
            _ => None,
        }
    }

    /// Words of the ways to group.
    pub fn groupings(&self) -> [(Grouping, &'static str); 3] {
        [(Grouping::Api, "API"), (Grouping::Identity, "Identity"), (Grouping::Flat, "One list")]
    }

    /// The address of another pile.
    pub fn to_tab(&self, tab: impl Borrow<Tab>) -> String {
        self.address(*tab.borrow(), self.asked.group, &self.asked.q, &self.asked.who, 0)
    }

    /// The address of other headings.
    pub fn to_grouping(&self, grouping: &Grouping) -> String {
        self.address(self.tab, Some(*grouping), &self.asked.q, &self.asked.who, 0)
    }

    /// The address with or without the items of other reviewers.
    pub fn to_who(&self, who: &str) -> String {
        self.address(self.tab, self.asked.group, &self.asked.q, who, 0)
    }

    /// The address without a text filter.
    pub fn without_filter(&self) -> String {
        self.address(self.tab, self.asked.group, "", &self.asked.who, 0)
    }

    /// The address of this page, where its forms come back to.
    pub fn here(&self) -> String {
        self.address(self.tab, self.asked.group, &self.asked.q, &self.asked.who, self.asked.from)
    }

    /// The address of the next rows.
    pub fn next(&self) -> Option<String> {
        let from = self.asked.from.saturating_add(ROWS_MAX);
        let more = u64::try_from(from).is_ok_and(|from| from < self.matching);
        more.then(|| self.address(self.tab, self.asked.group, &self.asked.q, &self.asked.who, from))
    }

    fn address(
        &self,
        tab: Tab,
        group: Option<Grouping>,
        q: &str,
        who: &str,
        from: usize,
    ) -> String {
        let from = if from == 0 { String::new() } else { from.to_string() };
        query(&[
            ("tab", tab.as_str()),
            ("group", group.map_or("", Grouping::as_str)),
            ("q", q),
            ("who", who),
            ("from", &from),
        ])
    }
}

fn first_with_rows(piles: &[u64; 3]) -> Tab {
    let filled = Tab::ALL.iter().zip(piles).find(|(_, count)| **count > 0);
    filled.map_or(Tab::Look, |(tab, _)| *tab)
}

/// What needs a look most comes first: a group stands where its most urgent item does, and within
/// it the same order holds. Names decide between equals.
fn sort(rows: &mut [ItemView], grouping: Grouping) {
    let mut first = BTreeMap::new();
    for item in rows.iter() {
        let most = first.entry(key(item, grouping)).or_insert_with(|| urgency(item));
        *most = (*most).min(urgency(item));
    }
    rows.sort_by_cached_key(|item| {
        let group = key(item, grouping);
        (first.get(&group).copied(), group, urgency(item), name(item))
    });
}

/// Smaller is more urgent: what should go first, and of that what can do most harm.
fn urgency(item: &ItemView) -> (bool, bool, bool, u8) {
    let recommended = match item.recommendation.verdict.as_str() {
        "remove" => 0,
        "narrow" => 1,
        "none" => 2,
        _ => 3,
    };
    let owned = item.owner_active || item.subject.starts_with("group:");
    (item.tab == "quiet", item.risk != "high", owned, recommended)
}

fn key(item: &ItemView, grouping: Grouping) -> String {
    match grouping {
        Grouping::Api => item.api_id.clone(),
        Grouping::Identity => item.subject.clone(),
        Grouping::Flat => String::new(),
    }
}

fn name(item: &ItemView) -> String {
    item.subject_name.to_lowercase()
}

fn group(anchor: String, item: ItemView, grouping: Grouping) -> Group {
    let (title, note) = match grouping {
        Grouping::Api => (format!("{} API", item.api_name), format!("{} impact", item.api_impact)),
        Grouping::Identity => (item.subject_name.clone(), words::plain(&item.subject_kind)),
        Grouping::Flat => ("All items".to_owned(), String::new()),
    };
    Group { anchor, title, note, rows: vec![Row::new(item)] }
}

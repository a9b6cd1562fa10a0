//! One item in words: who, what, its use, what is recommended and what would happen.

use app::view::{ItemView, NamedOperation};

use crate::words::{self, NAMED_MAX};

/// A form that was refused, shown on its row with what the person wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowError {
    /// What was wrong.
    pub message: String,
    /// What was chosen.
    pub verdict: String,
    /// The note as it was written.
    pub note: String,
}

/// One row.
pub struct Row {
    /// The item.
    pub item: ItemView,
    /// Its form was refused.
    pub error: Option<RowError>,
}

/// One verdict to decide for.
pub struct Button {
    /// Its key.
    pub key: char,
    /// The verdict's word on the wire.
    pub verdict: &'static str,
    /// The word on screen.
    pub label: &'static str,
    /// It is the draft.
    pub chosen: bool,
    /// It needs a note.
    pub needs_note: bool,
    /// There is nothing it could do.
    pub disabled: bool,
}

fn titles<'a>(operations: impl Iterator<Item = &'a NamedOperation>) -> Vec<&'a str> {
    operations.map(|operation| operation.title.as_str()).collect()
}

impl Row {
    /// A row without error.
    pub fn new(item: ItemView) -> Self {
        Self { item, error: None }
    }

    /// What was granted, in words.
    pub fn what(&self) -> String {
        let names: Vec<_> =
            self.item.granted.iter().take(NAMED_MAX).map(|o| o.title.as_str()).collect();
        let text = names.join(" · ");
        match self.item.granted.len().saturating_sub(NAMED_MAX) {
            0 => text,
            more => format!("{text} · and {more} more"),
        }
    }

    /// The three choices.
    pub fn buttons(&self) -> [Button; 3] {
        [
            self.button('1', "keep", "Keep"),
            self.button('2', "narrow", "Narrow"),
            self.button('3', "remove", "Remove"),
        ]
    }

    fn button(&self, key: char, verdict: &'static str, label: &'static str) -> Button {
        Button {
            key,
            verdict,
            label,
            chosen: self.item.verdict.as_deref() == Some(verdict),
            needs_note: self.needs_note(verdict),
            disabled: verdict == "narrow" && self.item.if_narrowed.is_none(),
        }
    }

    /// Mirrors the rule of the core so that the page can say it beforehand; the core decides.
    fn needs_note(&self, verdict: &str) -> bool {
        let recommended = self.item.recommendation.verdict.as_str();
        let against = recommended != "none" && recommended != verdict;
        against || (verdict == "keep" && self.item.risk == "high")
    }

    /// Which choices need a note, in one sentence; empty when none does.
    pub fn note_rule(&self) -> String {
        let needing: Vec<_> = self
            .buttons()
            .iter()
            .filter(|button| button.needs_note && !button.disabled)
            .map(|button| button.label.to_lowercase())
            .collect();
        if needing.is_empty() {
            return String::new();
        }
        format!("Say why if you want to {}.", needing.join(" or "))
    }

    /// The note in the field: what was just refused, else the draft's.
    pub fn note_text(&self) -> &str {
        match &self.error {
            Some(error) => &error.note,
            None => self.item.note.as_deref().unwrap_or(""),
        }
    }

    /// It can still be decided here.
    pub fn decidable(&self) -> bool {
        self.item.mine && matches!(self.item.state.as_str(), "open" | "drafted")
    }

    /// A draft waits for signature.
    pub fn drafted(&self) -> bool {
        self.item.state == "drafted"
    }

    /// The verdict's word on the wire; empty without one.
    pub fn verdict_code(&self) -> &str {
        self.item.verdict.as_deref().unwrap_or("")
    }

    /// The verdict's word on screen: `Keep`.
    pub fn verdict_word(&self) -> String {
        words::title(self.verdict_code())
    }

    /// The recommendation in one sentence.
    pub fn recommended(&self) -> String {
        match self.item.recommendation.verdict.as_str() {
            "none" => "No recommendation: too little data".to_owned(),
            "narrow" => format!("Recommended: Narrow to {}", words::listed(&self.kept())),
            verdict => format!("Recommended: {}", words::title(verdict)),
        }
    }

    fn kept(&self) -> Vec<&str> {
        titles(self.item.granted.iter().filter(|operation| self.keeps(operation)))
    }

    /// What narrowing leaves, in full.
    pub fn stays(&self) -> String {
        words::all(&self.kept())
    }

    /// What the draft or decision takes away, in full.
    pub fn goes(&self) -> String {
        let narrows = self.narrows();
        let gone = self.item.granted.iter().filter(|op| !narrows || !self.keeps(op));
        words::all(&titles(gone))
    }

    /// The draft or decision takes some operations away and leaves others.
    pub fn narrows(&self) -> bool {
        self.item.verdict.as_deref() == Some("narrow")
    }

    /// What makes the risk high.
    pub fn risk(&self) -> String {
        let dangerous = titles(self.item.granted.iter().filter(|operation| operation.dangerous));
        match dangerous.is_empty() {
            true => "High risk".to_owned(),
            false => format!("High risk: {}", words::listed(&dangerous)),
        }
    }

    /// Why there is nothing to narrow to, where that is so.
    pub fn not_narrower(&self) -> Option<&'static str> {
        let why = match self.item.recommendation.verdict.as_str() {
            "keep" => "Narrow: not possible, as everything granted is used.",
            "remove" => "Narrow: not possible, as nothing granted was used.",
            _ => "Narrow: not possible, as too little is known of what is used.",
        };
        self.item.if_narrowed.is_none().then_some(why)
    }

    /// Why it is recommended, in one line.
    pub fn reasons(&self) -> String {
        let reasons = self.item.recommendation.reasons.iter();
        let reasons: Vec<_> = reasons.map(|reason| reason.trim_end_matches('.')).collect();
        words::sentence(&reasons.join(" · "))
    }

    /// Narrowing as recommended would keep this operation.
    pub fn keeps(&self, operation: &NamedOperation) -> bool {
        self.item.recommendation.operations.contains(&operation.id)
    }

    /// The recommendation names operations, so its column makes sense.
    pub fn recommends_narrowing(&self) -> bool {
        self.item.recommendation.verdict == "narrow"
    }

    /// Use in words, with its window: `412 calls / 90 d`.
    pub fn usage(&self) -> String {
        let usage = &self.item.usage;
        match usage.calls {
            0 => format!("no calls / {} d", usage.window_days),
            calls => format!("{} / {} d", words::count(calls, "call"), usage.window_days),
        }
    }

    /// Most calls of one operation, for the bars.
    pub fn most_calls(&self) -> u64 {
        self.item.granted.iter().map(|operation| operation.calls).max().unwrap_or(0)
    }
}

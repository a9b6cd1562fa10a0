//! Small pieces that several pages share: tags, bars, the weeks of use.

use std::fmt;

use askama::filters::HtmlSafe;

use crate::words;

/// A word with a colour that repeats what it says.
pub struct Tag {
    tone: &'static str,
    text: String,
}

/// A tag for a code of the wire form, in plain words.
pub fn tag(code: &str) -> Tag {
    Tag { tone: words::tone(code), text: words::title(code) }
}

/// A tag for the state of a campaign.
pub fn review_tag(state: &str) -> Tag {
    Tag { tone: words::tone(state), text: words::review_state(state).to_owned() }
}

/// A tag for an impact or a severity, with the noun so that it stands alone.
pub fn level_tag(level: &str, noun: &str) -> Tag {
    Tag { tone: words::tone(level), text: format!("{} {noun}", words::title(level)) }
}

/// The operations of a grant are all that the API has and will have.
pub fn covers_all(operations: &[String]) -> bool {
    operations.iter().any(|id| id == "*")
}

impl HtmlSafe for Tag {}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(text) = askama::filters::escape(&self.text, askama::filters::Html);
        write!(f, "<span class=\"tag tag-{}\">{text}</span>", self.tone)
    }
}

/// Height of the weeks' chart in its own units.
const SPARK_HEIGHT: u64 = 24;
/// Width of a week's bar and of its gap.
const SPARK_STEP: u64 = 7;

/// Calls per week as bars, oldest first. Decoration beside its text equivalent.
pub struct Spark<'a>(pub &'a [u64]);

impl HtmlSafe for Spark<'_> {}

impl fmt::Display for Spark<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = SPARK_STEP * words::len(self.0);
        let most = self.0.iter().copied().max().unwrap_or(0).max(1);
        write!(
            f,
            "<svg class=\"spark\" viewBox=\"0 0 {width} {SPARK_HEIGHT}\" width=\"{width}\" \
             height=\"{SPARK_HEIGHT}\" aria-hidden=\"true\" focusable=\"false\">"
        )?;
        for (index, calls) in (0u64..).zip(self.0) {
            // A week without calls keeps a hairline, so that silence is seen as silence.
            let share = u128::from(*calls) * u128::from(SPARK_HEIGHT - 1) / u128::from(most);
            let height = u64::try_from(share).unwrap_or(0) + 1;
            let (x, y) = (index * SPARK_STEP, SPARK_HEIGHT - height);
            let class = if *calls == 0 { " class=\"none\"" } else { "" };
            write!(f, "<rect{class} x=\"{x}\" y=\"{y}\" width=\"5\" height=\"{height}\"/>")?;
        }
        f.write_str("</svg>")
    }
}

/// A share of the largest value, as a bar. Decoration beside its number.
pub struct Bar {
    value: u64,
    most: u64,
}

/// A bar for a value of a column whose largest is `most`.
pub fn bar(value: &u64, most: u64) -> Bar {
    Bar { value: *value, most }
}

impl HtmlSafe for Bar {}

impl fmt::Display for Bar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The smallest use is still seen; none is not.
        let share = match self.value {
            0 => 0,
            value => words::percent(value, self.most).max(2),
        };
        write!(
            f,
            "<svg class=\"bar\" viewBox=\"0 0 100 6\" preserveAspectRatio=\"none\" \
             aria-hidden=\"true\" focusable=\"false\"><rect class=\"none\" width=\"100\" \
             height=\"6\"/><rect width=\"{share}\" height=\"6\"/></svg>"
        )
    }
}

#[cfg(test)]
mod tests;

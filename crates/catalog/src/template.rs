//! Path templates: `/orders/{id}/lines`, with parameters as whole segments (`{id}`) or as parts of
//! one (`{name}.json`, `{id}:cancel`).

use crate::spelling;

/// The most segments of a template; bounds the depth of the matcher.
pub const SEGMENTS_MAX: usize = 64;

/// Why a text is not a path template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadTemplate {
    /// Does not begin with a slash.
    #[error("a path begins with `/`")]
    NoSlash,
    /// Two slashes in a row.
    #[error("a path has no empty segment (`//`)")]
    EmptySegment,
    /// `.` or `..`.
    #[error("a path has no dot segments")]
    DotSegment,
    /// More segments than [`SEGMENTS_MAX`].
    #[error("a path has at most {SEGMENTS_MAX} segments")]
    TooLong,
    /// A character that cannot stand in a path.
    #[error("`{0}` cannot stand in a path template")]
    BadCharacter(char),
    /// Braces that do not pair up around a name.
    #[error("`{0}` has braces that do not enclose a parameter name")]
    BadBraces(String),
    /// Two parameters without text between them.
    #[error("in `{0}` two parameters touch, so their values cannot be told apart")]
    Touching(String),
    /// One name for two parameters.
    #[error("the parameter `{0}` occurs twice")]
    Twice(String),
}

/// A parsed template, its literal texts spelled as requests are when they are matched. A trailing
/// slash does not count and is dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    segments: Vec<Segment>,
}

/// What one segment of a path must look like.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Segment {
    /// Exactly this text.
    Literal(String),
    /// Literal texts with a non-empty value in each gap; the first and the last may be empty.
    Mixed(Vec<String>),
    /// Anything but nothing.
    Parameter,
}

impl Template {
    /// Parses a template.
    pub fn parse(text: &str) -> Result<Self, BadTemplate> {
        let path = text.strip_prefix('/').ok_or(BadTemplate::NoSlash)?;
        if path == "/" {
            return Err(BadTemplate::EmptySegment);
        }
        let path = path.strip_suffix('/').unwrap_or(path);
        let mut names = Vec::new();
        let mut segments = Vec::new();
        if !path.is_empty() {
            for segment in path.split('/') {
                segments.push(Segment::parse(segment, &mut names)?);
            }
        }
        if segments.len() > SEGMENTS_MAX {
            return Err(BadTemplate::TooLong);
        }
        names.sort_unstable();
        let repeated = names.iter().zip(names.iter().skip(1)).find(|(one, next)| one == next);
        match repeated {
            Some((name, _)) => Err(BadTemplate::Twice((*name).to_owned())),
            None => Ok(Self { segments }),
        }
    }

    /// The template with nameless parameters: templates of one shape match the same paths.
    pub fn shape(&self) -> String {
        if self.segments.is_empty() {
            return "/".to_owned();
        }
        let text = |segment: &Segment| match segment {
            Segment::Literal(text) => text.clone(),
            Segment::Mixed(texts) => texts.join("{}"),
            Segment::Parameter => "{}".to_owned(),
        };
        self.segments.iter().map(|segment| format!("/{}", text(segment))).collect()
    }

    pub(crate) fn segments(&self) -> &[Segment] {
        &self.segments
    }
}

impl Segment {
    fn parse<'t>(text: &'t str, names: &mut Vec<&'t str>) -> Result<Self, BadTemplate> {
        match text {
            "" => return Err(BadTemplate::EmptySegment),
            "." | ".." => return Err(BadTemplate::DotSegment),
            _ => {}
        }
        let foreign = |c: &char| c.is_whitespace() || c.is_control() || "?#\\\"<>^`|".contains(*c);
        if let Some(bad) = text.chars().find(foreign) {
            return Err(BadTemplate::BadCharacter(bad));
        }
        let texts = pieces(text, names)?;
        match texts.as_slice() {
            // An escaped dot is a dot.
            [literal] if matches!(literal.as_str(), "." | "..") => Err(BadTemplate::DotSegment),
            [literal] => Ok(Self::Literal(literal.clone())),
            [before, after] if before.is_empty() && after.is_empty() => Ok(Self::Parameter),
            [_, between @ .., _] if between.iter().any(String::is_empty) => {
                Err(BadTemplate::Touching(text.to_owned()))
            }
            _ => Ok(Self::Mixed(texts)),
        }
    }

    /// How many characters are fixed: the more, the more specific.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::Literal(text) => text.len(),
            Self::Mixed(texts) => texts.iter().map(String::len).sum(),
            Self::Parameter => 0,
        }
    }
}

/// The literal texts around the parameters of a segment, one more than it has parameters.
fn pieces<'t>(text: &'t str, names: &mut Vec<&'t str>) -> Result<Vec<String>, BadTemplate> {
    let bad = || BadTemplate::BadBraces(text.to_owned());
    let mut texts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').ok_or_else(bad)?;
        if name.is_empty() || name.contains('{') || before.contains('}') {
            return Err(bad());
        }
        names.push(name);
        texts.push(spelling::canonical(before));
        rest = after;
    }
    if rest.contains('}') {
        return Err(bad());
    }
    texts.push(spelling::canonical(rest));
    Ok(texts)
}

/// Whether `segment` has the literal texts in order with something in every gap.
pub(crate) fn fits(texts: &[String], segment: &str) -> bool {
    let [first, middle @ .., last] = texts else { return false };
    let Some(rest) = segment.strip_prefix(first.as_str()) else { return false };
    let Some(mut rest) = rest.strip_suffix(last.as_str()) else { return false };
    // Leftmost is enough: a later occurrence of a text leaves less room for those after it.
    for text in middle {
        // One character at least belongs to the value before the text.
        let mut after = rest.chars();
        if after.next().is_none() {
            return false;
        }
        match after.as_str().split_once(text.as_str()) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    !rest.is_empty()
}

#[cfg(test)]
mod tests;

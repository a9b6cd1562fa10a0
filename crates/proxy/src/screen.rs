//! What a caller may see of a response: decided by its head, carried out as its body comes.
//!
//! Nothing passes because it could not be read. A body that is no JSON, packed in a way that is not
//! read here, or part of a whole, is refused; a body of an answer that is no success is left out,
//! because what it says is described nowhere.

use std::sync::Arc;

use filter::{Alternative, Fields, Filter, Limits, Mode, Plan, Report, Tie, Trouble};
use policy::{Part, Shows};
use traffic::Reason;
use traffic::headers::Framing;

use crate::h1::response::ResponseHead;

/// What is to be done to the response of one request.
#[derive(Debug, Clone)]
pub(crate) struct Screen(Arc<Plan>);

/// What becomes of the body that follows a head.
pub(crate) enum Opening {
    /// There is none.
    Bodiless,
    /// It is left out.
    Omitted,
    /// It is filtered.
    Filtered(Box<Screening>),
}

impl Screen {
    /// `None` when everything may be seen. What cannot be carried out refuses.
    pub(crate) fn of(shows: &Shows) -> Result<Option<Self>, Reason> {
        let Shows::Parts(parts) = shows else { return Ok(None) };
        let plan = Plan::compile(parts.iter().map(alternative).collect());
        plan.map(|plan| Some(Self(Arc::new(plan)))).map_err(|error| {
            tracing::error!(%error, "what a grant shows cannot be carried out");
            Reason::PolicyError
        })
    }

    /// Looks at the head of a final response.
    pub(crate) fn open(&self, head: &ResponseHead<'_>) -> Result<Opening, Reason> {
        if head.judged.framing == Framing::None || head.judged.framing == Framing::Length(0) {
            return Ok(Opening::Bodiless);
        }
        if head.status == 206 {
            return Err(Reason::ResponseUnreadable);
        }
        if !(200..300).contains(&head.status) {
            return Ok(Opening::Omitted);
        }
        if !is_unpacked(head) {
            return Err(Reason::ResponseUnreadable);
        }
        let mode = mode(head).ok_or(Reason::ResponseUnreadable)?;
        let filter = Filter::new(Arc::clone(&self.0), mode, Limits::default());
        let streams = mode != Mode::Document;
        Ok(Opening::Filtered(Box::new(Screening { filter, out: Vec::new(), streams, over: false })))
    }
}

fn alternative(part: &Part) -> Alternative {
    let ties = part
        .ties
        .iter()
        .map(|(path, allowed)| Tie { path: path.clone(), allowed: allowed.clone() });
    Alternative {
        fields: part.fields.clone().map_or(Fields::All, Fields::Only),
        ties: ties.collect(),
    }
}

fn values<'h>(head: &ResponseHead<'h>, name: &str) -> Vec<&'h [u8]> {
    let named = head.fields.iter().filter(|field| field.name.eq_ignore_ascii_case(name));
    named.map(|field| field.value).collect()
}

fn is_unpacked(head: &ResponseHead<'_>) -> bool {
    values(head, "content-encoding").iter().all(|value| value.eq_ignore_ascii_case(b"identity"))
}

fn mode(head: &ResponseHead<'_>) -> Option<Mode> {
    match values(head, "content-type").as_slice() {
        [value] => Mode::for_content_type(std::str::from_utf8(value).ok()?),
        _ => None,
    }
}

/// Whether a field of a response says something of the body that is no longer true of what is left
/// of it (RFC 9110 §8, RFC 9530).
pub(crate) fn is_about_the_whole(name: &str) -> bool {
    const ABOUT: [&str; 8] = [
        "etag",
        "content-encoding",
        "content-range",
        "accept-ranges",
        "content-md5",
        "digest",
        "content-digest",
        "repr-digest",
    ];
    ABOUT.iter().any(|about| name.eq_ignore_ascii_case(about))
}

/// Whether a field of a request asks for something that a filter cannot give: a part, or a packed
/// form.
pub(crate) fn asks_for_other_forms(name: &str) -> bool {
    ["range", "if-range", "accept-encoding"].iter().any(|asks| name.eq_ignore_ascii_case(asks))
}

/// The body of one response on its way through the filter.
pub(crate) struct Screening {
    filter: Filter,
    out: Vec<u8>,
    /// Parts of it are whole by themselves, so its head need not wait.
    streams: bool,
    over: bool,
}

impl Screening {
    /// Takes a piece of the body; gives what may be seen so far.
    pub(crate) fn push(&mut self, data: &[u8]) -> Result<&[u8], Reason> {
        self.out.clear();
        self.filter.push(data, &mut self.out).map_err(reason)?;
        Ok(&self.out)
    }

    /// The body is complete.
    pub(crate) fn finish(&mut self) -> Result<&[u8], Reason> {
        self.out.clear();
        self.over = true;
        self.filter.finish(&mut self.out).map_err(reason)?;
        Ok(&self.out)
    }

    /// Nothing of the answer may leave yet, its head neither: it may still have to be refused.
    pub(crate) fn is_undecided(&self) -> bool {
        !self.streams && !self.over && !self.filter.has_written()
    }

    /// What was removed, for the record.
    pub(crate) fn removed(&self) -> Vec<String> {
        let Report { mut removed, removed_more, items_removed, withheld, .. } =
            self.filter.report();
        let mut count = |count: u64, what: &str| {
            if count > 0 {
                removed.push(format!("({count} {what})"));
            }
        };
        count(removed_more, "more");
        count(items_removed, "items");
        count(withheld, "messages");
        removed
    }
}

fn reason(trouble: Trouble) -> Reason {
    match trouble {
        Trouble::Withheld => Reason::ObjectNotAllowed,
        _ => Reason::ResponseUnreadable,
    }
}

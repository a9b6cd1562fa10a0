//! What a caller may see of a response: decided by its head, carried out as its body comes.
//!
//! Nothing passes because it could not be read. A body that is no JSON, packed in a way that is not
//! read here, or part of a whole, is refused; a body of an answer that is no success is left out,
//! because what it says is described nowhere. What is packed in a way that is read leaves plain. An
//! answer that only tells of a body tells of the whole one, so its length does not leave; where the
//! body would be judged, nobody can, and it is refused.

use std::collections::BTreeSet;
use std::sync::Arc;

use filter::{
    Alternative, Fields, Filter, Limits, Mode, Packing, Plan, Report, Tie, Trouble, Unpacker,
};
use policy::{Part, Shows, Visible};
use traffic::Reason;
use traffic::headers::Framing;

use crate::h1::response::ResponseHead;
use crate::watching::Noticed;

/// What is to be done to the response of one request.
#[derive(Debug, Clone)]
pub(crate) struct Screen {
    plan: Arc<Plan>,
    /// The names that grants have for what they show or judge.
    names: Arc<BTreeSet<String>>,
    /// Nothing is shown of an answer that was not judged.
    judges: bool,
}

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
        let plan = plan.map_err(|error| {
            tracing::error!(%error, "what a grant shows cannot be carried out");
            Reason::PolicyError
        })?;
        Ok(Some(Self {
            plan: Arc::new(plan),
            names: Arc::new(parts.iter().flat_map(names).collect()),
            judges: parts.iter().all(|part| !part.ties.is_empty()),
        }))
    }

    /// Whether the grants name a property, or something in it.
    pub(crate) fn names(&self, path: &str) -> bool {
        self.names.iter().any(|name| catalog::field::is_within(name, path))
    }

    /// Looks at the head of a final response.
    pub(crate) fn open(&self, head: &ResponseHead<'_>) -> Result<Opening, Reason> {
        let vouches = head.status == 304 || (200..300).contains(&head.status);
        if self.judges && head.judged.stands_for_get && vouches {
            return Err(Reason::ResponseUnreadable);
        }
        if head.judged.framing == Framing::None || head.judged.framing == Framing::Length(0) {
            return Ok(Opening::Bodiless);
        }
        if head.status == 206 {
            return Err(Reason::ResponseUnreadable);
        }
        if !(200..300).contains(&head.status) {
            return Ok(Opening::Omitted);
        }
        let unpacker = packing(head)?.map(Unpacker::new);
        let mode = mode(head).ok_or(Reason::ResponseUnreadable)?;
        let filter = Filter::new(Arc::clone(&self.plan), mode, Limits::default());
        let streams = mode != Mode::Document;
        let screening = Screening { filter, unpacker, out: Vec::new(), streams, over: false };
        Ok(Opening::Filtered(Box::new(screening)))
    }
}

fn alternative(part: &Part) -> Alternative {
    let ties = part
        .ties
        .iter()
        .map(|(path, allowed)| Tie { path: path.clone(), allowed: allowed.clone() });
    Alternative {
        fields: match part.fields.clone() {
            None => Fields::All,
            Some(Visible::Whole(paths)) => Fields::Only(paths),
            Some(Visible::Described { shown, hidden: others }) => {
                Fields::Described { shown, others }
            }
        },
        ties: ties.collect(),
    }
}

/// What a grant names itself: of what a document describes, the document does.
fn names(part: &Part) -> impl Iterator<Item = String> {
    let shown = match &part.fields {
        Some(Visible::Whole(paths)) => Some(paths),
        Some(Visible::Described { .. }) | None => None,
    };
    let tied = part.ties.iter().map(|(place, _)| {
        let place = place.replace("[]", "");
        place.strip_prefix('.').map_or(place.clone(), str::to_owned)
    });
    shown.into_iter().flatten().cloned().chain(tied)
}

fn values<'h>(head: &ResponseHead<'h>, name: &str) -> Vec<&'h [u8]> {
    let named = head.fields.iter().filter(|field| field.name.eq_ignore_ascii_case(name));
    named.map(|field| field.value).collect()
}

/// How the body is packed. What is packed twice, or in a way that is not read here, refuses.
pub(crate) fn packing(head: &ResponseHead<'_>) -> Result<Option<Packing>, Reason> {
    let mut packing = None;
    for value in values(head, "content-encoding") {
        let value = std::str::from_utf8(value).map_err(|_| Reason::ResponseUnreadable)?;
        for coding in value.split(',').map(|coding| coding.trim_matches([' ', '\t'])) {
            if coding.is_empty() || coding.eq_ignore_ascii_case("identity") {
                continue;
            }
            let read = Packing::for_coding(coding).ok_or(Reason::ResponseUnreadable)?;
            if packing.replace(read).is_some() {
                return Err(Reason::ResponseUnreadable);
            }
        }
    }
    Ok(packing)
}

pub(crate) fn mode(head: &ResponseHead<'_>) -> Option<Mode> {
    match values(head, "content-type").as_slice() {
        [value] => Mode::for_content_type(std::str::from_utf8(value).ok()?),
        _ => None,
    }
}

/// Whether a field of a response says something of the body that is no longer true of what is left
/// of it (RFC 9110 §8, RFC 9530).
pub(crate) fn is_about_the_whole(name: &str) -> bool {
    const ABOUT: [&str; 9] = [
        "etag",
        // That of what is left is said anew.
        "content-length",
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
/// form. What the upstream packs is unpacked here and leaves plain, so packing would be work for
/// both that nobody gains by.
pub(crate) fn asks_for_other_forms(name: &str) -> bool {
    ["range", "if-range", "accept-encoding"].iter().any(|asks| name.eq_ignore_ascii_case(asks))
}

/// How many bytes are unpacked before others get their turn: what is packed can be thousands of times
/// as long as what came, and all of it may be left out, so that no caller's pace bounds the work.
const TURN_BYTES: usize = 256 * 1024;

/// How much may still be unpacked before others get their turn.
#[derive(Debug, Default)]
pub(crate) struct Turn(usize);

impl Turn {
    /// Others had theirs.
    pub(crate) fn begin(&mut self) {
        self.0 = 0;
    }

    pub(crate) fn is_over(&self) -> bool {
        self.0 >= TURN_BYTES
    }
}

/// The body of one response on its way through the filter.
pub(crate) struct Screening {
    filter: Filter,
    /// The body comes packed.
    unpacker: Option<Unpacker>,
    out: Vec<u8>,
    /// Parts of it are whole by themselves, so its head need not wait.
    streams: bool,
    over: bool,
}

impl Screening {
    /// Takes a piece of the body; gives what may be seen so far. Of a packed body that is asked for
    /// with [`Self::more`], until [`Self::has_more`] says no; then comes the next piece.
    pub(crate) fn push(&mut self, data: &[u8]) -> Result<&[u8], Reason> {
        self.out.clear();
        match &mut self.unpacker {
            Some(unpacker) => unpacker.feed(data),
            None => self.filter.push(data, &mut self.out).map_err(reason)?,
        }
        Ok(&self.out)
    }

    /// More of what was pushed can be unpacked.
    pub(crate) fn has_more(&self) -> bool {
        self.unpacker.as_ref().is_some_and(|unpacker| !unpacker.is_hungry())
    }

    /// Unpacks a piece of what was pushed; gives what may be seen of it.
    pub(crate) fn more(&mut self, turn: &mut Turn) -> Result<&[u8], Reason> {
        self.out.clear();
        if let Some(unpacker) = &mut self.unpacker {
            let piece = unpacker.pull().map_err(reason)?;
            turn.0 += piece.len();
            self.filter.push(piece, &mut self.out).map_err(reason)?;
        }
        Ok(&self.out)
    }

    /// The body is complete, and there is no more of it to unpack.
    pub(crate) fn finish(&mut self) -> Result<&[u8], Reason> {
        self.out.clear();
        if let Some(unpacker) = &mut self.unpacker {
            unpacker.finish().map_err(reason)?;
        }
        self.over = true;
        self.filter.finish(&mut self.out).map_err(reason)?;
        Ok(&self.out)
    }

    /// Nothing of the answer may leave yet, its head neither: it may still have to be refused.
    pub(crate) fn is_undecided(&self) -> bool {
        !self.streams && !self.over && !self.filter.has_written()
    }

    /// What was removed and what passed, for the record.
    pub(crate) fn noticed(&self) -> Noticed {
        let Report { removed, removed_more, items_removed, withheld, seen, seen_more, .. } =
            self.filter.report();
        let mut counts = Vec::new();
        let mut count = |count: u64, what: &str| {
            if count > 0 {
                counts.push(format!("({count} {what})"));
            }
        };
        count(removed_more, "more");
        count(items_removed, "items");
        count(withheld, "messages");
        Noticed { removed, counts, passed: Some((seen, seen_more)), ..Noticed::default() }
    }
}

fn reason(trouble: Trouble) -> Reason {
    match trouble {
        Trouble::Withheld => Reason::ObjectNotAllowed,
        _ => Reason::ResponseUnreadable,
    }
}

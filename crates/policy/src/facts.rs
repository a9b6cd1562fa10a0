//! What a decision may look at beside the caller, the operation and the time.

use std::borrow::Cow;
use std::net::IpAddr;

use grant::Place;
use smallvec::SmallVec;

use crate::lookup::{Answers, NO_ANSWERS};

/// What is known of a request. Every member only ever serves a condition: a grant without terms is
/// decided without it.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// Where the request comes from. Unknown is in no network.
    pub source: Option<IpAddr>,
    /// 0 to 9,999, the same for one request whoever asks ([`draw_of`]): tells which requests a
    /// stepwise change is in force for.
    pub draw: u16,
    /// The values of the request itself.
    pub request: &'a dyn Request,
    /// What sources said of relations that are looked up.
    pub answers: &'a Answers,
}

/// A request as conditions read it.
pub trait Request {
    /// The values at a place. Of a place in the response nothing is known here.
    fn read(&self, place: &Place) -> Reading<'_>;

    /// Whether the properties of the JSON body are all among these, by dotted names.
    fn writes(&self, allowed: &[String]) -> Writes;
}

/// What a request would write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Writes {
    /// Nothing but what is allowed; also without a body.
    Within,
    /// These properties are not allowed.
    Outside(Vec<String>),
    /// The body was not read yet.
    Later,
    /// The body is no JSON, or nobody can know it.
    Unreadable,
}

/// What stands at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading<'a> {
    /// Each of the values; none = it is missing.
    Values(SmallVec<[Cow<'a, str>; 1]>),
    /// Not read yet: the body. Asked again with it, the answer is another one.
    Later,
    /// It is there and cannot be read, or nobody can know it (a recorded call keeps no body).
    Unreadable,
}

impl<'a> Reading<'a> {
    /// It is missing.
    pub fn absent() -> Self {
        Self::Values(SmallVec::new())
    }

    /// One value.
    pub fn one(value: impl Into<Cow<'a, str>>) -> Self {
        Self::Values(SmallVec::from_iter([value.into()]))
    }
}

/// Of which nothing can be read.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoRequest;

impl Request for NoRequest {
    fn read(&self, _place: &Place) -> Reading<'_> {
        Reading::Unreadable
    }

    fn writes(&self, _allowed: &[String]) -> Writes {
        Writes::Unreadable
    }
}

impl<'a> Facts<'a> {
    /// What is known of a request, and no answers of sources.
    pub fn of(source: Option<IpAddr>, draw: u16, request: &'a dyn Request) -> Self {
        Self { source, draw, request, answers: &NO_ANSWERS }
    }

    /// Nothing is known.
    pub fn unknown() -> Facts<'static> {
        Facts { source: None, draw: 0, request: &NoRequest, answers: &NO_ANSWERS }
    }
}

/// The draw of a request: its id, hashed (FNV-1a), so that a record says what its request drew.
pub fn draw_of(request_id: &str) -> u16 {
    draw_of_parts([request_id])
}

/// The draw of several texts together.
pub(crate) fn draw_of_parts<const N: usize>(parts: [&str; N]) -> u16 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let bytes = parts.iter().flat_map(|part| part.bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325, step);
    u16::try_from((hash >> 16) % 10_000).unwrap_or(0)
}

impl std::fmt::Debug for Facts<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { source, draw, request: _, answers } = self;
        let mut shown = f.debug_struct("Facts");
        shown.field("source", source).field("draw", draw).field("answers", answers);
        shown.finish_non_exhaustive()
    }
}

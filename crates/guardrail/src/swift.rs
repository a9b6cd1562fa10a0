//! Guardrails without Cedar: what most of them say, compiled into a form that is judged in tens of
//! nanoseconds, where Cedar first needs the request in a form of its own.
//!
//! Cedar stays what defines them. Whatever is not known here to the letter (another function, an
//! absent member, a value that cannot be read) is left to it, and the differential test holds both
//! against each other on a million requests.

mod compile;
mod run;

use cedar_policy::pst::PatternElem;
use grant::Place;
use ipnet::IpNet;

pub(crate) use run::Asking;

/// One guardrail.
#[derive(Debug, Clone)]
pub(crate) struct Swift {
    principal: Principal,
    action: Action,
    resource: Resource,
    /// Whatever it looks at of the request.
    places: Box<[Place]>,
    /// What each condition must come to.
    conditions: Box<[(bool, Truth)]>,
}

#[derive(Debug, Clone)]
enum Principal {
    Any,
    Is(String),
    In(String),
}

#[derive(Debug, Clone)]
enum Action {
    Any,
    Is(String),
    In(Box<[String]>),
}

#[derive(Debug, Clone)]
enum Resource {
    Any,
    Is(String),
}

/// What is true or not.
#[derive(Debug, Clone)]
enum Truth {
    Known(bool),
    Not(Box<Truth>),
    /// From left to right, to the first that does not hold.
    All(Box<[Truth]>),
    /// From left to right, to the first that holds.
    Any(Box<[Truth]>),
    Choose(Box<[Truth; 3]>),
    HasText(Text),
    HasSet(Set),
    HasSource,
    Same(Text, Text),
    Compare(Order, Number, Number),
    Contains(Set, Text),
    ContainsAll(Set, Set),
    ContainsAny(Set, Set),
    IsEmpty(Set),
    InRange(IpNet),
    Like(Text, Box<[PatternElem]>),
    Principal(Principal),
    Action(Action),
    Resource(Resource),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Equal,
    Less,
    AtMost,
}

#[derive(Debug, Clone)]
enum Text {
    Literal(String),
    CredentialClass,
    Strength,
    Binding,
    /// A member of the caller's entity.
    OfPrincipal(OfPrincipal),
    /// A member of the API's.
    OfApi(OfApi),
}

#[derive(Debug, Clone, Copy)]
enum OfPrincipal {
    Id,
    Kind,
    Environment,
    Owner,
    Vendor,
    Email,
}

#[derive(Debug, Clone, Copy)]
enum OfApi {
    Name,
    Impact,
    Mode,
    Environment,
    Owner,
}

/// A whole number, or a time in milliseconds: never one with the other, for types were checked.
#[derive(Debug, Clone, Copy)]
enum Number {
    Literal(i64),
    Now,
    NowMicros,
    WeekMinute,
    Draw,
}

/// A set of texts.
#[derive(Debug, Clone)]
enum Set {
    Literal(Box<[String]>),
    Place(Place),
    Claim(String),
    Attribute(String),
    Related(String),
    Accept,
}

//! HTTP/1.1 as the gate speaks it, on both sides. Own code, because a general library repairs what
//! must be refused (both framings at once) and costs half a proxy.

pub(crate) mod body;
mod bridge;
pub(crate) mod connection;
pub(crate) mod exchange;
pub(crate) mod head;
pub(crate) mod response;
pub(crate) mod trailers;
mod tunnel;

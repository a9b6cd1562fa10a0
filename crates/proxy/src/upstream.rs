//! The upstream side: where requests go, the connections kept for them, the head they are sent.

mod address;
pub(crate) mod connect;
pub(crate) mod head;
pub(crate) mod lines;
pub(crate) mod passage;
mod pool;

pub use address::Upstream;
pub(crate) use lines::Lines;
pub(crate) use pool::Pool;

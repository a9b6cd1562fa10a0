//! The catalogue of protected services: APIs, their operations, and the documents (OpenAPI 3.0,
//! 3.1, Swagger 2.0 in JSON or YAML) that operations are read from.
//!
//! No I/O: documents come in as text. Fetching them is the shell's.
#![forbid(unsafe_code)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unreachable
)]

pub mod api;
pub mod capture;
pub mod checks;
pub mod field;
pub mod list;
pub mod matcher;
pub mod openapi;
pub mod spelling;
pub mod template;

pub use api::{
    Accept, Api, ApiMode, DataClass, Impact, Method, Operation, Protocol, Timeouts, check_limits,
};
pub use checks::{CheckMode, ContractSource};
pub use field::Field;
pub use matcher::Matcher;
pub use openapi::{Document, Prefix, import};
pub use template::Template;

//! The configuration file: one TOML file, checked before anything acts on it. This module reads
//! and judges; it starts nothing and changes nothing.

pub(crate) mod check;
pub(crate) mod diagnostic;
pub(crate) mod keys;
mod raw;
pub(crate) mod read;
pub(crate) mod schema;
pub(crate) mod secret;
pub(crate) mod settings;
mod unusable;

#[cfg(test)]
mod tests;

pub(crate) use diagnostic::Diagnostics;
pub(crate) use read::{parse, read};
pub(crate) use secret::SecretRef;
pub(crate) use settings::{
    ApiSetting, Database, IssuerSetting, Location, RelationSetting, Settings, TlsFiles,
};
pub(crate) use unusable::Unusable;

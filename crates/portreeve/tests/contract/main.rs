//! The binary from outside: command line, configuration, servers as child processes. Everything
//! happens on loopback, on ports that the system chooses, in directories of its own.

mod streams;
mod support;

mod commands;
mod configuration;
mod demo;
mod durability;
mod first_steps;
mod issuers;
mod limits;
mod lookups;
mod nodes;
mod protocols;
mod reload;
mod slips;
mod sources;
mod timeouts;
mod tls;

//! The whole gate over real sockets on loopback, against an upstream that sees every byte.

#![expect(unreachable_pub, reason = "the modules of a test binary share one kit")]

mod kit;
mod packed;

mod attack;
mod bridge;
mod conditions;
mod contract;
mod crossing;
mod described;
mod ext_auth;
mod first;
mod forms;
mod grpc;
mod h2kit;
mod http2;
mod jwt;
mod limits;
mod lookup;
mod mtls;
mod proofs;
mod record;
mod revocation;
mod rollout;
mod screen;
mod secure;
mod seen;
mod stream;
mod streams;
mod trailers;

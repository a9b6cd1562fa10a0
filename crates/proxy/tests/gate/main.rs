//! The whole gate over real sockets on loopback, against an upstream that sees every byte.

#![expect(unreachable_pub, reason = "the modules of a test binary share one kit")]

mod kit;

mod attack;
mod bridge;
mod first;
mod grpc;
mod h2kit;
mod http2;
mod jwt;
mod record;
mod revocation;
mod secure;
mod stream;
mod streams;
mod trailers;

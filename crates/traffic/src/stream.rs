//! A request that is open at the gate: forwarded, and not over.

use base::{ApiId, CredentialId, GrantId, IdentityId, OperationId, RequestId, Timestamp, words};
use serde::{Deserialize, Serialize};

words! {
    /// What keeps a request open.
    StreamKind {
        /// A tunnel after a switch to WebSocket (RFC 6455), or the wait for that switch.
        WebSocket = "websocket",
        /// An answer of server-sent events.
        EventStream = "event_stream",
        /// A gRPC call, of any of its four kinds.
        Grpc = "grpc",
        /// A body on its way, in either direction, or the wait for an answer.
        Body = "body",
    }
}

/// What is known of one open request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenStream {
    /// The id that its caller was, or will be, told.
    pub request_id: RequestId,
    /// When its head was complete.
    pub since: Timestamp,
    /// Who calls.
    pub identity_id: IdentityId,
    /// With what.
    pub credential_id: CredentialId,
    /// Which API.
    pub api_id: ApiId,
    /// Which operation; `None` only in observe mode.
    pub operation: Option<OperationId>,
    /// The grants that let it in; none only in observe mode.
    pub grant_ids: Vec<GrantId>,
    /// What keeps it open.
    pub kind: StreamKind,
}

/// What became of the open requests that a change took the permission of, at one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CutCount {
    /// Those that have ended because of it.
    pub cut: u64,
    /// Those that were told to end and have not yet, when they were counted.
    pub open: u64,
}

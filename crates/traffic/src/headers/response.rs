//! The fields of a response.

use super::framing::FramingFields;
use super::kind::{self, Kind};
use super::{
    ConnectionOptions, FIELDS_MAX, Framing, Positions, Version, is_media_type, is_well_formed,
    remove_nominated,
};
use crate::Reason;

/// What the gate needs of the fields of an upstream's response.
#[derive(Debug)]
pub struct ResponseFields {
    /// Where the body ends.
    pub framing: Framing,
    /// The upstream keeps the connection.
    pub keep_alive: bool,
    /// The response switches to WebSocket.
    pub websocket: bool,
    /// The body is a stream of server-sent events.
    pub event_stream: bool,
    /// It says what a GET would bring, without bringing it.
    pub stands_for_get: bool,
    removed: Positions,
}

impl ResponseFields {
    /// Judges the fields of a response with `status` to a request that was, or was not, a HEAD.
    /// Whatever two readers could frame differently is [`Reason::UpstreamInvalid`].
    pub fn judge<'h>(
        version: Version,
        status: u16,
        to_head: bool,
        fields: impl Iterator<Item = (&'h [u8], &'h [u8])> + Clone,
    ) -> Result<Self, Reason> {
        let mut removed = Positions::default();
        let mut framing = FramingFields::default();
        let mut connection = ConnectionOptions::default();
        let (mut websocket, mut event_stream) = (false, false);
        // Of these responses the length says what a GET would have brought (RFC 9110 §8.6).
        let keeps_length = to_head || status == 304;
        for (index, (name, value)) in fields.clone().enumerate() {
            if index >= FIELDS_MAX || !is_well_formed(name, value) {
                return Err(Reason::UpstreamInvalid);
            }
            let travels = match kind::of(name) {
                Kind::ContentLength => {
                    framing.add_length(value);
                    keeps_length
                }
                Kind::TransferEncoding => {
                    framing.add_coding(value);
                    false
                }
                Kind::Connection => {
                    connection.add(value).map_err(|_| Reason::UpstreamInvalid)?;
                    false
                }
                Kind::Upgrade => {
                    websocket = value.eq_ignore_ascii_case(b"websocket");
                    false
                }
                Kind::RoutingAlias => return Err(Reason::UpstreamInvalid),
                Kind::Removed | Kind::Te => false,
                Kind::ContentType => {
                    event_stream = is_media_type(value, b"text/event-stream");
                    true
                }
                _ => true,
            };
            if !travels {
                removed.insert(index);
            }
        }
        if connection.nominates() {
            remove_nominated(fields, &mut removed);
        }
        let judged = framing.judge(version, Framing::UntilClose).ok_or(Reason::UpstreamInvalid)?;
        let bodiless = to_head || status < 200 || matches!(status, 204 | 304);
        Ok(Self {
            framing: if bodiless { Framing::None } else { judged },
            keep_alive: connection.persists(version),
            websocket: websocket && connection.upgrade,
            event_stream,
            stands_for_get: keeps_length,
            removed,
        })
    }

    /// Whether the field at `index` travels on.
    pub fn travels(&self, index: usize) -> bool {
        !self.removed.contains(index)
    }
}

//! What a request takes that ends with it: places among the requests at the same time. Given back
//! when it is dropped, however the request ends.

use smallvec::SmallVec;

use super::load::Ticket;

/// Shard and slot of each limit on requests at the same time. Slots that are in use are never given
/// up, so the numbers stay good.
pub(super) type Slots = SmallVec<[(usize, u32); 1]>;

/// What a request in flight takes.
pub struct Held {
    slots: Slots,
    in_flight: Ticket,
}

impl Held {
    pub(super) fn new(slots: Slots, in_flight: Ticket) -> Self {
        Self { slots, in_flight }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        for (shard, slot) in &self.slots {
            let Some(mut shard) = self.in_flight.limiter().shard(*shard) else { continue };
            if let Some(entry) = shard.entry_mut(*slot) {
                entry.meter.release();
            }
        }
    }
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Held").field("places", &self.slots.len()).finish_non_exhaustive()
    }
}

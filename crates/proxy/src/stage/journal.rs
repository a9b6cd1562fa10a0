//! The one record that every request leaves. A journal is opened with the request and closed by the
//! answer; one that is dropped open (the caller left, a task was ended, a stage failed in a way
//! nobody foresaw) records that the request was cancelled.

use std::sync::Arc;

use base::{Digest, RequestId, Timestamp};
use traffic::{CallRecord, Outcome, Reason};

use crate::gate::Core;
use crate::limits::Held;
use crate::recorder::RecordError;
use crate::streams::Entry;

/// Longest `User-Agent` that is kept, in bytes.
const USER_AGENT_BYTES_MAX: usize = 200;

/// Longest path that is kept, in bytes. Records of refusals wait in memory for the log, and anybody
/// can cause them.
const PATH_BYTES_MAX: usize = 2_048;

/// How far an answer came. Kept with the journal, so that a request which is broken off at any point
/// says what had passed by then.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    /// Status that the caller saw; 0 when none was sent.
    pub(crate) status: u16,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
}

pub(crate) struct Journal {
    core: Arc<Core>,
    tally: Tally,
    /// Present until the record is handed over.
    open: Option<Box<Open>>,
    request_id: RequestId,
    at: Timestamp,
}

/// What lasts as long as the request.
struct Open {
    record: CallRecord,
    /// What the request takes until it is over, however it ends.
    held: Option<Held>,
    /// The thumbprint of the key that its caller proved to hold.
    proved: Option<Digest>,
    /// What it is registered as, once it is forwarded.
    entry: Option<Arc<Entry>>,
}

impl Journal {
    /// Opens the journal of a request whose head was complete at `at`. Nothing is known yet.
    pub(crate) fn open(
        core: Arc<Core>,
        request_id: RequestId,
        at: Timestamp,
        source_ip: std::net::IpAddr,
    ) -> Self {
        let record = CallRecord {
            request_id: request_id.clone(),
            at,
            duration_us: 0,
            identity_id: None,
            credential_id: None,
            api_id: None,
            operation: None,
            method: String::new(),
            path: String::new(),
            source_ip,
            user_agent: None,
            outcome: Outcome::Refused,
            reason: Some(Reason::Cancelled),
            status: 0,
            grant_ids: Vec::new(),
            would_refuse: None,
            fields_removed: Vec::new(),
            violations: Vec::new(),
            fields_seen: None,
            guardrails: Vec::new(),
            bytes_in: 0,
            bytes_out: 0,
            ruleset_version: 0,
            binding: None,
            rollout: None,
        };
        let open = Open { record, held: None, proved: None, entry: None };
        Self { core, tally: Tally::default(), open: Some(Box::new(open)), request_id, at }
    }

    pub(crate) fn request_id(&self) -> &RequestId {
        &self.request_id
    }

    pub(crate) fn at(&self) -> Timestamp {
        self.at
    }

    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    /// The thumbprint of the key that the caller proved to hold for this request.
    pub(crate) fn proved(&self) -> Option<Digest> {
        self.open.as_ref()?.proved
    }

    pub(crate) fn set_proved(&mut self, key: Digest) {
        if let Some(open) = &mut self.open {
            open.proved = Some(key);
        }
    }

    /// What is known so far, but for the tally; `None` once the record was handed over.
    pub(crate) fn record(&self) -> Option<&CallRecord> {
        self.open.as_ref().map(|open| &open.record)
    }

    /// The answer is this.
    pub(crate) fn set_tally(&mut self, tally: Tally) {
        self.tally = tally;
    }

    /// What everybody shares, what the caller is told, and where to count what passes.
    pub(super) fn parts(&mut self) -> (&Arc<Core>, &RequestId, &mut Tally) {
        (&self.core, &self.request_id, &mut self.tally)
    }

    pub(crate) fn tally(&self) -> Tally {
        self.tally
    }

    /// Writes down what has become known.
    pub(crate) fn note(&mut self, write: impl FnOnce(&mut CallRecord)) {
        if let Some(open) = &mut self.open {
            write(&mut open.record);
        }
    }

    /// Keeps what the request takes until it is over.
    pub(crate) fn hold(&mut self, held: Held) {
        if let Some(open) = &mut self.open {
            open.held = Some(held);
        }
    }

    /// Records what becomes known of it while it is open.
    pub(crate) fn is_open_as(&mut self, entry: &Arc<Entry>) {
        if let Some(open) = &mut self.open {
            open.entry = Some(Arc::clone(entry));
        }
    }

    /// `path` is canonical, and so ASCII.
    pub(crate) fn note_path(&mut self, path: &str) {
        let cut = path.get(..PATH_BYTES_MAX).unwrap_or(path);
        self.note(|record| cut.clone_into(&mut record.path));
    }

    pub(crate) fn note_user_agent(&mut self, value: &[u8]) {
        let cut = value.get(..USER_AGENT_BYTES_MAX).unwrap_or(value);
        let mut text = String::from_utf8_lossy(cut).into_owned();
        let end = text.floor_char_boundary(USER_AGENT_BYTES_MAX);
        text.truncate(end);
        self.note(|record| record.user_agent = Some(text));
    }

    /// Hands the record over without waiting for it to be safe.
    pub(crate) fn close(mut self) {
        self.hand_over();
    }

    /// Hands the record over and waits until it is safe.
    pub(crate) async fn close_durably(mut self) -> Result<(), RecordError> {
        let Some(record) = self.take() else { return Ok(()) };
        self.core.recorder.record_durable(record).await
    }

    fn hand_over(&mut self) {
        if let Some(record) = self.take() {
            self.core.recorder.record(record);
        }
    }

    fn take(&mut self) -> Option<CallRecord> {
        let Open { mut record, held, proved: _, entry } = *self.open.take()?;
        if let Some(entry) = entry {
            record.rollout = entry.recorded();
        }
        // Before the record: who sees that the request is over may count on what it took.
        drop(held);
        let elapsed = self.core.clock.now().since(record.at).as_micros();
        record.duration_us = elapsed.max(0).unsigned_abs();
        let Tally { status, bytes_in, bytes_out } = self.tally;
        (record.status, record.bytes_in, record.bytes_out) = (status, bytes_in, bytes_out);
        Some(record)
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        // At the end of the grace it is the gate that breaks off.
        let reason =
            if self.core.ends_by_force() { Reason::ShuttingDown } else { Reason::Cancelled };
        self.note(|record| {
            record.reason = Some(reason);
            if record.outcome.was_let_through() {
                record.outcome = Outcome::Cancelled;
            }
        });
        self.hand_over();
    }
}

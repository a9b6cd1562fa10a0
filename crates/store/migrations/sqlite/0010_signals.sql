-- Behaviour that wants attention, as it was noticed while call records were folded. Written in the
-- transaction that moves the watermark of usage.
CREATE TABLE signal (
    kind TEXT NOT NULL,
    identity_id TEXT NOT NULL,
    api_id TEXT NOT NULL,
    operation TEXT NOT NULL,
    start_at INTEGER NOT NULL,
    credential_id TEXT NOT NULL,
    end_at INTEGER NOT NULL,
    detected_at INTEGER NOT NULL,
    objects INTEGER NOT NULL,
    misses INTEGER NOT NULL,
    in_order INTEGER NOT NULL,
    usual INTEGER NOT NULL,
    PRIMARY KEY (kind, identity_id, api_id, operation, start_at)
) STRICT, WITHOUT ROWID;
CREATE INDEX signal_by_time ON signal (start_at);
CREATE INDEX signal_by_identity ON signal (identity_id, start_at);

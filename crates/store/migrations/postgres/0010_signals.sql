-- Behaviour that wants attention, as it was noticed while call records were folded. Written in the
-- transaction that moves the watermark of usage.
CREATE TABLE signal (
    kind TEXT COLLATE "C" NOT NULL,
    identity_id TEXT COLLATE "C" NOT NULL,
    api_id TEXT COLLATE "C" NOT NULL,
    operation TEXT COLLATE "C" NOT NULL,
    start_at BIGINT NOT NULL,
    credential_id TEXT COLLATE "C" NOT NULL,
    end_at BIGINT NOT NULL,
    detected_at BIGINT NOT NULL,
    objects BIGINT NOT NULL,
    misses BIGINT NOT NULL,
    in_order BIGINT NOT NULL,
    usual BIGINT NOT NULL,
    PRIMARY KEY (kind, identity_id, api_id, operation, start_at)
);
CREATE INDEX signal_by_time ON signal (start_at);
CREATE INDEX signal_by_identity ON signal (identity_id, start_at);

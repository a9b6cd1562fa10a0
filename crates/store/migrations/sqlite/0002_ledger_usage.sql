-- The ledger of administrative events, use of grants folded from call records, and the sealed
-- segments of call records that the ledger holds.
-- Times are microseconds since 1970-01-01T00:00:00Z, enums their words, values JSON text.

CREATE TABLE ledger (
    sequence INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    event TEXT NOT NULL,
    actor TEXT NOT NULL,
    channel TEXT NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    detail TEXT NOT NULL,
    -- Digests of the entry before and of this one.
    previous TEXT NOT NULL,
    digest TEXT NOT NULL
) STRICT;
CREATE INDEX ledger_by_subject ON ledger (subject_id, sequence);
CREATE INDEX ledger_by_event ON ledger (event, sequence);

-- One row: the end of the chain and the frontier of the tree, so that an append reads no entry.
CREATE TABLE ledger_head (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    size INTEGER NOT NULL,
    digest TEXT NOT NULL,
    frontier TEXT NOT NULL
) STRICT;
INSERT INTO ledger_head (one, size, digest, frontier) VALUES
    (1, 0, '0000000000000000000000000000000000000000000000000000000000000000',
     '{"size":0,"roots":[]}');

-- Signed heads: one per transaction that appended.
CREATE TABLE ledger_checkpoint (
    size INTEGER PRIMARY KEY,
    signed_at INTEGER NOT NULL,
    note TEXT NOT NULL
) STRICT;

-- Calls let through, per grant, credential, operation and UTC day. No grant and no operation
-- (observe mode) are the empty text, which no id is.
CREATE TABLE grant_usage (
    day INTEGER NOT NULL,
    grant_id TEXT NOT NULL,
    credential_id TEXT NOT NULL,
    identity_id TEXT NOT NULL,
    api_id TEXT NOT NULL,
    operation TEXT NOT NULL,
    calls INTEGER NOT NULL,
    succeeded INTEGER NOT NULL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    PRIMARY KEY (grant_id, credential_id, identity_id, api_id, operation, day)
) STRICT, WITHOUT ROWID;
CREATE INDEX grant_usage_by_credential ON grant_usage (credential_id, day);
CREATE INDEX grant_usage_by_identity ON grant_usage (identity_id, day);
CREATE INDEX grant_usage_by_api ON grant_usage (api_id, day);
CREATE INDEX grant_usage_by_day ON grant_usage (day);

-- How far each node's call records are folded into grant_usage: the last batch that is in it.
CREATE TABLE usage_watermark (
    node_id TEXT PRIMARY KEY,
    segment INTEGER NOT NULL,
    batch INTEGER NOT NULL
) STRICT;

-- Sealed segments of call records that the ledger holds.
CREATE TABLE anchored_segment (
    node_id TEXT NOT NULL,
    segment INTEGER NOT NULL,
    records INTEGER NOT NULL,
    chain TEXT NOT NULL,
    root TEXT NOT NULL,
    -- Set when retention deleted it.
    expired_at INTEGER,
    PRIMARY KEY (node_id, segment)
) STRICT, WITHOUT ROWID;

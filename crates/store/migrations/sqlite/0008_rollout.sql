-- A change of policy that is put in force step by step, and what it does to calls meanwhile.

CREATE TABLE rollout (
    id TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    stage TEXT NOT NULL,
    document TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    -- 1 while it is beside the present ruleset, else NULL: there is one at a time.
    open_one INTEGER UNIQUE
) STRICT;
CREATE INDEX rollout_by_start ON rollout (started_at);

-- Calls that were decided while it was open, per node and piece of time.
CREATE TABLE rollout_count (
    rollout_id TEXT NOT NULL REFERENCES rollout (id),
    node_id TEXT NOT NULL,
    bucket INTEGER NOT NULL,
    judged INTEGER NOT NULL,
    governed INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    PRIMARY KEY (rollout_id, node_id, bucket)
) STRICT, WITHOUT ROWID;

-- Calls of which the two sides said different things. What is beyond a node's room has no caller.
CREATE TABLE rollout_difference (
    rollout_id TEXT NOT NULL REFERENCES rollout (id),
    identity_id TEXT NOT NULL,
    api_id TEXT NOT NULL,
    operation TEXT NOT NULL,
    governed_by TEXT NOT NULL,
    difference TEXT NOT NULL,
    reason TEXT NOT NULL,
    calls INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    PRIMARY KEY (rollout_id, identity_id, api_id, operation, governed_by, difference, reason)
) STRICT, WITHOUT ROWID;

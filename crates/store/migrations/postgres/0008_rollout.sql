-- A change of policy that is put in force step by step, and what it does to calls meanwhile.

CREATE TABLE rollout (
    id TEXT COLLATE "C" PRIMARY KEY,
    version BIGINT NOT NULL,
    stage TEXT NOT NULL,
    document TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    -- 1 while it is beside the present ruleset, else NULL: there is one at a time.
    open_one BIGINT UNIQUE
);
CREATE INDEX rollout_by_start ON rollout (started_at);

-- Calls that were decided while it was open, per node and piece of time.
CREATE TABLE rollout_count (
    rollout_id TEXT NOT NULL REFERENCES rollout (id),
    node_id TEXT NOT NULL,
    bucket BIGINT NOT NULL,
    judged BIGINT NOT NULL,
    governed BIGINT NOT NULL,
    refused BIGINT NOT NULL,
    PRIMARY KEY (rollout_id, node_id, bucket)
);

-- Calls of which the two sides said different things. What is beyond a node's room has no caller.
CREATE TABLE rollout_difference (
    rollout_id TEXT NOT NULL REFERENCES rollout (id),
    identity_id TEXT NOT NULL,
    api_id TEXT NOT NULL,
    operation TEXT NOT NULL,
    governed_by TEXT NOT NULL,
    difference TEXT NOT NULL,
    reason TEXT NOT NULL,
    calls BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    PRIMARY KEY (rollout_id, identity_id, api_id, operation, governed_by, difference, reason)
);

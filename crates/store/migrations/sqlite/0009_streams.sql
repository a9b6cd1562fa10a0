-- How upstreams are spoken to, and what the nodes cut with their changes.

ALTER TABLE api ADD COLUMN protocol TEXT NOT NULL DEFAULT 'h1';

-- Streams that a node ended because a change took their permission away; a change that ended none
-- has no row. Written together with the node's statement that it enforces the change.
CREATE TABLE stream_cut (
    change INTEGER NOT NULL,
    node_id TEXT NOT NULL,
    streams_cut INTEGER NOT NULL,
    -- Told to end, and still there when they were counted.
    streams_open INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (change, node_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX stream_cut_by_time ON stream_cut (at);

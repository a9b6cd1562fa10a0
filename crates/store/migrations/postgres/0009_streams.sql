-- How upstreams are spoken to, and what the nodes cut with their changes.

ALTER TABLE api ADD COLUMN protocol TEXT NOT NULL DEFAULT 'h1';

-- Streams that a node ended because a change took their permission away; a change that ended none
-- has no row. Written together with the node's statement that it enforces the change.
CREATE TABLE stream_cut (
    change BIGINT NOT NULL,
    node_id TEXT COLLATE "C" NOT NULL,
    streams_cut BIGINT NOT NULL,
    -- Told to end, and still there when they were counted.
    streams_open BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (change, node_id)
);
CREATE INDEX stream_cut_by_time ON stream_cut (at);

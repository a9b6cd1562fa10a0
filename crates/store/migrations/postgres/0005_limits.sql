-- Limits of APIs, and the book by which the nodes of a fleet divide them among them.

ALTER TABLE api ADD COLUMN limits TEXT NOT NULL DEFAULT '[]';
ALTER TABLE api ADD COLUMN costs TEXT NOT NULL DEFAULT '{}';

-- One row. A round of a node locks it first. Not the row of the change log: rounds are no changes,
-- and changes do not wait for them.
CREATE TABLE limit_book (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    sequence BIGINT NOT NULL
);
INSERT INTO limit_book (one, sequence) VALUES (1, 0);

-- The nodes that take part, each with its part of every key that it has no line for.
CREATE TABLE limit_node (
    id TEXT COLLATE "C" PRIMARY KEY,
    life BIGINT NOT NULL,
    split BIGINT NOT NULL,
    at BIGINT NOT NULL,
    sequence BIGINT NOT NULL
);

-- What one node has of one key. Of a rate it is a share in millionths, and `starts` and `ends` are
-- zero. Of a quota it is what is put down to the node in that day or month, used or not.
CREATE TABLE limit_line (
    key TEXT COLLATE "C" NOT NULL,
    starts BIGINT NOT NULL,
    ends BIGINT NOT NULL,
    holder TEXT COLLATE "C" NOT NULL,
    rule TEXT NOT NULL,
    holds BIGINT NOT NULL,
    used BIGINT NOT NULL,
    demand BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    PRIMARY KEY (key, starts, holder)
);
CREATE INDEX limit_line_by_sequence ON limit_line (sequence);

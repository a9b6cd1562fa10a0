-- Limits of APIs, and the book by which the nodes of a fleet divide them among them.

ALTER TABLE api ADD COLUMN limits TEXT NOT NULL DEFAULT '[]';
ALTER TABLE api ADD COLUMN costs TEXT NOT NULL DEFAULT '{}';

-- One row. A round of a node locks it first. Not the row of the change log: rounds are no changes,
-- and changes do not wait for them.
CREATE TABLE limit_book (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    sequence INTEGER NOT NULL
) STRICT;
INSERT INTO limit_book (one, sequence) VALUES (1, 0);

-- The nodes that take part, each with its part of every key that it has no line for.
CREATE TABLE limit_node (
    id TEXT PRIMARY KEY,
    life INTEGER NOT NULL,
    split INTEGER NOT NULL,
    at INTEGER NOT NULL,
    sequence INTEGER NOT NULL
) STRICT;

-- What one node has of one key. Of a rate it is a share in millionths, and `starts` and `ends` are
-- zero. Of a quota it is what is put down to the node in that day or month, used or not.
CREATE TABLE limit_line (
    key TEXT NOT NULL,
    starts INTEGER NOT NULL,
    ends INTEGER NOT NULL,
    holder TEXT NOT NULL,
    rule TEXT NOT NULL,
    holds INTEGER NOT NULL,
    used INTEGER NOT NULL,
    demand INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    PRIMARY KEY (key, starts, holder)
) STRICT;
CREATE INDEX limit_line_by_sequence ON limit_line (sequence);

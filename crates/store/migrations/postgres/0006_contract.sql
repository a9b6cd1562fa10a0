-- The document that an API's messages are checked against. Kept without checks too: they can be
-- turned on later.

CREATE TABLE contract (
    api_id TEXT COLLATE "C" PRIMARY KEY,
    name TEXT NOT NULL,
    document TEXT NOT NULL,
    requests TEXT NOT NULL,
    responses TEXT NOT NULL,
    closed BIGINT NOT NULL,
    strict_query BIGINT NOT NULL
);

-- The document that an API's messages are checked against. Kept without checks too: they can be
-- turned on later.

CREATE TABLE contract (
    api_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    document TEXT NOT NULL,
    requests TEXT NOT NULL,
    responses TEXT NOT NULL,
    closed INTEGER NOT NULL,
    strict_query INTEGER NOT NULL
) STRICT;

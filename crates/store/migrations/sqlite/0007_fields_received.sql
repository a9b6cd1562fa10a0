-- The last time that each property of answers was received, per grant, identity and operation, as far
-- as answers were looked at. No grant (observe mode) is the empty text, which no id is; `*` stands for
-- properties that the API's document does not have, `[more]` for some that are not listed.
CREATE TABLE field_received (
    grant_id TEXT NOT NULL,
    identity_id TEXT NOT NULL,
    api_id TEXT NOT NULL,
    operation TEXT NOT NULL,
    path TEXT NOT NULL,
    last_at INTEGER NOT NULL,
    PRIMARY KEY (grant_id, identity_id, api_id, operation, path)
) STRICT, WITHOUT ROWID;
CREATE INDEX field_received_by_identity ON field_received (identity_id, last_at);
CREATE INDEX field_received_by_time ON field_received (last_at);

-- The last time that each property of answers was received, per grant, identity and operation, as far
-- as answers were looked at. No grant (observe mode) is the empty text, which no id is; `*` stands for
-- properties that the API's document does not have, `[more]` for some that are not listed.
CREATE TABLE field_received (
    grant_id TEXT COLLATE "C" NOT NULL,
    identity_id TEXT COLLATE "C" NOT NULL,
    api_id TEXT COLLATE "C" NOT NULL,
    operation TEXT COLLATE "C" NOT NULL,
    path TEXT COLLATE "C" NOT NULL,
    last_at BIGINT NOT NULL,
    PRIMARY KEY (grant_id, identity_id, api_id, operation, path)
);
CREATE INDEX field_received_by_identity ON field_received (identity_id, last_at);
CREATE INDEX field_received_by_time ON field_received (last_at);

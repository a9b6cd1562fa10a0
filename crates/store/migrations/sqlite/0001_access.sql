-- The access state: what the gate enforces, who may act on it, and the log of its changes.
-- Times are microseconds since 1970-01-01T00:00:00Z, enums their words, lists JSON text.

-- One row. A writing transaction locks it first, so that sequences have no gaps and follow the
-- order of commits.
CREATE TABLE head (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    sequence INTEGER NOT NULL
) STRICT;
INSERT INTO head (one, sequence) VALUES (1, 0);

CREATE TABLE change_log (
    sequence INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    channel TEXT NOT NULL,
    event TEXT NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    before TEXT,
    after TEXT,
    note TEXT
) STRICT;
CREATE INDEX change_log_by_object ON change_log (kind, id, sequence);

CREATE TABLE api (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    hosts TEXT NOT NULL,
    path TEXT NOT NULL,
    upstream TEXT NOT NULL,
    mode TEXT NOT NULL,
    impact TEXT NOT NULL,
    owner TEXT,
    environment TEXT NOT NULL,
    accept TEXT NOT NULL,
    timeouts TEXT NOT NULL,
    operations TEXT NOT NULL,
    origin TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE identity (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL UNIQUE,
    owner TEXT,
    environment TEXT NOT NULL,
    purpose TEXT,
    email TEXT,
    manager TEXT,
    vendor TEXT,
    contract_end INTEGER,
    status TEXT NOT NULL,
    left_at INTEGER,
    seasonality TEXT NOT NULL,
    origin TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX identity_by_owner ON identity (owner);

-- `group` and `grant` are words of SQL, hence the longer names of these tables.
CREATE TABLE identity_group (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    origin TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE membership (
    group_id TEXT NOT NULL REFERENCES identity_group (id),
    identity_id TEXT NOT NULL REFERENCES identity (id),
    PRIMARY KEY (group_id, identity_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX membership_by_identity ON membership (identity_id);

CREATE TABLE credential (
    id TEXT PRIMARY KEY,
    identity_id TEXT NOT NULL REFERENCES identity (id),
    class TEXT NOT NULL,
    label TEXT NOT NULL,
    lookup TEXT NOT NULL,
    environment TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    rotates TEXT,
    status TEXT NOT NULL,
    revoked_at INTEGER,
    created_by TEXT NOT NULL,
    last_used_before INTEGER
) STRICT;
CREATE INDEX credential_by_identity ON credential (identity_id);
-- A presented secret proves at most one identity.
CREATE UNIQUE INDEX credential_by_lookup ON credential (lookup) WHERE status <> 'revoked';

CREATE TABLE access_grant (
    id TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    subject TEXT NOT NULL,
    api_id TEXT NOT NULL,
    operations TEXT NOT NULL,
    fields TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    status TEXT NOT NULL,
    reason TEXT NOT NULL,
    requested_by TEXT,
    approved_by TEXT,
    last_certified_at INTEGER,
    last_certified_by TEXT,
    origin TEXT NOT NULL
) STRICT;
CREATE INDEX access_grant_by_subject ON access_grant (subject);
CREATE INDEX access_grant_by_api ON access_grant (api_id);

-- Each running process and the ruleset version that it enforces.
CREATE TABLE node (
    id TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    since INTEGER NOT NULL,
    last_seen INTEGER NOT NULL
) STRICT;

CREATE TABLE session (
    lookup TEXT PRIMARY KEY,
    identity_id TEXT NOT NULL REFERENCES identity (id),
    created_at INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX session_by_identity ON session (identity_id);

CREATE TABLE sign_in_code (
    lookup TEXT PRIMARY KEY,
    identity_id TEXT NOT NULL REFERENCES identity (id),
    expires_at INTEGER NOT NULL
) STRICT;

CREATE TABLE admin_token (
    lookup TEXT PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    identity_id TEXT NOT NULL REFERENCES identity (id),
    role TEXT NOT NULL,
    label TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER
) STRICT;
CREATE INDEX admin_token_by_identity ON admin_token (identity_id);

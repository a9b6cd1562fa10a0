-- The access state: what the gate enforces, who may act on it, and the log of its changes.
-- Text that is ordered or paged by is collated "C", so that both databases sort it by bytes.
-- Times are microseconds since 1970-01-01T00:00:00Z, enums their words, lists JSON text.

-- One row. A writing transaction locks it first, so that sequences have no gaps and follow the
-- order of commits.
CREATE TABLE head (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    sequence BIGINT NOT NULL
);
INSERT INTO head (one, sequence) VALUES (1, 0);

CREATE TABLE change_log (
    sequence BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    channel TEXT NOT NULL,
    event TEXT NOT NULL,
    kind TEXT NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    before TEXT,
    after TEXT,
    note TEXT
);
CREATE INDEX change_log_by_object ON change_log (kind, id, sequence);

CREATE TABLE api (
    id TEXT COLLATE "C" PRIMARY KEY,
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
    created_at BIGINT NOT NULL
);

CREATE TABLE identity (
    id TEXT COLLATE "C" PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL UNIQUE,
    owner TEXT,
    environment TEXT NOT NULL,
    purpose TEXT,
    email TEXT,
    manager TEXT,
    vendor TEXT,
    contract_end BIGINT,
    status TEXT NOT NULL,
    left_at BIGINT,
    seasonality TEXT NOT NULL,
    origin TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX identity_by_owner ON identity (owner);

-- `group` and `grant` are words of SQL, hence the longer names of these tables.
CREATE TABLE identity_group (
    id TEXT COLLATE "C" PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    origin TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE membership (
    group_id TEXT COLLATE "C" NOT NULL REFERENCES identity_group (id),
    identity_id TEXT COLLATE "C" NOT NULL REFERENCES identity (id),
    PRIMARY KEY (group_id, identity_id)
);
CREATE INDEX membership_by_identity ON membership (identity_id);

CREATE TABLE credential (
    id TEXT COLLATE "C" PRIMARY KEY,
    identity_id TEXT NOT NULL REFERENCES identity (id),
    class TEXT NOT NULL,
    label TEXT NOT NULL,
    lookup TEXT COLLATE "C" NOT NULL,
    environment TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    rotates TEXT,
    status TEXT NOT NULL,
    revoked_at BIGINT,
    created_by TEXT NOT NULL,
    last_used_before BIGINT
);
CREATE INDEX credential_by_identity ON credential (identity_id);
-- A presented secret proves at most one identity.
CREATE UNIQUE INDEX credential_by_lookup ON credential (lookup) WHERE status <> 'revoked';

CREATE TABLE access_grant (
    id TEXT COLLATE "C" PRIMARY KEY,
    version BIGINT NOT NULL,
    subject TEXT NOT NULL,
    api_id TEXT NOT NULL,
    operations TEXT NOT NULL,
    fields TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    status TEXT NOT NULL,
    reason TEXT NOT NULL,
    requested_by TEXT,
    approved_by TEXT,
    last_certified_at BIGINT,
    last_certified_by TEXT,
    origin TEXT NOT NULL
);
CREATE INDEX access_grant_by_subject ON access_grant (subject);
CREATE INDEX access_grant_by_api ON access_grant (api_id);

-- Each running process and the ruleset version that it enforces.
CREATE TABLE node (
    id TEXT COLLATE "C" PRIMARY KEY,
    version BIGINT NOT NULL,
    since BIGINT NOT NULL,
    last_seen BIGINT NOT NULL
);

CREATE TABLE session (
    lookup TEXT COLLATE "C" PRIMARY KEY,
    identity_id TEXT NOT NULL REFERENCES identity (id),
    created_at BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX session_by_identity ON session (identity_id);

CREATE TABLE sign_in_code (
    lookup TEXT COLLATE "C" PRIMARY KEY,
    identity_id TEXT NOT NULL REFERENCES identity (id),
    expires_at BIGINT NOT NULL
);

CREATE TABLE admin_token (
    lookup TEXT COLLATE "C" PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL UNIQUE,
    identity_id TEXT NOT NULL REFERENCES identity (id),
    role TEXT NOT NULL,
    label TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT
);
CREATE INDEX admin_token_by_identity ON admin_token (identity_id);

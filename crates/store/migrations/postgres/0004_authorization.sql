-- What a grant allows under, roles, groups in groups, relations to objects, guardrails.

ALTER TABLE access_grant ADD COLUMN roles TEXT;
ALTER TABLE access_grant ADD COLUMN terms TEXT;
ALTER TABLE identity ADD COLUMN attributes TEXT;

-- Which group is in which; `group_id` is the one around.
CREATE TABLE nesting (
    group_id TEXT COLLATE "C" NOT NULL REFERENCES identity_group (id),
    member_id TEXT COLLATE "C" NOT NULL REFERENCES identity_group (id),
    PRIMARY KEY (group_id, member_id)
);

-- Each group with itself and every group in it, however deep: written with `nesting`.
CREATE TABLE group_within (
    group_id TEXT COLLATE "C" NOT NULL REFERENCES identity_group (id),
    member_id TEXT COLLATE "C" NOT NULL REFERENCES identity_group (id),
    PRIMARY KEY (group_id, member_id)
);
CREATE INDEX group_within_by_member ON group_within (member_id);
INSERT INTO group_within (group_id, member_id) SELECT id, id FROM identity_group;

-- Who is in which group, also by a group in it.
CREATE VIEW belonging AS
SELECT DISTINCT group_within.group_id, membership.identity_id
FROM group_within JOIN membership ON membership.group_id = group_within.member_id;

CREATE TABLE role (
    id TEXT COLLATE "C" PRIMARY KEY,
    name TEXT NOT NULL,
    api_id TEXT NOT NULL,
    operations TEXT NOT NULL,
    includes TEXT NOT NULL,
    removed BIGINT NOT NULL,
    origin TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX role_by_api ON role (api_id);

CREATE TABLE relation (
    subject TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    objects TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (subject, name)
);

-- One row, or none while no guardrail was ever written.
CREATE TABLE guardrails (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    version BIGINT NOT NULL,
    files TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL
);

-- Findings, and access reviews from their population to the proof of their removals.
-- Times are microseconds since 1970-01-01T00:00:00Z, enums their words, values JSON text.

CREATE TABLE finding (
    id TEXT PRIMARY KEY,
    rule TEXT NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    severity TEXT NOT NULL,
    -- `open` or `resolved`.
    state TEXT NOT NULL,
    first_seen_at INTEGER NOT NULL,
    -- Of a resolved one: when the condition was found to be gone.
    resolved_at INTEGER,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX finding_by_subject ON finding (subject_kind, subject_id);
CREATE INDEX finding_by_state ON finding (state, severity);

CREATE TABLE campaign (
    id TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    started_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX campaign_by_state ON campaign (state);

CREATE TABLE review_item (
    id TEXT PRIMARY KEY,
    campaign_id TEXT NOT NULL REFERENCES campaign (id),
    grant_id TEXT NOT NULL,
    grant_version INTEGER NOT NULL,
    reviewer TEXT NOT NULL,
    attention TEXT NOT NULL,
    -- What was sealed; digested into the campaign, never written again.
    sealed TEXT NOT NULL,
    -- `open`, `drafted`, `decided` or `superseded`, and the same with its data.
    state TEXT NOT NULL,
    progress TEXT NOT NULL
) STRICT;
CREATE INDEX review_item_by_campaign ON review_item (campaign_id, id);
CREATE INDEX review_item_by_reviewer ON review_item (reviewer, state);

-- Append-only: a correction is a new review, never another text in this row.
CREATE TABLE review_decision (
    item_id TEXT PRIMARY KEY REFERENCES review_item (id),
    campaign_id TEXT NOT NULL REFERENCES campaign (id),
    decision_id TEXT NOT NULL UNIQUE,
    verdict TEXT NOT NULL,
    reviewer TEXT NOT NULL,
    signed_at INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX review_decision_by_campaign ON review_decision (campaign_id, verdict);
CREATE TRIGGER review_decision_stays BEFORE UPDATE ON review_decision
BEGIN SELECT RAISE(ABORT, 'a signed decision does not change'); END;
CREATE TRIGGER review_decision_remains BEFORE DELETE ON review_decision
BEGIN SELECT RAISE(ABORT, 'a signed decision is not deleted'); END;

-- The plan. The key is item and grant version: at most one act for them, however often it is tried.
CREATE TABLE remediation (
    key TEXT PRIMARY KEY,
    campaign_id TEXT NOT NULL REFERENCES campaign (id),
    item_id TEXT NOT NULL REFERENCES review_item (id),
    grant_id TEXT NOT NULL,
    state TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX remediation_by_campaign ON remediation (campaign_id, key);

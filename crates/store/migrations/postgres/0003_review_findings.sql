-- Findings, and access reviews from their population to the proof of their removals.
-- Text that is ordered or paged by is collated "C", so that both databases sort it by bytes.
-- Times are microseconds since 1970-01-01T00:00:00Z, enums their words, values JSON text.

CREATE TABLE finding (
    id TEXT COLLATE "C" PRIMARY KEY,
    rule TEXT NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_id TEXT COLLATE "C" NOT NULL,
    severity TEXT NOT NULL,
    -- `open` or `resolved`.
    state TEXT NOT NULL,
    first_seen_at BIGINT NOT NULL,
    -- Of a resolved one: when the condition was found to be gone.
    resolved_at BIGINT,
    body TEXT NOT NULL
);
CREATE INDEX finding_by_subject ON finding (subject_kind, subject_id);
CREATE INDEX finding_by_state ON finding (state, severity);

CREATE TABLE campaign (
    id TEXT COLLATE "C" PRIMARY KEY,
    state TEXT NOT NULL,
    started_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX campaign_by_state ON campaign (state);

CREATE TABLE review_item (
    id TEXT COLLATE "C" PRIMARY KEY,
    campaign_id TEXT COLLATE "C" NOT NULL REFERENCES campaign (id),
    grant_id TEXT COLLATE "C" NOT NULL,
    grant_version BIGINT NOT NULL,
    reviewer TEXT COLLATE "C" NOT NULL,
    attention TEXT NOT NULL,
    -- What was sealed; digested into the campaign, never written again.
    sealed TEXT NOT NULL,
    -- `open`, `drafted`, `decided` or `superseded`, and the same with its data.
    state TEXT NOT NULL,
    progress TEXT NOT NULL
);
CREATE INDEX review_item_by_campaign ON review_item (campaign_id, id);
CREATE INDEX review_item_by_reviewer ON review_item (reviewer, state);

-- Append-only: a correction is a new review, never another text in this row.
CREATE TABLE review_decision (
    item_id TEXT COLLATE "C" PRIMARY KEY REFERENCES review_item (id),
    campaign_id TEXT COLLATE "C" NOT NULL REFERENCES campaign (id),
    decision_id TEXT COLLATE "C" NOT NULL UNIQUE,
    verdict TEXT NOT NULL,
    reviewer TEXT COLLATE "C" NOT NULL,
    signed_at BIGINT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX review_decision_by_campaign ON review_decision (campaign_id, verdict);
CREATE FUNCTION review_decision_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a signed decision does not change';
END
$$;
CREATE TRIGGER review_decision_stays BEFORE UPDATE OR DELETE ON review_decision
    FOR EACH ROW EXECUTE FUNCTION review_decision_is_final();

-- The plan. The key is item and grant version: at most one act for them, however often it is tried.
CREATE TABLE remediation (
    key TEXT COLLATE "C" PRIMARY KEY,
    campaign_id TEXT COLLATE "C" NOT NULL REFERENCES campaign (id),
    item_id TEXT COLLATE "C" NOT NULL REFERENCES review_item (id),
    grant_id TEXT COLLATE "C" NOT NULL,
    state TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX remediation_by_campaign ON remediation (campaign_id, key);

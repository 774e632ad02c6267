-- 0002: requests that carry an Idempotency-Key, and what they were answered with, for 24 hours.
CREATE TABLE idempotent_answers (
    api_key_id TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    request_digest BYTEA NOT NULL, -- SHA-256 of what was asked
    answer TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (api_key_id, key)
);
CREATE INDEX idempotent_answers_by_expiry ON idempotent_answers (expires_at); -- for forgetting them in small batches

-- 0002: requests that carry an Idempotency-Key, and what they were answered with, for 24 hours.
CREATE TABLE idempotent_answers (
    api_key_id TEXT NOT NULL,
    key TEXT NOT NULL,
    request_digest BLOB NOT NULL, -- SHA-256 of what was asked
    answer TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (api_key_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotent_answers_by_expiry ON idempotent_answers (expires_at); -- for forgetting them in small batches

-- 0009: keys are listed by status.
CREATE INDEX api_keys_by_status ON api_keys (workspace_id, status, id);

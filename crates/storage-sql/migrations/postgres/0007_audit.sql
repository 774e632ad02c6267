-- 0007: where events came from, what the audit trail is asked for, and who invited whom.
ALTER TABLE events ADD COLUMN address TEXT; -- of the client that caused it; NULL = not known
CREATE INDEX events_by_subject ON events (workspace_id, subject_id, id);
CREATE INDEX events_by_actor ON events (workspace_id, (coalesce(actor_id, actor_kind)), id); -- the command line and the clock have no id

ALTER TABLE one_time_links ADD COLUMN email_folded TEXT COLLATE "C"; -- as it is compared
ALTER TABLE one_time_links ADD COLUMN made_by_kind TEXT; -- NULL = from before this was kept
ALTER TABLE one_time_links ADD COLUMN made_by_id TEXT;
UPDATE one_time_links SET email_folded = substr(slot, 43) WHERE kind = 'invitation'; -- 'invitation wsp_… address'
CREATE INDEX one_time_links_by_email ON one_time_links (email_folded) WHERE email_folded IS NOT NULL;

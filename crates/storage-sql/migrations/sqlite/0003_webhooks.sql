-- 0003: notification settings, notifications and their delivery attempts.
CREATE TABLE notification_settings (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL,
    description TEXT NOT NULL,
    type TEXT NOT NULL CHECK (type IN ('email', 'url')),
    destination TEXT NOT NULL,
    active INTEGER NOT NULL, -- 0 or 1
    api_version INTEGER NOT NULL,
    include_sensitive_fields INTEGER NOT NULL, -- 0 or 1
    traffic_source TEXT NOT NULL CHECK (traffic_source IN ('platform', 'simulation', 'all')),
    subscribed_events TEXT NOT NULL, -- the names, with a blank before, between and behind them
    secret TEXT NOT NULL, -- readable: every delivery is signed with it, and the contract shows it
    previous_secret TEXT, -- during a rotation
    previous_secret_until INTEGER,
    failing_since INTEGER, -- since when every attempt has failed; not a change of the setting
    deleted_at INTEGER, -- gone, and kept only until its notifications are removed
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX notification_settings_by_workspace ON notification_settings (workspace_id, id);

-- Made in the event's own commit, one for each setting that wants it. `event_sequence` is its event's place. A lease is
-- an attempt that is put off until the lease ends: whoever holds it records the outcome before.
CREATE TABLE notifications (
    workspace_id TEXT NOT NULL,
    id TEXT NOT NULL,
    setting_id TEXT NOT NULL,
    event_sequence INTEGER NOT NULL,
    type TEXT NOT NULL,
    origin TEXT NOT NULL CHECK (origin IN ('event', 'replay')),
    status TEXT NOT NULL CHECK (status IN ('not_attempted', 'needs_retry', 'delivered', 'failed')),
    times_attempted INTEGER NOT NULL,
    occurred_at INTEGER NOT NULL,
    last_attempt_at INTEGER,
    delivered_at INTEGER,
    replayed_at INTEGER,
    retry_at INTEGER, -- when the next attempt is due, as the schedule says
    due_at INTEGER, -- the same, or the end of a lease; NULL = no attempt follows
    PRIMARY KEY (workspace_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX notifications_due ON notifications (setting_id, due_at) WHERE due_at IS NOT NULL; -- each setting's queue
CREATE INDEX notifications_by_setting ON notifications (workspace_id, setting_id, id);
CREATE INDEX notifications_in_trouble ON notifications (workspace_id, status, id) WHERE status IN ('needs_retry', 'failed');
CREATE INDEX notifications_replays ON notifications (event_sequence) WHERE origin = 'replay'; -- an event stays for its replays

CREATE TABLE delivery_attempts (
    notification_id TEXT NOT NULL,
    id TEXT NOT NULL,
    response_code INTEGER NOT NULL, -- 0 = no answer
    response_content_type TEXT,
    response_body TEXT NOT NULL,
    problem TEXT, -- why there was no whole answer
    attempted_at INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    PRIMARY KEY (notification_id, id)
) STRICT, WITHOUT ROWID;

-- 0003: notification settings, notifications and their delivery attempts.
CREATE TABLE notification_settings (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    workspace_id TEXT COLLATE "C" NOT NULL,
    description TEXT NOT NULL,
    type TEXT COLLATE "C" NOT NULL CHECK (type IN ('email', 'url')),
    destination TEXT NOT NULL,
    active BIGINT NOT NULL, -- 0 or 1
    api_version BIGINT NOT NULL,
    include_sensitive_fields BIGINT NOT NULL, -- 0 or 1
    traffic_source TEXT NOT NULL CHECK (traffic_source IN ('platform', 'simulation', 'all')),
    subscribed_events TEXT NOT NULL, -- the names, with a blank before, between and behind them
    secret TEXT NOT NULL, -- readable: every delivery is signed with it, and the contract shows it
    previous_secret TEXT, -- during a rotation
    previous_secret_until BIGINT,
    failing_since BIGINT, -- since when every attempt has failed; not a change of the setting
    deleted_at BIGINT, -- gone, and kept only until its notifications are removed
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);
-- Two conditions that always hold keep an index for those who name them: while a table is small, the planner takes any
-- index that has a column for all that is looked up, and keeps to it while the table grows.
CREATE INDEX notification_settings_by_workspace ON notification_settings (workspace_id, id) WHERE workspace_id > '';
CREATE INDEX notification_settings_active ON notification_settings (workspace_id) -- read by every commit with events
    WHERE active = 1 AND deleted_at IS NULL;
CREATE INDEX notification_settings_deleted ON notification_settings (id) WHERE deleted_at IS NOT NULL;

-- Made in the event's own commit, one for each setting that wants it. `event_sequence` is its event's place. A lease is
-- an attempt that is put off until the lease ends: whoever holds it records the outcome before.
CREATE TABLE notifications (
    workspace_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    setting_id TEXT COLLATE "C" NOT NULL,
    event_sequence BIGINT NOT NULL,
    type TEXT COLLATE "C" NOT NULL,
    origin TEXT NOT NULL CHECK (origin IN ('event', 'replay')),
    status TEXT COLLATE "C" NOT NULL CHECK (status IN ('not_attempted', 'needs_retry', 'delivered', 'failed')),
    times_attempted BIGINT NOT NULL,
    occurred_at BIGINT NOT NULL,
    last_attempt_at BIGINT,
    delivered_at BIGINT,
    replayed_at BIGINT,
    retry_at BIGINT, -- when the next attempt is due, as the schedule says
    due_at BIGINT, -- the same, or the end of a lease; NULL = no attempt follows
    PRIMARY KEY (workspace_id, id)
);
CREATE INDEX notifications_due ON notifications (setting_id, due_at) WHERE due_at IS NOT NULL; -- each setting's queue
CREATE INDEX notifications_by_setting ON notifications (workspace_id, setting_id, id) WHERE setting_id > '';
CREATE INDEX notifications_in_trouble ON notifications (workspace_id, status, id) WHERE status IN ('needs_retry', 'failed');
CREATE INDEX notifications_replays ON notifications (event_sequence) WHERE origin = 'replay'; -- an event stays for its replays

CREATE TABLE delivery_attempts (
    notification_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    response_code BIGINT NOT NULL, -- 0 = no answer
    response_content_type TEXT,
    response_body TEXT NOT NULL,
    problem TEXT, -- why there was no whole answer
    attempted_at BIGINT NOT NULL,
    duration_ms BIGINT NOT NULL,
    PRIMARY KEY (notification_id, id)
);

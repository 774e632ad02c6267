-- 0004: simulations, their runs, and the events of these. Neither events nor notifications know of them.
CREATE TABLE simulations (
    workspace_id TEXT NOT NULL,
    id TEXT NOT NULL,
    setting_id TEXT NOT NULL, -- it may be gone
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'archived')),
    payload TEXT, -- the properties that somebody gave, as a JSON object
    last_run_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE simulation_runs (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL,
    simulation_id TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'completed', 'canceled')),
    type TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX simulation_runs_by_simulation ON simulation_runs (workspace_id, simulation_id, id);
CREATE INDEX simulation_runs_pending ON simulation_runs (workspace_id, simulation_id) WHERE status = 'pending';

CREATE TABLE simulation_events (
    run_id TEXT NOT NULL,
    id TEXT NOT NULL,
    workspace_id TEXT NOT NULL,
    simulation_id TEXT NOT NULL,
    setting_id TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'success', 'failed', 'aborted')),
    type TEXT NOT NULL,
    payload TEXT NOT NULL, -- the entity, byte for byte as it is sent
    request_body TEXT, -- NULL = nothing was sent
    response_status INTEGER, -- NULL = no answer
    response_body TEXT,
    problem TEXT, -- why there was no whole answer
    claimed_at INTEGER, -- when somebody took it to send it
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (run_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX simulation_events_pending ON simulation_events (id) WHERE status = 'pending'; -- the sender's only query

-- 0004: simulations, their runs, and the events of these. Neither events nor notifications know of them.
CREATE TABLE simulations (
    workspace_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    setting_id TEXT COLLATE "C" NOT NULL, -- it may be gone
    name TEXT NOT NULL,
    type TEXT COLLATE "C" NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'archived')),
    payload TEXT, -- the properties that somebody gave, as a JSON object
    last_run_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, id)
);

CREATE TABLE simulation_runs (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    workspace_id TEXT COLLATE "C" NOT NULL,
    simulation_id TEXT COLLATE "C" NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'completed', 'canceled')),
    type TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX simulation_runs_by_simulation ON simulation_runs (workspace_id, simulation_id, id);
CREATE INDEX simulation_runs_pending ON simulation_runs (workspace_id, simulation_id) WHERE status = 'pending';

CREATE TABLE simulation_events (
    run_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    workspace_id TEXT COLLATE "C" NOT NULL,
    simulation_id TEXT COLLATE "C" NOT NULL,
    setting_id TEXT COLLATE "C" NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'success', 'failed', 'aborted')),
    type TEXT COLLATE "C" NOT NULL,
    payload TEXT NOT NULL, -- the entity, byte for byte as it is sent
    request_body TEXT, -- NULL = nothing was sent
    response_status BIGINT, -- NULL = no answer
    response_body TEXT,
    problem TEXT, -- why there was no whole answer
    claimed_at BIGINT, -- when somebody took it to send it
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (run_id, id)
);
CREATE INDEX simulation_events_pending ON simulation_events (id) WHERE status = 'pending'; -- the sender's only query

//! Simulations, their runs, and the events of these. One change at a time, under the head's lock: they are few.

pub(super) const CREATE: &str = "
    INSERT INTO simulations (workspace_id, id, setting_id, name, type, status, payload, last_run_at, created_at,
        updated_at, version)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

pub(super) const UPDATE: &str = "
    UPDATE simulations SET setting_id = $4, name = $5, type = $6, status = $7, payload = $8, updated_at = $9,
        version = $10
    WHERE workspace_id = $1 AND id = $2 AND version = $3";

/// Nothing while another run is pending. `greatest` passes over NULL.
pub(super) const NOTE_RUN: &str = "
    UPDATE simulations SET last_run_at = greatest(last_run_at, $3)
    WHERE workspace_id = $1 AND id = $2 AND NOT EXISTS (
        SELECT 1 FROM simulation_runs WHERE workspace_id = $1 AND simulation_id = $2 AND status = 'pending')";

pub(super) const CREATE_RUN: &str = "
    INSERT INTO simulation_runs (id, workspace_id, simulation_id, status, type, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)";

pub(super) const FIND_RUN: &str =
    "SELECT 1 FROM simulation_runs WHERE id = $1 AND workspace_id = $2 AND simulation_id = $3";

pub(super) const CREATE_EVENT: &str = "
    INSERT INTO simulation_events (run_id, id, workspace_id, simulation_id, setting_id, status, type, payload,
        request_body, response_status, response_body, problem, claimed_at, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";

pub(super) const CLAIM_EVENT: &str = "
    UPDATE simulation_events SET claimed_at = $4
    WHERE run_id = $1 AND id = $2 AND workspace_id = $3 AND status = 'pending' AND claimed_at IS NULL";

pub(super) const RECORD_EVENT: &str = "
    UPDATE simulation_events SET status = $4, request_body = $5, response_status = $6, response_body = $7, problem = $8,
        updated_at = $9
    WHERE run_id = $1 AND id = $2 AND workspace_id = $3 AND status = 'pending'";

pub(super) const END_RUN: &str = "
    UPDATE simulation_runs SET status = $3, updated_at = $4
    WHERE id = $1 AND workspace_id = $2 AND status = 'pending' AND NOT EXISTS (
        SELECT 1 FROM simulation_events WHERE run_id = $1 AND status = 'pending')";

/// At most `$2` runs with ids before `$1`: an id begins with the time it was made at.
pub(super) const PRUNE_RUNS: &str = "
    WITH doomed AS (
        DELETE FROM simulation_runs WHERE id = ANY (ARRAY(
            SELECT id FROM simulation_runs WHERE id < $1 ORDER BY id LIMIT $2))
        RETURNING id
    )
    DELETE FROM simulation_events WHERE run_id IN (SELECT id FROM doomed)";

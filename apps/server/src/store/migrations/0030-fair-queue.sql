-- Claims see waiting runs alone, by account, so that accounts take turns.
ALTER TABLE runs
  -- The account that pays; empty in runs that ended before.
  ADD account_id text NOT NULL DEFAULT '';
UPDATE runs SET account_id = coalesce((SELECT owner_id FROM projects WHERE id = project_id), '') WHERE ended_at IS NULL;

DROP INDEX runs_to_claim;
CREATE INDEX runs_waiting ON runs (pipeline_id, priority DESC, account_id, created_at, id)
  WHERE ended_at IS NULL AND lease_owner IS NULL;
CREATE INDEX runs_by_lease ON runs (lease_owner, lease_expires_at) WHERE lease_owner IS NOT NULL;
CREATE INDEX runs_executed_of ON runs (account_id) WHERE lease_owner IS NOT NULL;

-- Each run is written three times, so the queue's dead rows are a small share of a table that keeps all runs.
ALTER TABLE runs SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);
ALTER TABLE nodes SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);

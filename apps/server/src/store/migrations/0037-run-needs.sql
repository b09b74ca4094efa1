-- min_reader: 30
-- What the engine of a run must have beside what every engine has. Null: any engine computes it.
ALTER TABLE runs ADD needs text;
-- What the engines of a node have of it. Null: a version that does not report it.
ALTER TABLE nodes ADD capabilities text[];

-- Runs wait in queues: one of their pipeline, and one for each need beside it. `runs_waiting` is read by pipeline. The index has the
-- parts of the expression as well, else claims would read the table for every account.
CREATE INDEX runs_queued ON runs ((coalesce(pipeline_id || '#' || needs, pipeline_id)), priority DESC, account_id, created_at, id)
  INCLUDE (pipeline_id, needs) WHERE ended_at IS NULL AND lease_owner IS NULL;

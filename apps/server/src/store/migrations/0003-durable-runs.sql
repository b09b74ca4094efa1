-- Everything that a request stores belongs to a project.
ALTER TABLE files ADD project_id text REFERENCES projects (id) ON DELETE CASCADE;
ALTER TABLE data ADD project_id text REFERENCES projects (id) ON DELETE CASCADE;
ALTER TABLE runs
  ADD project_id text REFERENCES projects (id) ON DELETE CASCADE,
  -- The token it came by; no foreign key: a run outlives it.
  ADD api_key_id text,
  -- What ends the reservation of this run; null for runs from before there was one.
  ADD admission_ticket text,
  -- Nobody waits for the end of this run.
  ADD is_async boolean NOT NULL DEFAULT false,
  ADD priority integer NOT NULL DEFAULT 0,
  -- Executions begun. A run belongs to its lease's owner until the lease expires.
  ADD attempts integer NOT NULL DEFAULT 0,
  ADD lease_owner text,
  ADD lease_expires_at timestamptz,
  ADD idempotency_key text,
  -- SHA-256 of what the run was asked with, to tell a repeated request from another one under the same key.
  ADD request_hash text,
  ADD prompt_tokens integer,
  ADD generated_tokens integer,
  ADD cached_tokens integer,
  ADD seed bigint,
  -- JSON text: lists of strings.
  ADD warnings text,
  ADD finish_reasons text,
  ADD CHECK ((lease_owner IS NULL) = (lease_expires_at IS NULL)),
  ADD CHECK (lease_owner IS NULL OR ended_at IS NULL);

UPDATE files SET project_id = 'project_00000000000000000000000000000000';
UPDATE data SET project_id = 'project_00000000000000000000000000000000';
UPDATE runs SET project_id = 'project_00000000000000000000000000000000';
ALTER TABLE files ALTER project_id SET NOT NULL;
ALTER TABLE data ALTER project_id SET NOT NULL;
ALTER TABLE runs ALTER project_id SET NOT NULL;

DROP INDEX runs_by_creation;
DROP INDEX runs_not_ended;
CREATE INDEX runs_by_project ON runs (project_id, created_at, id);
CREATE INDEX runs_by_pipeline ON runs (project_id, pipeline_id, created_at);
CREATE INDEX runs_to_claim ON runs (priority DESC, created_at, id) WHERE ended_at IS NULL;
CREATE INDEX runs_by_end ON runs (ended_at) WHERE ended_at IS NOT NULL;
CREATE UNIQUE INDEX runs_by_idempotency_key ON runs (project_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
-- For deletions: who refers to this file, to these data?
CREATE INDEX runs_by_data ON runs (data_id);
CREATE INDEX runs_by_result ON runs (result_file_id);
CREATE INDEX data_by_file ON data (file_id);
CREATE INDEX data_by_creation ON data (created_at);
CREATE INDEX files_by_creation ON files (created_at);

CREATE TABLE pipeline_tags (
  id text PRIMARY KEY,
  project_id text NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
  -- name:tag
  name text NOT NULL,
  pipeline_id text NOT NULL,
  created_at timestamptz NOT NULL,
  UNIQUE (project_id, name)
);

CREATE TABLE webhooks (
  id text PRIMARY KEY,
  project_id text NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
  url text NOT NULL,
  -- Kept as it is: signatures are made with it.
  secret text NOT NULL,
  -- Separated by blanks.
  events text NOT NULL,
  is_enabled boolean NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);
CREATE INDEX webhooks_by_project ON webhooks (project_id, created_at);

CREATE TABLE webhook_deliveries (
  id text PRIMARY KEY,
  webhook_id text NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
  run_id text NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  event text NOT NULL,
  state text NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),
  attempts integer NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL,
  -- When to try next, or until when somebody is trying.
  due_at timestamptz NOT NULL,
  ended_at timestamptz,
  -- Of the last attempt.
  response_status integer,
  failure text,
  CHECK ((state = 'pending') = (ended_at IS NULL))
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (due_at) WHERE state = 'pending';
CREATE INDEX webhook_deliveries_by_webhook ON webhook_deliveries (webhook_id, created_at);
CREATE INDEX webhook_deliveries_by_run ON webhook_deliveries (run_id);

CREATE TABLE files (
  id text PRIMARY KEY,
  name text NOT NULL,
  path text NOT NULL UNIQUE,
  bytes bytea NOT NULL,
  created_at timestamptz NOT NULL
);

CREATE TABLE data (
  id text PRIMARY KEY,
  file_id text NOT NULL REFERENCES files (id),
  created_at timestamptz NOT NULL
);

CREATE TABLE runs (
  id text PRIMARY KEY,
  pipeline_id text NOT NULL,
  data_id text NOT NULL REFERENCES data (id),
  state text NOT NULL CHECK (state IN (
    'received', 'allocating_cluster', 'awaiting_resource_allocation', 'allocating_resource', 'loading_data',
    'loading_function', 'loading_pipeline', 'running', 'complete', 'failed')),
  created_at timestamptz NOT NULL,
  started_at timestamptz,
  ended_at timestamptz,
  compute_time_ms integer,
  resource_type text,
  min_gpu_vram_mb integer,
  result_file_id text REFERENCES files (id),
  -- JSON text, not jsonb: generated text may hold U+0000, which jsonb cannot.
  result_preview text,
  error text CHECK (error IN ('max_retries', 'pipeline_fault', 'unsatisfiable')),
  error_exception text,
  error_traceback text,
  -- A run is over exactly when it has an end; it has an error exactly when it failed.
  CHECK ((state IN ('complete', 'failed')) = (ended_at IS NOT NULL)),
  CHECK ((state = 'failed') = (error IS NOT NULL)),
  CHECK ((state = 'complete') = (result_file_id IS NOT NULL))
);

CREATE INDEX runs_by_creation ON runs (created_at, id);
CREATE INDEX runs_not_ended ON runs (created_at) WHERE ended_at IS NULL;

CREATE TABLE api_keys (
  id text PRIMARY KEY,
  name text NOT NULL,
  -- SHA-256 of the token, hexadecimal. The token itself is nowhere.
  hash text NOT NULL UNIQUE,
  -- 'environment' keys live as long as GPTJ_API_TOKEN names them.
  source text NOT NULL CHECK (source IN ('generated', 'environment')),
  created_at timestamptz NOT NULL
);

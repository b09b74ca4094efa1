-- min_reader: 30
-- What each node computes, so that a server without an engine chooses one for a direct generation.
ALTER TABLE nodes
  -- Runs that it executes at a time; 0: it has no engine.
  ADD slots integer NOT NULL DEFAULT 0,
  -- Runs and direct generations under way at its last report.
  ADD busy integer NOT NULL DEFAULT 0,
  ADD is_draining boolean NOT NULL DEFAULT false,
  ADD models text[] NOT NULL DEFAULT '{}';

-- What servers without an engine know of the models, also while no node computes them.
CREATE TABLE tokenizers (
  -- SHA-256 of the data.
  hash text PRIMARY KEY,
  -- JSON, compressed with gzip.
  data bytea NOT NULL
);
CREATE TABLE node_models (
  pipeline_id text PRIMARY KEY,
  info text NOT NULL,
  tokenizer text NOT NULL REFERENCES tokenizers (hash),
  registered_at timestamptz NOT NULL DEFAULT now()
);

-- The server processes that share this store. `beat_at` is the database's time: the clocks of processes may differ.
CREATE TABLE nodes (
  id text PRIMARY KEY,
  -- Where other nodes reach it; null: they do not.
  url text,
  started_at timestamptz NOT NULL DEFAULT now(),
  beat_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);

-- What nodes sign their requests to each other with. The first node makes it.
CREATE TABLE node_secret (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  secret text NOT NULL
);

ALTER TABLE runs
  -- The node that executes the run, or executed it last: it keeps the events. Outlives the lease.
  ADD executed_by text,
  -- A client reads the events, at the node that accepted the run.
  ADD is_streamed boolean NOT NULL DEFAULT false;

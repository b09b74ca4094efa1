-- Counts of a project's requests and runs: errors by code, and times by bins of a logarithmic scale. By hour, and by day
-- where they are older; the server adds old hours up to days.
CREATE TABLE run_counts (
  project_id text NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
  at timestamptz NOT NULL,
  -- From `at` on: 1 or 24.
  hours smallint NOT NULL,
  kind text NOT NULL CHECK (kind IN ('error', 'queued', 'first_token', 'total')),
  -- The code of an error, or the number of a bin.
  key text NOT NULL,
  count bigint NOT NULL,
  PRIMARY KEY (project_id, at, kind, key, hours)
);
CREATE INDEX run_counts_by_time ON run_counts (hours, at);

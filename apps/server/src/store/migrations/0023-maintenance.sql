-- While the only row exists, servers refuse new runs.
CREATE TABLE maintenance (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  -- A sentence of the operator, for those whose runs are refused.
  message text NOT NULL,
  retry_after_seconds integer NOT NULL,
  since timestamptz NOT NULL
);

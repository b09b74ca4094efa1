-- min_reader: 30
-- Models of the data folder that owners have the servers of this store serve, beside those of the settings.
CREATE TABLE served_models (
  -- By which requests choose it.
  name text PRIMARY KEY,
  -- NAME.TYPE in the data folder.
  model text NOT NULL,
  created_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX served_models_by_name ON served_models (lower(name));

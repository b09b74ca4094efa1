-- The value that a token had before its latest rotation, accepted until the given time. It stays known after that, so that a
-- client with the earlier value learns why it is refused.
ALTER TABLE api_keys
  ADD COLUMN previous_hash text UNIQUE,
  ADD COLUMN previous_until timestamptz;

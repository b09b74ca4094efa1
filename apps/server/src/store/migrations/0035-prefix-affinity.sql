-- min_reader: 30
ALTER TABLE runs
  -- While it waits: keyed hashes of the beginnings of its prompt. Null: it has waited for no server's cache.
  ADD prefix_hashes bigint[];

-- The beginnings of prompts that the engines of servers have in their caches.
CREATE TABLE node_prefixes (
  hash bigint NOT NULL,
  node_id text NOT NULL REFERENCES nodes (id) ON DELETE CASCADE,
  PRIMARY KEY (hash, node_id)
);
CREATE INDEX node_prefixes_of ON node_prefixes (node_id);
ALTER TABLE node_prefixes SET (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 500);

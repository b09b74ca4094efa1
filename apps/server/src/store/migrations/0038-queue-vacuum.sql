-- min_reader: 30
-- Every run and its reservation are written when it is accepted, begun and ended, and the row of every server every ten seconds.
-- Room in a page lets the next version of a row stay beside the last; pages that are full already keep their rows.
-- Autovacuum pauses by default after little work, and falls behind a full queue.
-- These statements wait for no reader or writer of the tables.
ALTER TABLE runs SET (fillfactor = 70, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE usage_reservations SET (fillfactor = 70, autovacuum_vacuum_cost_delay = 0,
  autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);
ALTER TABLE nodes SET (autovacuum_vacuum_cost_delay = 0);
ALTER TABLE node_prefixes SET (autovacuum_vacuum_cost_delay = 0);

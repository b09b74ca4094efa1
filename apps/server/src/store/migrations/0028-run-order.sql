-- Lists of runs by what they took. Open runs have neither figure, and are in none of them.
CREATE INDEX runs_by_compute_time ON runs (project_id, compute_time_ms, id)
  INCLUDE (state, pipeline_id, api_key_id, created_at) WHERE compute_time_ms IS NOT NULL;
CREATE INDEX runs_by_computed_tokens ON runs (project_id, computed_tokens, id)
  INCLUDE (state, pipeline_id, api_key_id, created_at) WHERE computed_tokens IS NOT NULL;

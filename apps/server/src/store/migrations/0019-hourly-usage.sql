-- What usage_daily has, by hour, for the newest days: charts of a day or a week need hours. Written with the meters, so that
-- the hours of a day add up to the day. Usage that was admitted by an earlier version counts in the first hour of its day.
CREATE TABLE usage_hourly (
  project_id text NOT NULL,
  hour timestamptz NOT NULL,
  api_key_id text NOT NULL,
  pipeline text NOT NULL,
  runs bigint NOT NULL,
  prompt_tokens bigint NOT NULL,
  generated_tokens bigint NOT NULL,
  computed_tokens bigint NOT NULL,
  cached_tokens bigint NOT NULL,
  compute_ms bigint NOT NULL,
  PRIMARY KEY (project_id, hour, api_key_id, pipeline)
);
CREATE INDEX usage_hourly_by_hour ON usage_hourly (hour);

-- Settle, and count the hour. The rows of a project are locked by its daily sums, which are written first.
CREATE FUNCTION usage_settle_hour(
  p_hour timestamptz,
  p_account text, p_seq bigint, p_day date, p_project text, p_user text, p_api_key text, p_pipeline text, p_plan text,
  p_prompt bigint, p_generated bigint, p_computed bigint, p_cached bigint, p_compute_ms bigint
) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  IF NOT usage_settle(p_account, p_seq, p_day, p_project, p_user, p_api_key, p_pipeline, p_plan, p_prompt, p_generated,
      p_computed, p_cached, p_compute_ms) THEN
    RETURN false;
  END IF;
  INSERT INTO usage_hourly AS u (project_id, hour, api_key_id, pipeline, runs, prompt_tokens, generated_tokens,
      computed_tokens, cached_tokens, compute_ms)
    VALUES (p_project, p_hour, p_api_key, p_pipeline, 1, p_prompt, p_generated, p_computed, p_cached, p_compute_ms)
    ON CONFLICT (project_id, hour, api_key_id, pipeline) DO UPDATE SET
      runs = u.runs + 1,
      prompt_tokens = u.prompt_tokens + excluded.prompt_tokens,
      generated_tokens = u.generated_tokens + excluded.generated_tokens,
      computed_tokens = u.computed_tokens + excluded.computed_tokens,
      cached_tokens = u.cached_tokens + excluded.cached_tokens,
      compute_ms = u.compute_ms + excluded.compute_ms;
  RETURN true;
END
$$;

-- Pages are found from an index alone: every filter of a list, then time and id. The columns of metrics are included, so
-- that a span of runs is summed without reading the rows.
DROP INDEX runs_by_project;
DROP INDEX runs_by_pipeline;
CREATE INDEX runs_by_project ON runs (project_id, created_at, id)
  INCLUDE (state, compute_time_ms, pipeline_id, resource_type);
CREATE INDEX runs_by_pipeline ON runs (project_id, pipeline_id, created_at, id);
CREATE INDEX runs_by_state ON runs (project_id, state, created_at, id);
CREATE INDEX runs_by_pipeline_and_state ON runs (project_id, pipeline_id, state, created_at, id);
CREATE INDEX audit_log_by_user ON audit_log (user_id, at, id);
CREATE INDEX audit_log_by_action ON audit_log (action, at, id);
CREATE INDEX users_by_creation ON users (created_at, id);
DROP INDEX webhook_deliveries_by_webhook;
CREATE INDEX webhook_deliveries_by_webhook ON webhook_deliveries (webhook_id, created_at, id);

-- Every row of the meters in the order of the CSV, of all projects and of one.
DROP INDEX usage_daily_by_project;
CREATE INDEX usage_daily_by_day
  ON usage_daily (day, project_id, api_key_id, pipeline, plan_id, account_id, user_id);
CREATE INDEX usage_daily_by_project
  ON usage_daily (project_id, day, api_key_id, pipeline, plan_id, account_id, user_id);

-- Sums of usage_daily over what `GET /v2/usage` groups by: a year of one project has 365 rows for each token, not one for
-- each token, pipeline, plan and user. Written with the meters.
CREATE TABLE usage_sums (
  -- 0: the whole project, key empty. 1: key is the API token. 2: key is the pipeline.
  grouping_id smallint NOT NULL,
  project_id text NOT NULL,
  day date NOT NULL,
  key text NOT NULL,
  runs bigint NOT NULL,
  prompt_tokens bigint NOT NULL,
  generated_tokens bigint NOT NULL,
  computed_tokens bigint NOT NULL,
  cached_tokens bigint NOT NULL,
  compute_ms bigint NOT NULL,
  PRIMARY KEY (grouping_id, project_id, day, key)
);
INSERT INTO usage_sums
  SELECT g.grouping_id, u.project_id, u.day, g.key, sum(u.runs), sum(u.prompt_tokens), sum(u.generated_tokens),
    sum(u.computed_tokens), sum(u.cached_tokens), sum(u.compute_ms)
  FROM usage_daily u
  CROSS JOIN LATERAL (VALUES (0, ''), (1, u.api_key_id), (2, u.pipeline)) AS g (grouping_id, key)
  GROUP BY 1, 2, 3, 4;

-- As in migration 0007, and the sums.
CREATE OR REPLACE FUNCTION usage_settle(
  p_account text, p_seq bigint, p_day date, p_project text, p_user text, p_api_key text, p_pipeline text, p_plan text,
  p_prompt bigint, p_generated bigint, p_computed bigint, p_cached bigint, p_compute_ms bigint
) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  p_account := coalesce(p_account, usage_account_of(p_project, p_user));
  IF p_seq IS NOT NULL THEN
    IF NOT usage_end_reservation(p_account, p_seq, p_computed) THEN
      RETURN false;
    END IF;
  ELSE
    -- The account may have changed to a plan with limits since. Counters of an earlier day are counted anew anyway.
    UPDATE usage_accounts SET
      day_used = day_used + CASE WHEN day = p_day THEN p_computed ELSE 0 END,
      month_used = month_used + p_computed
      WHERE account_id = p_account AND day >= p_day
        AND usage_month(day) = usage_month(p_day);
  END IF;
  -- The sums of the project first, then the finest rows: two transactions wait for each other in one order only.
  INSERT INTO usage_sums AS s (grouping_id, project_id, day, key,
      runs, prompt_tokens, generated_tokens, computed_tokens, cached_tokens, compute_ms)
    SELECT g.grouping_id, p_project, p_day, g.key, 1, p_prompt, p_generated, p_computed, p_cached, p_compute_ms
    FROM (VALUES (0, ''), (1, p_api_key), (2, p_pipeline)) AS g (grouping_id, key)
    ORDER BY g.grouping_id
    ON CONFLICT (grouping_id, project_id, day, key) DO UPDATE SET
      runs = s.runs + 1,
      prompt_tokens = s.prompt_tokens + excluded.prompt_tokens,
      generated_tokens = s.generated_tokens + excluded.generated_tokens,
      computed_tokens = s.computed_tokens + excluded.computed_tokens,
      cached_tokens = s.cached_tokens + excluded.cached_tokens,
      compute_ms = s.compute_ms + excluded.compute_ms;
  INSERT INTO usage_daily AS u (account_id, day, project_id, user_id, api_key_id, pipeline, plan_id,
      runs, prompt_tokens, generated_tokens, computed_tokens, cached_tokens, compute_ms)
    VALUES (p_account, p_day, p_project, p_user, p_api_key, p_pipeline, p_plan,
      1, p_prompt, p_generated, p_computed, p_cached, p_compute_ms)
    ON CONFLICT (account_id, day, project_id, user_id, api_key_id, pipeline, plan_id) DO UPDATE SET
      runs = u.runs + 1,
      prompt_tokens = u.prompt_tokens + excluded.prompt_tokens,
      generated_tokens = u.generated_tokens + excluded.generated_tokens,
      computed_tokens = u.computed_tokens + excluded.computed_tokens,
      cached_tokens = u.cached_tokens + excluded.cached_tokens,
      compute_ms = u.compute_ms + excluded.compute_ms;
  RETURN true;
END
$$;

-- What an account used on a day: the month of a plan, an invoice and the list of users read these rows, of which a day of one
-- account has one for each plan. Its rows of usage_daily are one for each token and pipeline.
CREATE TABLE usage_account_days (
  account_id text NOT NULL,
  day date NOT NULL,
  plan_id text NOT NULL,
  runs bigint NOT NULL,
  prompt_tokens bigint NOT NULL,
  generated_tokens bigint NOT NULL,
  computed_tokens bigint NOT NULL,
  cached_tokens bigint NOT NULL,
  compute_ms bigint NOT NULL,
  PRIMARY KEY (account_id, day, plan_id)
);
-- Until this is committed, another server adds nothing that would be missing here.
LOCK TABLE usage_daily IN SHARE ROW EXCLUSIVE MODE;
INSERT INTO usage_account_days
  SELECT account_id, day, plan_id, sum(runs), sum(prompt_tokens), sum(generated_tokens), sum(computed_tokens),
    sum(cached_tokens), sum(compute_ms)
  FROM usage_daily GROUP BY account_id, day, plan_id;

-- As in migration 0013, and the sums of the account.
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
  -- The sums of the account, then of the project, then the finest rows: two transactions wait for each other in one order only.
  INSERT INTO usage_account_days AS s (account_id, day, plan_id,
      runs, prompt_tokens, generated_tokens, computed_tokens, cached_tokens, compute_ms)
    VALUES (p_account, p_day, p_plan, 1, p_prompt, p_generated, p_computed, p_cached, p_compute_ms)
    ON CONFLICT (account_id, day, plan_id) DO UPDATE SET
      runs = s.runs + 1,
      prompt_tokens = s.prompt_tokens + excluded.prompt_tokens,
      generated_tokens = s.generated_tokens + excluded.generated_tokens,
      computed_tokens = s.computed_tokens + excluded.computed_tokens,
      cached_tokens = s.cached_tokens + excluded.cached_tokens,
      compute_ms = s.compute_ms + excluded.compute_ms;
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

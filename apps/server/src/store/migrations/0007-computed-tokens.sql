-- What a generation cost: the positions of the model that it had evaluated, over prompts, beams, candidates and drafts.
-- Quotas count them and plans price them. Rows from before are metered by their prompt and generated tokens.
ALTER TABLE usage_daily ADD computed_tokens bigint;
UPDATE usage_daily SET computed_tokens = prompt_tokens + generated_tokens;
ALTER TABLE usage_daily ALTER computed_tokens SET NOT NULL;

ALTER TABLE runs ADD computed_tokens integer;
UPDATE runs SET computed_tokens = prompt_tokens + generated_tokens;

DROP FUNCTION usage_settle(text, bigint, date, text, text, text, text, text, bigint, bigint, bigint, bigint);

-- Meter the cost of a generation, and end its reservation when it has one (p_seq is not null). Returns whether it was
-- metered: not when its reservation had been ended before.
CREATE FUNCTION usage_settle(
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

-- As in migration 0004, but counters of a new day are made of computed tokens.
CREATE OR REPLACE FUNCTION usage_admit(
  p_user text, p_project text, p_plan text, p_now timestamptz, p_tokens bigint, p_holder text,
  p_per_minute integer, p_concurrent integer, p_per_day bigint, p_per_month bigint,
  OUT verdict text, OUT account text, OUT granted_seq bigint, OUT granted_day text,
  OUT counted bigint, OUT reserved bigint, OUT moment_ms double precision, OUT wait_ms double precision
) LANGUAGE plpgsql AS $$
DECLARE
  a usage_accounts;
  v_at timestamptz;
  v_today date;
  v_month date;
  v_oldest timestamptz;
BEGIN
  account := usage_account_of(p_project, p_user);
  SELECT * INTO a FROM usage_accounts WHERE account_id = account FOR UPDATE;
  IF NOT FOUND THEN
    INSERT INTO usage_accounts VALUES (account, '', 'epoch', 0, p_now, 0, 0, 0, 0, 0) ON CONFLICT DO NOTHING;
    SELECT * INTO a FROM usage_accounts WHERE account_id = account FOR UPDATE;
  END IF;

  -- Far ahead is no difference between clocks, but one that was wrong: its requests must not shut the account out.
  v_at := CASE WHEN a.last_at > p_now + interval '10 minutes' THEN p_now ELSE greatest(p_now, a.last_at) END;
  v_today := (v_at AT TIME ZONE 'UTC')::date;
  v_month := usage_month(v_today);
  IF a.day <> v_today OR a.plan_id <> p_plan THEN
    SELECT coalesce(sum(u.computed_tokens) FILTER (WHERE u.day = v_today), 0),
           coalesce(sum(u.computed_tokens), 0)
      INTO a.day_used, a.month_used
      FROM usage_daily u WHERE u.account_id = account AND u.day >= v_month AND u.day <= v_today;
    SELECT count(*), coalesce(sum(r.tokens) FILTER (WHERE r.day = v_today), 0),
           coalesce(sum(r.tokens) FILTER (WHERE r.day >= v_month), 0)
      INTO a.running, a.day_reserved, a.month_reserved
      FROM usage_reservations r WHERE r.account_id = account AND r.state = 'open';
    UPDATE usage_accounts u SET plan_id = p_plan, day = v_today, running = a.running, day_used = a.day_used,
      day_reserved = a.day_reserved, month_used = a.month_used, month_reserved = a.month_reserved
      WHERE u.account_id = account;
  END IF;

  verdict := 'granted';
  moment_ms := extract(epoch FROM v_at) * 1000;
  wait_ms := 0;
  IF a.running >= p_concurrent THEN
    verdict := 'concurrency';
    counted := a.running;
    RETURN;
  END IF;
  -- The request so many places before this one must be a minute old.
  SELECT r.admitted_at INTO v_oldest FROM usage_reservations r
    WHERE r.account_id = account AND r.seq = a.last_seq + 1 - p_per_minute;
  IF v_oldest > v_at - interval '1 minute' AND v_oldest <= v_at THEN
    verdict := 'rate';
    wait_ms := extract(epoch FROM v_oldest + interval '1 minute' - v_at) * 1000;
    RETURN;
  END IF;
  IF a.day_used + a.day_reserved + p_tokens > p_per_day THEN
    verdict := 'day';
    counted := a.day_used;
    reserved := a.day_reserved;
    RETURN;
  END IF;
  IF a.month_used + a.month_reserved + p_tokens > p_per_month THEN
    verdict := 'month';
    counted := a.month_used;
    reserved := a.month_reserved;
    RETURN;
  END IF;

  granted_seq := a.last_seq + 1;
  granted_day := v_today::text;
  UPDATE usage_accounts u SET last_seq = granted_seq, last_at = v_at, running = u.running + 1,
    day_reserved = u.day_reserved + p_tokens, month_reserved = u.month_reserved + p_tokens
    WHERE u.account_id = account;
  INSERT INTO usage_reservations VALUES (account, granted_seq, 'open', v_at, v_today, p_tokens, p_holder);
END
$$;

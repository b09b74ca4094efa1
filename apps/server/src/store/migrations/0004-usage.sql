-- What was used, for ever. A run is counted on the day (UTC) it was let in, so that quotas and this table agree.
CREATE TABLE usage_daily (
  -- Who pays: the owner of the project at that time. No foreign keys: bills outlive what they are for.
  account_id text NOT NULL,
  day date NOT NULL,
  project_id text NOT NULL,
  user_id text NOT NULL,
  -- Empty for a browser session.
  api_key_id text NOT NULL,
  -- What was asked for: id of a pipeline or name of a model.
  pipeline text NOT NULL,
  plan_id text NOT NULL,
  runs bigint NOT NULL,
  prompt_tokens bigint NOT NULL,
  generated_tokens bigint NOT NULL,
  cached_tokens bigint NOT NULL,
  compute_ms bigint NOT NULL,
  PRIMARY KEY (account_id, day, project_id, user_id, api_key_id, pipeline, plan_id)
);
CREATE INDEX usage_daily_by_project ON usage_daily (project_id, day);

-- Counters of accounts whose plan has limits. They hold for `day` and `plan_id`; when either has moved on, they are
-- counted anew from the other two tables, which are the truth.
CREATE TABLE usage_accounts (
  account_id text PRIMARY KEY,
  plan_id text NOT NULL,
  day date NOT NULL,
  -- Of the last request let in. Time does not go back where the clocks of several servers differ a little.
  last_seq bigint NOT NULL,
  last_at timestamptz NOT NULL,
  running integer NOT NULL,
  day_used bigint NOT NULL,
  day_reserved bigint NOT NULL,
  month_used bigint NOT NULL,
  month_reserved bigint NOT NULL
);

-- Requests let in: the log behind requests per minute, and what each may still use. open -> ended, or, when the
-- process that made it died, open -> expired.
CREATE TABLE usage_reservations (
  account_id text NOT NULL,
  seq bigint NOT NULL,
  state text NOT NULL CHECK (state IN ('open', 'ended', 'expired')),
  admitted_at timestamptz NOT NULL,
  day date NOT NULL,
  tokens bigint NOT NULL,
  -- Process that ends it. Null: it ends with a run, which outlives processes; but not for longer than a day.
  holder text,
  PRIMARY KEY (account_id, seq)
);

-- Processes that are alive.
CREATE TABLE usage_holders (
  holder text PRIMARY KEY,
  expires_at timestamptz NOT NULL
);

CREATE FUNCTION usage_month(p_day date) RETURNS date LANGUAGE sql IMMUTABLE AS $$
  SELECT date_trunc('month', p_day::timestamp)::date
$$;

CREATE FUNCTION usage_account_of(p_project text, p_user text) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT coalesce((SELECT owner_id FROM projects WHERE id = p_project), p_user)
$$;

-- Let a request in, or say which limit stands against it. A limit that is null is none. The row of the account is
-- locked first, so that what is then read and written is one step to everybody else.
CREATE FUNCTION usage_admit(
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
    SELECT coalesce(sum(u.prompt_tokens + u.generated_tokens) FILTER (WHERE u.day = v_today), 0),
           coalesce(sum(u.prompt_tokens + u.generated_tokens), 0)
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

-- End a reservation, once; whether this call did. What it used is added to the counters of its day and month.
CREATE FUNCTION usage_end_reservation(p_account text, p_seq bigint, p_used bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
  r usage_reservations;
  v_open integer;
BEGIN
  PERFORM 1 FROM usage_accounts WHERE account_id = p_account FOR UPDATE;
  SELECT * INTO r FROM usage_reservations WHERE account_id = p_account AND seq = p_seq AND state <> 'ended' FOR UPDATE;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  -- An expired one has already been taken off the counters; what it used after all is still counted.
  v_open := CASE r.state WHEN 'open' THEN 1 ELSE 0 END;
  UPDATE usage_reservations SET state = 'ended' WHERE account_id = p_account AND seq = p_seq;
  UPDATE usage_accounts SET
    running = running - v_open,
    day_used = day_used + CASE WHEN day = r.day THEN p_used ELSE 0 END,
    day_reserved = day_reserved - CASE WHEN day = r.day THEN v_open * r.tokens ELSE 0 END,
    month_used = month_used + CASE WHEN usage_month(day) = usage_month(r.day) THEN p_used ELSE 0 END,
    month_reserved = month_reserved
      - CASE WHEN usage_month(day) = usage_month(r.day) THEN v_open * r.tokens ELSE 0 END
    WHERE account_id = p_account;
  RETURN true;
END
$$;

-- Meter what a run used, and end its reservation when it has one (p_seq is not null). Whether it was metered: not when
-- its reservation had been ended before.
CREATE FUNCTION usage_settle(
  p_account text, p_seq bigint, p_day date, p_project text, p_user text, p_api_key text, p_pipeline text, p_plan text,
  p_prompt bigint, p_generated bigint, p_cached bigint, p_compute_ms bigint
) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  p_account := coalesce(p_account, usage_account_of(p_project, p_user));
  IF p_seq IS NOT NULL THEN
    IF NOT usage_end_reservation(p_account, p_seq, p_prompt + p_generated) THEN
      RETURN false;
    END IF;
  ELSE
    -- The account may have come to a plan with limits since. Counters of an earlier day are counted anew anyway.
    UPDATE usage_accounts SET
      day_used = day_used + CASE WHEN day = p_day THEN p_prompt + p_generated ELSE 0 END,
      month_used = month_used + p_prompt + p_generated
      WHERE account_id = p_account AND day >= p_day
        AND usage_month(day) = usage_month(p_day);
  END IF;
  INSERT INTO usage_daily AS u VALUES
    (p_account, p_day, p_project, p_user, p_api_key, p_pipeline, p_plan, 1, p_prompt, p_generated, p_cached, p_compute_ms)
    ON CONFLICT (account_id, day, project_id, user_id, api_key_id, pipeline, plan_id) DO UPDATE SET
      runs = u.runs + 1,
      prompt_tokens = u.prompt_tokens + excluded.prompt_tokens,
      generated_tokens = u.generated_tokens + excluded.generated_tokens,
      cached_tokens = u.cached_tokens + excluded.cached_tokens,
      compute_ms = u.compute_ms + excluded.compute_ms;
  RETURN true;
END
$$;

-- Whether nobody is left to end a reservation: its process is dead, or its run is so old that it has been deleted.
CREATE FUNCTION usage_is_lost(p_holder text, p_admitted_at timestamptz, p_now timestamptz) RETURNS boolean
LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN p_holder IS NULL THEN p_admitted_at < p_now - interval '1 day'
    ELSE NOT EXISTS (SELECT 1 FROM usage_holders WHERE holder = p_holder) END
$$;

-- Say that a process is alive, return what dead ones had reserved, forget what no limit looks at any more. How many
-- reservations expired.
CREATE FUNCTION usage_sweep(p_now timestamptz, p_holder text, p_expires_at timestamptz) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
  a usage_accounts;
  v_account text;
  v_expired integer;
  v_day bigint;
  v_month bigint;
  v_total integer := 0;
BEGIN
  INSERT INTO usage_holders VALUES (p_holder, p_expires_at)
    ON CONFLICT (holder) DO UPDATE SET expires_at = excluded.expires_at;
  -- One sweep at a time; the others have nothing to do.
  IF NOT pg_try_advisory_xact_lock(7024202204) THEN
    RETURN 0;
  END IF;
  DELETE FROM usage_holders WHERE expires_at <= p_now;
  FOR v_account IN
    SELECT DISTINCT r.account_id FROM usage_reservations r
      WHERE r.state = 'open' AND usage_is_lost(r.holder, r.admitted_at, p_now)
      ORDER BY 1
  LOOP
    SELECT * INTO a FROM usage_accounts WHERE account_id = v_account FOR UPDATE;
    WITH dead AS (
      UPDATE usage_reservations r SET state = 'expired'
        WHERE r.account_id = v_account AND r.state = 'open' AND usage_is_lost(r.holder, r.admitted_at, p_now)
        RETURNING r.day, r.tokens
    )
    SELECT count(*), coalesce(sum(tokens) FILTER (WHERE day = a.day), 0),
           coalesce(sum(tokens) FILTER (WHERE usage_month(day) = usage_month(a.day)), 0)
      INTO v_expired, v_day, v_month FROM dead;
    UPDATE usage_accounts SET running = running - v_expired, day_reserved = day_reserved - v_day,
      month_reserved = month_reserved - v_month
      WHERE account_id = v_account;
    v_total := v_total + v_expired;
  END LOOP;
  DELETE FROM usage_reservations
    WHERE (state = 'ended' AND admitted_at < p_now - interval '2 minutes')
      OR (state = 'expired' AND admitted_at < p_now - interval '90 days');
  RETURN v_total;
END
$$;

-- How accounts came to their plans through a payment provider.
CREATE TABLE subscriptions (
  provider text NOT NULL,
  -- The provider's names.
  subscription_id text NOT NULL,
  customer_id text NOT NULL,
  user_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  plan_id text NOT NULL,
  status text NOT NULL CHECK (status IN ('active', 'ended')),
  -- Moment of the newest event that was applied: older ones that come late change nothing.
  event_at timestamptz NOT NULL,
  PRIMARY KEY (provider, subscription_id)
);
CREATE INDEX subscriptions_by_user ON subscriptions (user_id);

-- Events of payment providers that have been dealt with: each counts once.
CREATE TABLE billing_events (
  provider text NOT NULL,
  event_id text NOT NULL,
  type text NOT NULL,
  received_at timestamptz NOT NULL,
  PRIMARY KEY (provider, event_id)
);

-- Plans that users asked for and an owner has to approve.
CREATE TABLE plan_requests (
  user_id text PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  plan_id text NOT NULL,
  requested_at timestamptz NOT NULL
);

-- Who runs a server is not limited by it: the plan without limits, unless somebody sets another.
UPDATE users SET plan_id = 'owner' WHERE id = 'user_00000000000000000000000000000000' AND plan_id = 'premium';

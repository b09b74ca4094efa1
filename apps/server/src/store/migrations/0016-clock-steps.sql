-- A clock that was set back by minutes shut accounts with a limit of requests a minute out until it had caught up.
-- Further ahead than a minute is no difference between the clocks of servers.
DO $$
DECLARE
  definition text := pg_get_functiondef('usage_admit'::regproc);
BEGIN
  IF position('interval ''10 minutes''' IN definition) = 0 THEN
    RAISE EXCEPTION 'usage_admit has no tolerance of 10 minutes';
  END IF;
  EXECUTE replace(definition, 'interval ''10 minutes''', 'interval ''1 minute''');
END
$$;

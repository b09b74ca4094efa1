-- How often each actor did what within an hour: repeats are refused or have fewer lines in the audit log.
CREATE TABLE audit_repeats (
  -- A user, or the address of a caller who is not signed in.
  actor text NOT NULL,
  action text NOT NULL,
  -- Beginning of the hour.
  since timestamptz NOT NULL,
  count integer NOT NULL,
  -- The number among them that the last line had.
  listed integer NOT NULL,
  PRIMARY KEY (actor, action)
);
CREATE INDEX audit_repeats_by_age ON audit_repeats (since);

-- Entries never change, and are deleted by `audit_log_expire` alone, oldest first.
DROP TRIGGER audit_log_is_append_only ON audit_log;
CREATE TRIGGER audit_log_is_append_only BEFORE UPDATE OR TRUNCATE ON audit_log
  FOR EACH STATEMENT EXECUTE FUNCTION audit_log_refuse_change();

CREATE FUNCTION audit_log_refuse_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF current_setting('gptj.audit_expiry', true) IS DISTINCT FROM 'on' THEN
    RAISE EXCEPTION 'audit_log is append-only';
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER audit_log_refuse_delete BEFORE DELETE ON audit_log
  FOR EACH STATEMENT EXECUTE FUNCTION audit_log_refuse_delete();

-- Delete up to p_limit entries from before p_before. Returns their number.
CREATE FUNCTION audit_log_expire(p_before timestamptz, p_limit integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  v_removed integer;
BEGIN
  PERFORM set_config('gptj.audit_expiry', 'on', true);
  DELETE FROM audit_log WHERE id IN (SELECT id FROM audit_log WHERE at < p_before ORDER BY at, id LIMIT p_limit);
  GET DIAGNOSTICS v_removed = ROW_COUNT;
  PERFORM set_config('gptj.audit_expiry', '', true);
  RETURN v_removed;
END
$$;

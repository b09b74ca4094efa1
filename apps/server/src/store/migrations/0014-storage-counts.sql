-- Fewer statements for each count of what projects store: a run adds files, data and itself. The rows of several projects
-- are locked in the order of their ids first; of one project, the update locks it.
CREATE OR REPLACE FUNCTION files_count_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT min(project_id) IS DISTINCT FROM max(project_id) FROM changed) THEN
    PERFORM 1 FROM project_storage WHERE project_id IN (SELECT project_id FROM changed) ORDER BY project_id FOR UPDATE;
  END IF;
  UPDATE project_storage s SET bytes = s.bytes + c.bytes, items = s.items + c.items
    FROM (SELECT project_id, sum(size_bytes) AS bytes, count(*) AS items FROM changed GROUP BY project_id) c
    WHERE s.project_id = c.project_id;
  RETURN NULL;
END
$$;
CREATE OR REPLACE FUNCTION files_count_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT min(project_id) IS DISTINCT FROM max(project_id) FROM changed) THEN
    PERFORM 1 FROM project_storage WHERE project_id IN (SELECT project_id FROM changed) ORDER BY project_id FOR UPDATE;
  END IF;
  UPDATE project_storage s SET bytes = s.bytes - c.bytes, items = s.items - c.items
    FROM (SELECT project_id, sum(size_bytes) AS bytes, count(*) AS items FROM changed GROUP BY project_id) c
    WHERE s.project_id = c.project_id;
  RETURN NULL;
END
$$;
CREATE OR REPLACE FUNCTION data_count_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT min(project_id) IS DISTINCT FROM max(project_id) FROM changed) THEN
    PERFORM 1 FROM project_storage WHERE project_id IN (SELECT project_id FROM changed) ORDER BY project_id FOR UPDATE;
  END IF;
  UPDATE project_storage s SET bytes = s.bytes + c.bytes, items = s.items + c.items
    FROM (SELECT project_id, 0 AS bytes, count(*) AS items FROM changed GROUP BY project_id) c
    WHERE s.project_id = c.project_id;
  RETURN NULL;
END
$$;
CREATE OR REPLACE FUNCTION data_count_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT min(project_id) IS DISTINCT FROM max(project_id) FROM changed) THEN
    PERFORM 1 FROM project_storage WHERE project_id IN (SELECT project_id FROM changed) ORDER BY project_id FOR UPDATE;
  END IF;
  UPDATE project_storage s SET bytes = s.bytes - c.bytes, items = s.items - c.items
    FROM (SELECT project_id, 0 AS bytes, count(*) AS items FROM changed GROUP BY project_id) c
    WHERE s.project_id = c.project_id;
  RETURN NULL;
END
$$;
CREATE OR REPLACE FUNCTION runs_count_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT min(project_id) IS DISTINCT FROM max(project_id) FROM changed) THEN
    PERFORM 1 FROM project_storage WHERE project_id IN (SELECT project_id FROM changed) ORDER BY project_id FOR UPDATE;
  END IF;
  UPDATE project_storage s SET bytes = s.bytes + c.bytes, items = s.items + c.items
    FROM (SELECT project_id, 0 AS bytes, count(*) AS items FROM changed GROUP BY project_id) c
    WHERE s.project_id = c.project_id;
  RETURN NULL;
END
$$;
CREATE OR REPLACE FUNCTION runs_count_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT min(project_id) IS DISTINCT FROM max(project_id) FROM changed) THEN
    PERFORM 1 FROM project_storage WHERE project_id IN (SELECT project_id FROM changed) ORDER BY project_id FOR UPDATE;
  END IF;
  UPDATE project_storage s SET bytes = s.bytes - c.bytes, items = s.items - c.items
    FROM (SELECT project_id, coalesce(sum(octet_length(result_preview)), 0) AS bytes, count(*) AS items FROM changed GROUP BY project_id) c
    WHERE s.project_id = c.project_id;
  RETURN NULL;
END
$$;
CREATE OR REPLACE FUNCTION runs_count_preview() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE project_storage
    SET bytes = bytes + coalesce(octet_length(NEW.result_preview), 0) - coalesce(octet_length(OLD.result_preview), 0)
    WHERE project_id = NEW.project_id;
  RETURN NULL;
END
$$;
DROP FUNCTION project_storage_add(text[], bigint[], bigint[]);

-- The number of data of a project, beside that of all that it stores.
ALTER TABLE project_storage ADD data bigint NOT NULL DEFAULT 0;
LOCK TABLE data IN SHARE ROW EXCLUSIVE MODE;
UPDATE project_storage s SET data = c.data
  FROM (SELECT project_id, count(*) AS data FROM data GROUP BY project_id) c WHERE s.project_id = c.project_id;
CREATE OR REPLACE FUNCTION data_count_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT min(project_id) IS DISTINCT FROM max(project_id) FROM changed) THEN
    PERFORM 1 FROM project_storage WHERE project_id IN (SELECT project_id FROM changed) ORDER BY project_id FOR UPDATE;
  END IF;
  UPDATE project_storage s SET items = s.items + c.items, data = s.data + c.items
    FROM (SELECT project_id, count(*) AS items FROM changed GROUP BY project_id) c
    WHERE s.project_id = c.project_id;
  RETURN NULL;
END
$$;
CREATE OR REPLACE FUNCTION data_count_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT min(project_id) IS DISTINCT FROM max(project_id) FROM changed) THEN
    PERFORM 1 FROM project_storage WHERE project_id IN (SELECT project_id FROM changed) ORDER BY project_id FOR UPDATE;
  END IF;
  UPDATE project_storage s SET items = s.items - c.items, data = s.data - c.items
    FROM (SELECT project_id, count(*) AS items FROM changed GROUP BY project_id) c
    WHERE s.project_id = c.project_id;
  RETURN NULL;
END
$$;

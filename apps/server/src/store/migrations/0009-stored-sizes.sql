-- Large files are stored in slices, so that writing and reading one does not hold the store for long, and no process
-- needs to hold it whole. Small files, and those from before, have their bytes in their row.
ALTER TABLE files ADD size_bytes bigint, ADD is_stored boolean NOT NULL DEFAULT true;
UPDATE files SET size_bytes = octet_length(bytes);
ALTER TABLE files ALTER size_bytes SET NOT NULL, ALTER is_stored DROP DEFAULT, ALTER bytes DROP NOT NULL;
-- Files whose upload is under way, or ended with its process.
CREATE INDEX files_not_stored ON files (created_at) WHERE NOT is_stored;

CREATE TABLE file_slices (
  file_id text NOT NULL REFERENCES files (id) ON DELETE CASCADE,
  index integer NOT NULL,
  bytes bytea NOT NULL,
  PRIMARY KEY (file_id, index)
);
-- Compression costs more time than reading and writing the bytes.
ALTER TABLE file_slices ALTER bytes SET STORAGE EXTERNAL;

-- What each project stores: bytes of files and of previews of results; items are files, data and runs. Triggers count,
-- so that every way to add and delete is counted, in its transaction.
CREATE TABLE project_storage (
  project_id text PRIMARY KEY REFERENCES projects (id) ON DELETE CASCADE,
  bytes bigint NOT NULL,
  items bigint NOT NULL
);
CREATE INDEX projects_by_owner ON projects (owner_id);
INSERT INTO project_storage
  SELECT p.id,
    coalesce((SELECT sum(size_bytes) FROM files WHERE project_id = p.id), 0)
      + coalesce((SELECT sum(octet_length(result_preview)) FROM runs WHERE project_id = p.id), 0),
    (SELECT count(*) FROM files WHERE project_id = p.id) + (SELECT count(*) FROM data WHERE project_id = p.id)
      + (SELECT count(*) FROM runs WHERE project_id = p.id)
  FROM projects p;

CREATE FUNCTION project_storage_open() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO project_storage VALUES (NEW.id, 0, 0);
  RETURN NULL;
END
$$;
CREATE TRIGGER projects_open_storage AFTER INSERT ON projects FOR EACH ROW EXECUTE FUNCTION project_storage_open();

-- Add to the counts of projects. Their rows are locked in the order of the ids, so that two statements cannot deadlock.
CREATE FUNCTION project_storage_add(p_projects text[], p_bytes bigint[], p_items bigint[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  IF p_projects IS NULL THEN
    RETURN;
  END IF;
  PERFORM 1 FROM project_storage WHERE project_id = ANY (p_projects) ORDER BY project_id FOR UPDATE;
  UPDATE project_storage s SET bytes = s.bytes + a.bytes, items = s.items + a.items
    FROM unnest(p_projects, p_bytes, p_items) AS a (project_id, bytes, items)
    WHERE s.project_id = a.project_id;
END
$$;

CREATE FUNCTION files_count_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM project_storage_add(array_agg(project_id), array_agg(bytes), array_agg(items))
    FROM (SELECT project_id, sum(size_bytes)::bigint AS bytes, count(*) AS items FROM changed GROUP BY project_id) c;
  RETURN NULL;
END
$$;
CREATE FUNCTION files_count_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM project_storage_add(array_agg(project_id), array_agg(-bytes), array_agg(-items))
    FROM (SELECT project_id, sum(size_bytes)::bigint AS bytes, count(*) AS items FROM changed GROUP BY project_id) c;
  RETURN NULL;
END
$$;
CREATE TRIGGER files_count_added AFTER INSERT ON files REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION files_count_added();
CREATE TRIGGER files_count_removed AFTER DELETE ON files REFERENCING OLD TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION files_count_removed();

CREATE FUNCTION data_count_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM project_storage_add(array_agg(project_id), array_agg(0::bigint), array_agg(items))
    FROM (SELECT project_id, count(*) AS items FROM changed GROUP BY project_id) c;
  RETURN NULL;
END
$$;
CREATE FUNCTION data_count_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM project_storage_add(array_agg(project_id), array_agg(0::bigint), array_agg(-items))
    FROM (SELECT project_id, count(*) AS items FROM changed GROUP BY project_id) c;
  RETURN NULL;
END
$$;
CREATE TRIGGER data_count_added AFTER INSERT ON data REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION data_count_added();
CREATE TRIGGER data_count_removed AFTER DELETE ON data REFERENCING OLD TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION data_count_removed();

-- A run is inserted without a preview, which its end adds.
CREATE FUNCTION runs_count_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM project_storage_add(array_agg(project_id), array_agg(0::bigint), array_agg(items))
    FROM (SELECT project_id, count(*) AS items FROM changed GROUP BY project_id) c;
  RETURN NULL;
END
$$;
CREATE FUNCTION runs_count_preview() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM project_storage_add(ARRAY[NEW.project_id],
    ARRAY[(coalesce(octet_length(NEW.result_preview), 0) - coalesce(octet_length(OLD.result_preview), 0))::bigint],
    ARRAY[0::bigint]);
  RETURN NULL;
END
$$;
CREATE FUNCTION runs_count_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM project_storage_add(array_agg(project_id), array_agg(-bytes), array_agg(-items))
    FROM (
      SELECT project_id, coalesce(sum(octet_length(result_preview)), 0)::bigint AS bytes, count(*) AS items
      FROM changed GROUP BY project_id
    ) c;
  RETURN NULL;
END
$$;
CREATE TRIGGER runs_count_added AFTER INSERT ON runs REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION runs_count_added();
CREATE TRIGGER runs_count_preview AFTER UPDATE OF result_preview ON runs FOR EACH ROW
  WHEN (octet_length(NEW.result_preview) IS DISTINCT FROM octet_length(OLD.result_preview))
  EXECUTE FUNCTION runs_count_preview();
CREATE TRIGGER runs_count_removed AFTER DELETE ON runs REFERENCING OLD TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION runs_count_removed();

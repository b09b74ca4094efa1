-- What a list shows of a run without reading its input and result: the first 160 letters of prompt and output. Runs from
-- before have none.
ALTER TABLE runs
  ADD prompt_head text,
  ADD output_head text,
  -- Both heads in the form that searches compare: lower case, NFKC.
  ADD search_text text,
  -- Milliseconds from the acceptance to the first evaluation, and to the first token, of the execution that ended.
  ADD queued_ms integer,
  ADD first_token_ms integer;

-- A search reads this index alone, from the newest run on.
CREATE INDEX runs_by_text ON runs (project_id, created_at, id) INCLUDE (state, pipeline_id, api_key_id, search_text);
DROP INDEX runs_by_project;
CREATE INDEX runs_by_project ON runs (project_id, created_at, id)
  INCLUDE (state, compute_time_ms, pipeline_id, resource_type, api_key_id);

-- The heads are stored bytes of the project, as previews are.
CREATE OR REPLACE FUNCTION runs_count_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT min(project_id) IS DISTINCT FROM max(project_id) FROM changed) THEN
    PERFORM 1 FROM project_storage WHERE project_id IN (SELECT project_id FROM changed) ORDER BY project_id FOR UPDATE;
  END IF;
  UPDATE project_storage s SET bytes = s.bytes + c.bytes, items = s.items + c.items
    FROM (
      SELECT project_id, sum(coalesce(octet_length(result_preview), 0) + coalesce(octet_length(prompt_head), 0)
          + coalesce(octet_length(output_head), 0) + coalesce(octet_length(search_text), 0)) AS bytes, count(*) AS items
      FROM changed GROUP BY project_id
    ) c
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
    FROM (
      SELECT project_id, sum(coalesce(octet_length(result_preview), 0) + coalesce(octet_length(prompt_head), 0)
          + coalesce(octet_length(output_head), 0) + coalesce(octet_length(search_text), 0)) AS bytes, count(*) AS items
      FROM changed GROUP BY project_id
    ) c
    WHERE s.project_id = c.project_id;
  RETURN NULL;
END
$$;
DROP TRIGGER runs_count_preview ON runs;
DROP FUNCTION runs_count_preview();
CREATE FUNCTION runs_count_texts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE project_storage SET bytes = bytes
      + coalesce(octet_length(NEW.result_preview), 0) - coalesce(octet_length(OLD.result_preview), 0)
      + coalesce(octet_length(NEW.prompt_head), 0) - coalesce(octet_length(OLD.prompt_head), 0)
      + coalesce(octet_length(NEW.output_head), 0) - coalesce(octet_length(OLD.output_head), 0)
      + coalesce(octet_length(NEW.search_text), 0) - coalesce(octet_length(OLD.search_text), 0)
    WHERE project_id = NEW.project_id;
  RETURN NULL;
END
$$;
CREATE TRIGGER runs_count_texts AFTER UPDATE OF result_preview, prompt_head, output_head, search_text ON runs
  FOR EACH ROW
  WHEN (octet_length(NEW.result_preview) IS DISTINCT FROM octet_length(OLD.result_preview)
    OR octet_length(NEW.prompt_head) IS DISTINCT FROM octet_length(OLD.prompt_head)
    OR octet_length(NEW.output_head) IS DISTINCT FROM octet_length(OLD.output_head)
    OR octet_length(NEW.search_text) IS DISTINCT FROM octet_length(OLD.search_text))
  EXECUTE FUNCTION runs_count_texts();

-- Sums of ended runs by the hour of their acceptance: metrics of a long time read hours in place of runs. Open runs are few,
-- and are counted as rows, so that the acceptance of a run locks no sum.
CREATE TABLE run_sums (
  project_id text NOT NULL,
  hour timestamptz NOT NULL,
  pipeline_id text NOT NULL,
  -- Empty where it is unknown.
  resource_type text NOT NULL,
  runs integer NOT NULL,
  succeeded integer NOT NULL,
  failed integer NOT NULL,
  compute_ms bigint NOT NULL,
  PRIMARY KEY (project_id, hour, pipeline_id, resource_type)
);
CREATE INDEX runs_open ON runs (project_id, created_at) WHERE ended_at IS NULL;
-- Lists of the runs of a token, or of browser sessions: few of many.
CREATE INDEX runs_by_token ON runs (project_id, api_key_id, created_at, id);

-- Triggers, so that every way in which a run ends or is removed is counted. Each locks the sums in the order of their keys.
CREATE FUNCTION runs_sum_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO run_sums AS s (project_id, hour, pipeline_id, resource_type, runs, succeeded, failed, compute_ms)
    SELECT project_id, date_trunc('hour', created_at, 'UTC'), pipeline_id, coalesce(resource_type, ''), count(*),
      count(*) FILTER (WHERE state = 'complete'), count(*) FILTER (WHERE state = 'failed'), coalesce(sum(compute_time_ms), 0)
    FROM added WHERE ended_at IS NOT NULL GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
    ON CONFLICT (project_id, hour, pipeline_id, resource_type) DO UPDATE SET
      runs = s.runs + excluded.runs,
      succeeded = s.succeeded + excluded.succeeded,
      failed = s.failed + excluded.failed,
      compute_ms = s.compute_ms + excluded.compute_ms;
  RETURN NULL;
END
$$;
CREATE FUNCTION runs_sum_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO run_sums AS s (project_id, hour, pipeline_id, resource_type, runs, succeeded, failed, compute_ms)
    SELECT project_id, date_trunc('hour', created_at, 'UTC'), pipeline_id, coalesce(resource_type, ''), sum(sign),
      coalesce(sum(sign) FILTER (WHERE state = 'complete'), 0), coalesce(sum(sign) FILTER (WHERE state = 'failed'), 0),
      coalesce(sum(sign * compute_time_ms), 0)
    FROM (
      SELECT 1 AS sign, project_id, created_at, pipeline_id, resource_type, state, compute_time_ms
        FROM present WHERE ended_at IS NOT NULL
      UNION ALL
      SELECT -1, project_id, created_at, pipeline_id, resource_type, state, compute_time_ms
        FROM past WHERE ended_at IS NOT NULL
    ) changed
    GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
    ON CONFLICT (project_id, hour, pipeline_id, resource_type) DO UPDATE SET
      runs = s.runs + excluded.runs,
      succeeded = s.succeeded + excluded.succeeded,
      failed = s.failed + excluded.failed,
      compute_ms = s.compute_ms + excluded.compute_ms;
  RETURN NULL;
END
$$;
CREATE FUNCTION runs_sum_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM run_sums
    WHERE (project_id, hour, pipeline_id, resource_type) IN (
      SELECT project_id, date_trunc('hour', created_at, 'UTC'), pipeline_id, coalesce(resource_type, '')
      FROM removed WHERE ended_at IS NOT NULL)
    ORDER BY project_id, hour, pipeline_id, resource_type FOR UPDATE;
  UPDATE run_sums s SET
    runs = s.runs - c.runs,
    succeeded = s.succeeded - c.succeeded,
    failed = s.failed - c.failed,
    compute_ms = s.compute_ms - c.compute_ms
    FROM (
      SELECT project_id, date_trunc('hour', created_at, 'UTC') AS hour, pipeline_id,
        coalesce(resource_type, '') AS resource_type, count(*) AS runs,
        count(*) FILTER (WHERE state = 'complete') AS succeeded, count(*) FILTER (WHERE state = 'failed') AS failed,
        coalesce(sum(compute_time_ms), 0) AS compute_ms
      FROM removed WHERE ended_at IS NOT NULL GROUP BY 1, 2, 3, 4
    ) c
    WHERE s.project_id = c.project_id AND s.hour = c.hour AND s.pipeline_id = c.pipeline_id
      AND s.resource_type = c.resource_type;
  DELETE FROM run_sums s USING removed r
    WHERE s.runs = 0 AND s.project_id = r.project_id AND s.hour = date_trunc('hour', r.created_at, 'UTC')
      AND s.pipeline_id = r.pipeline_id AND s.resource_type = coalesce(r.resource_type, '');
  RETURN NULL;
END
$$;
CREATE TRIGGER runs_sum_added AFTER INSERT ON runs REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION runs_sum_added();
CREATE TRIGGER runs_sum_changed AFTER UPDATE ON runs REFERENCING OLD TABLE AS past NEW TABLE AS present
  FOR EACH STATEMENT EXECUTE FUNCTION runs_sum_changed();
CREATE TRIGGER runs_sum_removed AFTER DELETE ON runs REFERENCING OLD TABLE AS removed
  FOR EACH STATEMENT EXECUTE FUNCTION runs_sum_removed();

-- After the triggers: creating them waits for writers, and holds back new ones, until this is committed.
INSERT INTO run_sums (project_id, hour, pipeline_id, resource_type, runs, succeeded, failed, compute_ms)
  SELECT project_id, date_trunc('hour', created_at, 'UTC'), pipeline_id, coalesce(resource_type, ''), count(*),
    count(*) FILTER (WHERE state = 'complete'), count(*) FILTER (WHERE state = 'failed'), coalesce(sum(compute_time_ms), 0)
  FROM runs WHERE ended_at IS NOT NULL GROUP BY 1, 2, 3, 4;

-- min_reader: 30
-- Reports of evaluations, and how a model answered each of their documents.
CREATE TABLE evaluations (
  id text PRIMARY KEY,
  project_id text NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
  name text NOT NULL,
  -- Of the report: it is stored once in a project.
  hash text NOT NULL,
  -- JSON of the report without its documents.
  head text NOT NULL,
  -- JSON of a list: documents of each task that are stored.
  received text NOT NULL,
  -- The head and all documents.
  size_bytes bigint NOT NULL,
  created_at timestamptz NOT NULL,
  UNIQUE (project_id, hash)
);
CREATE INDEX evaluations_by_age ON evaluations (project_id, created_at, id);

CREATE TABLE evaluation_documents (
  evaluation_id text NOT NULL REFERENCES evaluations (id) ON DELETE CASCADE,
  -- Index in the report.
  task integer NOT NULL,
  document integer NOT NULL,
  -- Log-likelihood of the right request above the best other one; null without log-likelihoods.
  margin double precision,
  -- The margin in thousandths, for the order of a list; documents without one come first.
  margin_order integer NOT NULL,
  -- The chosen request; of one request, 1 where it is right.
  chosen integer NOT NULL,
  is_right boolean,
  is_right_normalized boolean,
  -- JSON of the document.
  body text NOT NULL,
  PRIMARY KEY (evaluation_id, task, document)
);
CREATE INDEX evaluation_documents_by_margin ON evaluation_documents (evaluation_id, task, margin_order, document);

-- What an evaluation stores counts against the account of its project, as files do.
CREATE FUNCTION evaluations_count() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_bytes bigint := 0;
  v_items bigint := 0;
BEGIN
  IF TG_OP <> 'DELETE' THEN
    v_bytes := v_bytes + NEW.size_bytes;
    v_items := v_items + 1;
  END IF;
  IF TG_OP <> 'INSERT' THEN
    v_bytes := v_bytes - OLD.size_bytes;
    v_items := v_items - 1;
  END IF;
  UPDATE project_storage SET bytes = bytes + v_bytes, items = items + v_items
    WHERE project_id = CASE WHEN TG_OP = 'DELETE' THEN OLD.project_id ELSE NEW.project_id END;
  RETURN NULL;
END
$$;
CREATE TRIGGER evaluations_count AFTER INSERT OR UPDATE OR DELETE ON evaluations
  FOR EACH ROW EXECUTE FUNCTION evaluations_count();

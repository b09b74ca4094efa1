-- JSON of the choices that a user made for the dashboard; null: none.
ALTER TABLE users ADD preferences text;

-- Parameters, and perhaps a prompt, under a name that members of a project choose them by.
CREATE TABLE presets (
  id text PRIMARY KEY,
  project_id text NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
  name text NOT NULL,
  -- JSON.
  parameters text NOT NULL,
  prompt text,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  UNIQUE (project_id, name)
);
CREATE INDEX presets_by_age ON presets (project_id, created_at, id);

-- What a preset stores counts against the account of its project, as files do.
CREATE FUNCTION presets_count() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_bytes bigint := 0;
  v_items bigint := 0;
BEGIN
  IF TG_OP <> 'DELETE' THEN
    v_bytes := v_bytes + octet_length(NEW.parameters) + coalesce(octet_length(NEW.prompt), 0);
    v_items := v_items + 1;
  END IF;
  IF TG_OP <> 'INSERT' THEN
    v_bytes := v_bytes - octet_length(OLD.parameters) - coalesce(octet_length(OLD.prompt), 0);
    v_items := v_items - 1;
  END IF;
  UPDATE project_storage SET bytes = bytes + v_bytes, items = items + v_items
    WHERE project_id = CASE WHEN TG_OP = 'DELETE' THEN OLD.project_id ELSE NEW.project_id END;
  RETURN NULL;
END
$$;
CREATE TRIGGER presets_count AFTER INSERT OR UPDATE OR DELETE ON presets FOR EACH ROW EXECUTE FUNCTION presets_count();

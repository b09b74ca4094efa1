-- A file that is stored while its bytes come may become larger or smaller than announced.
CREATE FUNCTION files_count_resized() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE project_storage SET bytes = bytes + NEW.size_bytes - OLD.size_bytes WHERE project_id = NEW.project_id;
  RETURN NULL;
END
$$;
CREATE TRIGGER files_count_resized AFTER UPDATE OF size_bytes ON files FOR EACH ROW
  WHEN (NEW.size_bytes <> OLD.size_bytes) EXECUTE FUNCTION files_count_resized();

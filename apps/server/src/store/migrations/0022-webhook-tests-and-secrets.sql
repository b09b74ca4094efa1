-- The secret before the last rotation, which signs beside the new one until its time.
ALTER TABLE webhooks ADD previous_secret text, ADD previous_secret_until timestamptz;
-- A test message belongs to no run.
ALTER TABLE webhook_deliveries ALTER run_id DROP NOT NULL;

-- Owners of a project read its entries of the audit log.
CREATE INDEX audit_log_by_project ON audit_log (project_id, at, id) WHERE project_id IS NOT NULL;

-- The receiver of a webhook: host and port of its URL. Webhooks of a project on one host share a breaker.
ALTER TABLE webhooks
  ADD host text NOT NULL DEFAULT '',
  -- Failed attempts since the last message that was delivered, and the time of the first of them.
  ADD failed_attempts integer NOT NULL DEFAULT 0,
  ADD failing_since timestamptz,
  -- Set when the server disabled the webhook after a long failure.
  ADD disabled_at timestamptz,
  ADD disabled_reason text,
  -- Replays since `replays_since`, a window of one hour.
  ADD replays integer NOT NULL DEFAULT 0,
  ADD replays_since timestamptz;
UPDATE webhooks SET host = coalesce(lower(substring(url FROM '^[A-Za-z]+://([^/?#]+)')), '');
ALTER TABLE webhooks ALTER host DROP DEFAULT;

-- State of a receiver as one project knows it: a project must not open the breaker of another.
CREATE TABLE webhook_receivers (
  project_id text NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
  host text NOT NULL,
  -- Attempts in a row without a reply, or with a reply that asks to wait. 0: the last attempt had a reply.
  failures integer NOT NULL,
  -- While this is in the future, nothing is sent.
  open_until timestamptz,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (project_id, host)
);
CREATE INDEX webhook_receivers_failing ON webhook_receivers (open_until) WHERE open_until IS NOT NULL;

-- Replays of all webhooks of a project in the hour since `replays_since`; it outlives a deleted webhook.
CREATE TABLE webhook_projects (
  project_id text PRIMARY KEY REFERENCES projects (id) ON DELETE CASCADE,
  replays integer NOT NULL,
  replays_since timestamptz NOT NULL
);

-- Due deliveries are looked up by webhook, so that one with a long backlog costs others nothing.
DROP INDEX webhook_deliveries_due;
CREATE INDEX webhook_deliveries_pending ON webhook_deliveries (webhook_id, due_at) WHERE state = 'pending';
CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (created_at) WHERE state = 'pending';

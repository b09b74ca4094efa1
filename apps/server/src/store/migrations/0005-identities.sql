-- When an owner of the server closed the account; null: it is open.
ALTER TABLE users ADD disabled_at timestamptz;

ALTER TABLE account_links
  DROP CONSTRAINT account_links_purpose_check,
  ADD CONSTRAINT account_links_purpose_check
    CHECK (purpose IN ('set_up', 'verify_email', 'reset_password', 'change_email', 'oauth_code'));

-- Accounts elsewhere that sign their owners in here.
CREATE TABLE identities (
  id text PRIMARY KEY,
  user_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  -- What the settings called it when it was linked; for people to read.
  provider text NOT NULL,
  -- Who says so, and whom it means: names in settings may come to mean somebody else, this pair does not.
  issuer text NOT NULL,
  subject text NOT NULL,
  -- What the account elsewhere is called; for people to read.
  name text NOT NULL,
  created_at timestamptz NOT NULL,
  last_used_at timestamptz,
  UNIQUE (issuer, subject)
);
CREATE INDEX identities_by_user ON identities (user_id, created_at);

-- Sign-ins that were begun and have not come back from a provider.
CREATE TABLE oauth_flows (
  -- SHA-256 of the state, hexadecimal.
  state_hash text PRIMARY KEY,
  -- SHA-256 of the cookie of the browser that began it.
  browser_hash text NOT NULL,
  provider text NOT NULL,
  -- The session that links an identity to its user, and with which that ends; null: somebody signs in.
  session_id text REFERENCES sessions (id) ON DELETE CASCADE,
  expires_at timestamptz NOT NULL
);
CREATE INDEX oauth_flows_by_session ON oauth_flows (session_id) WHERE session_id IS NOT NULL;
CREATE INDEX oauth_flows_by_expiry ON oauth_flows (expires_at);

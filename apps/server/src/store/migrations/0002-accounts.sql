CREATE TABLE users (
  id text PRIMARY KEY,
  email text NOT NULL UNIQUE CHECK (email = lower(email)),
  username text NOT NULL,
  -- scrypt, with its parameters and salt. Null: nobody can sign in with a password.
  password_hash text,
  -- What the user may do with this server as a whole; owners administer it.
  role text NOT NULL CHECK (role IN ('owner', 'member')),
  plan_id text NOT NULL,
  firstname text,
  lastname text,
  company text,
  job_title text,
  -- When the address was proved to be the user's.
  verified_at timestamptz,
  totp_secret text,
  totp_enabled boolean NOT NULL DEFAULT false,
  -- The last time step whose code was used: no code is good twice.
  totp_last_step bigint,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  CHECK (NOT totp_enabled OR totp_secret IS NOT NULL)
);
CREATE UNIQUE INDEX users_by_username ON users (lower(username));

CREATE TABLE projects (
  id text PRIMARY KEY,
  name text NOT NULL,
  -- Who pays: the plan of this user is the plan of the project.
  owner_id text NOT NULL REFERENCES users (id),
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);

CREATE TABLE project_members (
  project_id text NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
  user_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  role text NOT NULL CHECK (role IN ('owner', 'member')),
  added_at timestamptz NOT NULL,
  PRIMARY KEY (project_id, user_id)
);
CREATE INDEX project_members_by_user ON project_members (user_id, added_at);

CREATE TABLE project_invitations (
  id text PRIMARY KEY,
  project_id text NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
  email text NOT NULL CHECK (email = lower(email)),
  invited_by text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  UNIQUE (project_id, email)
);

CREATE TABLE sessions (
  id text PRIMARY KEY,
  user_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  -- SHA-256 of the cookie's value, hexadecimal.
  hash text NOT NULL UNIQUE,
  created_at timestamptz NOT NULL,
  last_seen_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  address text NOT NULL,
  user_agent text NOT NULL
);
CREATE INDEX sessions_by_user ON sessions (user_id);

-- Secrets that were sent to somebody, good for one use.
CREATE TABLE account_links (
  hash text PRIMARY KEY,
  purpose text NOT NULL CHECK (purpose IN ('set_up', 'verify_email', 'reset_password')),
  user_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  -- The address it was sent to; it proves that one only.
  email text NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL
);
CREATE INDEX account_links_by_user ON account_links (user_id, purpose);

CREATE TABLE recovery_codes (
  user_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  hash text NOT NULL,
  PRIMARY KEY (user_id, hash)
);

-- Failed sign-ins of one account or one network address.
CREATE TABLE login_failures (
  subject text PRIMARY KEY,
  failures integer NOT NULL,
  last_failure_at timestamptz NOT NULL,
  locked_until timestamptz
);

CREATE TABLE audit_log (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL,
  -- No foreign keys: the log outlives what it tells of. Null: nobody signed in, or the server itself.
  user_id text,
  api_key_id text,
  action text NOT NULL,
  -- Id of what was acted on, or null.
  subject text,
  project_id text,
  address text,
  request_id text,
  -- JSON object.
  details text NOT NULL
);
CREATE INDEX audit_log_by_time ON audit_log (at, id);
CREATE FUNCTION audit_log_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'audit_log is append-only';
END
$$;
CREATE TRIGGER audit_log_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
  FOR EACH STATEMENT EXECUTE FUNCTION audit_log_refuse_change();

-- The first user and the project of everything that was made before there were accounts. Without a password, nobody
-- can sign in as this user until the first start's set-up.
INSERT INTO users (id, email, username, role, plan_id, verified_at, created_at, updated_at) VALUES
  ('user_00000000000000000000000000000000', 'owner@localhost', 'owner', 'owner', 'premium', now(), now(), now());
INSERT INTO projects (id, name, owner_id, created_at, updated_at) VALUES
  ('project_00000000000000000000000000000000', 'default', 'user_00000000000000000000000000000000', now(), now());
INSERT INTO project_members (project_id, user_id, role, added_at) VALUES
  ('project_00000000000000000000000000000000', 'user_00000000000000000000000000000000', 'owner', now());

ALTER TABLE api_keys
  ADD user_id text REFERENCES users (id) ON DELETE CASCADE,
  ADD project_id text REFERENCES projects (id) ON DELETE CASCADE,
  -- Of run, read, write, admin, separated by blanks.
  ADD scopes text NOT NULL DEFAULT 'run read write admin',
  -- The first characters of the token, for its owner to know it by.
  ADD hint text NOT NULL DEFAULT '',
  ADD is_enabled boolean NOT NULL DEFAULT true,
  ADD expires_at timestamptz,
  ADD last_used_at timestamptz,
  ADD updated_at timestamptz;
UPDATE api_keys SET user_id = 'user_00000000000000000000000000000000',
  project_id = 'project_00000000000000000000000000000000', updated_at = created_at;
ALTER TABLE api_keys
  ALTER user_id SET NOT NULL,
  ALTER project_id SET NOT NULL,
  ALTER updated_at SET NOT NULL,
  ALTER scopes DROP DEFAULT,
  ALTER hint DROP DEFAULT;
CREATE INDEX api_keys_by_project ON api_keys (project_id, created_at);

-- Browsers and networks from which a user has signed in. Failures of others do not slow them down.
CREATE TABLE known_devices (
  user_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  -- SHA-256 of the secret of a browser's cookie, or of a network address, hexadecimal.
  hash text NOT NULL,
  created_at timestamptz NOT NULL,
  last_used_at timestamptz NOT NULL,
  PRIMARY KEY (user_id, hash)
);

-- When the user last proved to be there in person: at sign-in, or later by password and code.
ALTER TABLE sessions ADD confirmed_at timestamptz;
UPDATE sessions SET confirmed_at = created_at;
ALTER TABLE sessions ALTER confirmed_at SET NOT NULL;

-- Registrations whose address is not confirmed. The account begins when it is.
CREATE TABLE pending_registrations (
  -- SHA-256 of the mailed secret, hexadecimal.
  hash text PRIMARY KEY,
  email text NOT NULL CHECK (email = lower(email)),
  username text NOT NULL,
  password_hash text NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL
);
CREATE INDEX pending_registrations_by_email ON pending_registrations (email);
CREATE INDEX pending_registrations_by_expiry ON pending_registrations (expires_at);

-- An invitation names an address or a username. `user_id` is null when no account has the username; the project's
-- owner sees no difference.
ALTER TABLE project_invitations
  ALTER email DROP NOT NULL,
  ADD username text,
  ADD user_id text REFERENCES users (id) ON DELETE SET NULL,
  ADD CONSTRAINT project_invitations_name_one CHECK ((email IS NULL) <> (username IS NULL)),
  ADD CONSTRAINT project_invitations_project_id_username_key UNIQUE (project_id, username);
CREATE INDEX project_invitations_by_user ON project_invitations (user_id) WHERE user_id IS NOT NULL;

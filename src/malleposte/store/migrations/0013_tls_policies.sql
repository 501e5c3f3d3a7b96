-- Step 13, expand: how other domains want mail to be encrypted, and how that went.
CREATE TABLE sts_policy (
  domain     TEXT PRIMARY KEY,
  id         TEXT NOT NULL,      -- of the record that announced it
  policy     TEXT NOT NULL,      -- as it was fetched
  fetched_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  tried_at   INTEGER NOT NULL,   -- when it was asked for last, with or without success
  used_at    INTEGER NOT NULL,   -- when mail went by it, to the day
  failed     TEXT NOT NULL       -- why it could not be fetched again, ''
) STRICT, WITHOUT ROWID;
CREATE INDEX sts_policy_expires ON sts_policy (expires_at);

CREATE TABLE tls_exception (
  destination TEXT PRIMARY KEY,  -- a recipient's domain, or a server's name
  until       INTEGER NOT NULL,
  why         TEXT NOT NULL,
  made_at     INTEGER NOT NULL,
  made_by     TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE tls_result (
  day      INTEGER NOT NULL,     -- since 1970, UTC
  domain   TEXT NOT NULL,        -- whose policy it was
  key      TEXT NOT NULL,        -- digest of policy and failure
  policy   TEXT NOT NULL,        -- as RFC 8460 has it
  failure  TEXT NOT NULL,        -- the same, '' for success
  sessions INTEGER NOT NULL,
  PRIMARY KEY (day, domain, key)
) STRICT, WITHOUT ROWID;

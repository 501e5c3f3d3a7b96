-- Step 18, expand: sessions of the web, second factors, passkeys, devices that an account signed in from.
-- What a person or a browser shows is kept as a digest (SHA-256 of random octets). The seed of one-time
-- codes is a secret of the name totp:ACCOUNT.
ALTER TABLE account ADD COLUMN second_factor INTEGER NOT NULL DEFAULT 0; -- since when it is asked for; 0: not

CREATE TABLE web_session (
  token      BLOB PRIMARY KEY,
  account    INTEGER NOT NULL,
  id         INTEGER NOT NULL,     -- the first octets of the token's digest: a name for people
  created_at INTEGER NOT NULL,
  used_at    INTEGER NOT NULL,     -- written now and then
  proved_at  INTEGER NOT NULL,     -- when a password or a passkey was last shown
  idle       INTEGER NOT NULL,     -- seconds without use, then it ends
  expires_at INTEGER NOT NULL,     -- it ends whatever is done with it
  way        TEXT NOT NULL,        -- password, totp, recovery, passkey: the last step of signing in
  agent      TEXT NOT NULL,
  address    TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX web_session_account ON web_session (account, id);

CREATE TABLE totp (
  account      INTEGER PRIMARY KEY,
  created_at   INTEGER NOT NULL,
  confirmed_at INTEGER NOT NULL,   -- 0: a code was not shown yet
  used_step    INTEGER NOT NULL    -- RFC 6238 §5.2: no step is taken twice
) STRICT;

-- Wrong second steps of an account within the hour: who makes them has its password.
CREATE TABLE second_step (
  account  INTEGER PRIMARY KEY,
  failures INTEGER NOT NULL,
  since    INTEGER NOT NULL
) STRICT;

CREATE TABLE recovery_code (
  account INTEGER NOT NULL,
  digest  BLOB NOT NULL,
  used_at INTEGER NOT NULL,        -- 0: not yet
  PRIMARY KEY (account, digest)
) STRICT, WITHOUT ROWID;

CREATE TABLE passkey (
  credential   BLOB PRIMARY KEY,   -- its id, chosen by the authenticator
  account      INTEGER NOT NULL,
  id           INTEGER NOT NULL,   -- a name for people
  public_key   BLOB NOT NULL,      -- COSE
  sign_count   INTEGER NOT NULL,
  label        TEXT NOT NULL,
  created_at   INTEGER NOT NULL,
  last_used_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX passkey_account ON passkey (account, id);

-- Challenges that were answered: none is answered twice.
CREATE TABLE spent_challenge (
  digest BLOB PRIMARY KEY,
  until  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX spent_challenge_until ON spent_challenge (until);

CREATE TABLE known_device (
  account INTEGER NOT NULL,
  digest  BLOB NOT NULL,
  seen_at INTEGER NOT NULL,
  PRIMARY KEY (account, digest)
) STRICT, WITHOUT ROWID;

-- Step 11, expand: Sieve. An owner is an account, or an organisation as a negative number.

-- A row where there is something to run at delivery, or was: whoever has none costs nothing. ``version``
-- grows with every change of a script or form, so that what was compiled is known to be old.
CREATE TABLE sieve_head (
  owner   INTEGER PRIMARY KEY,
  version INTEGER NOT NULL
) STRICT;

CREATE TABLE sieve_script (
  owner   INTEGER NOT NULL,
  domain  INTEGER NOT NULL,       -- of an organisation's: for that domain only; else 0
  name    TEXT NOT NULL,          -- NFC
  version INTEGER NOT NULL,       -- of the owner, at the last change of the script itself
  active  INTEGER NOT NULL,       -- at most one of an owner and domain
  size    INTEGER NOT NULL,       -- octets
  content BLOB NOT NULL,
  PRIMARY KEY (owner, domain, name)
) STRICT, WITHOUT ROWID;

-- What a form of the user interface keeps: vacation, filters.
CREATE TABLE sieve_form (
  account INTEGER NOT NULL,
  kind    TEXT NOT NULL,          -- vacation, filters
  version INTEGER NOT NULL,
  state   BLOB NOT NULL,          -- JSON, with what this version does not know
  content BLOB NOT NULL,          -- made of it: Sieve; empty: nothing to run
  PRIMARY KEY (account, kind)
) STRICT, WITHOUT ROWID;

-- What scripts remember until a time: messages that came before, who was answered, what an owner was told.
CREATE TABLE sieve_memory (
  account INTEGER NOT NULL,
  kind    INTEGER NOT NULL,       -- 0 duplicate, 1 vacation, 2 a failure told
  digest  BLOB NOT NULL,          -- of handle and value, 16 octets
  until   INTEGER NOT NULL,
  PRIMARY KEY (account, kind, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX sieve_memory_until ON sieve_memory (until);

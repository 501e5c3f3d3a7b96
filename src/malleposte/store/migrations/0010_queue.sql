-- Step 10, expand: mail on its way to other servers.
CREATE TABLE queue_message (
  id           INTEGER PRIMARY KEY,
  trace        INTEGER NOT NULL,     -- of the message it came from
  account      INTEGER NOT NULL,     -- who sends; 0: the server itself
  sender       TEXT NOT NULL,        -- reverse-path, '' the null one
  blob         INTEGER NOT NULL,
  prefix       BLOB NOT NULL,        -- lines before the content: signatures, Received
  size         INTEGER NOT NULL,     -- octets, prefix and content
  needs        INTEGER NOT NULL,     -- bits: 1 8BITMIME, 2 SMTPUTF8
  ret          TEXT NOT NULL,        -- FULL, HDRS, ''
  envelope     TEXT NOT NULL,        -- the sender's own name of it (ENVID), ''
  created_at   INTEGER NOT NULL,
  expires_at   INTEGER NOT NULL,     -- from then on nothing is tried again
  held         TEXT NOT NULL         -- why it is held, '' not
) STRICT;
CREATE INDEX queue_message_blob ON queue_message (blob);
CREATE INDEX queue_message_account ON queue_message (account);
CREATE INDEX queue_message_trace ON queue_message (trace);

CREATE TABLE queue_recipient (
  message  INTEGER NOT NULL,
  n        INTEGER NOT NULL,         -- from 0, in the order of the envelope
  address  TEXT NOT NULL,
  route    TEXT NOT NULL,            -- where it goes: a domain, or a relay
  notify   TEXT NOT NULL,            -- NOTIFY and ORCPT as they came, ''
  original TEXT NOT NULL,
  state    INTEGER NOT NULL,         -- 0 waits, 1 held, 2 delivered, 3 failed
  due_at   INTEGER NOT NULL,         -- not before; while it is being tried: when the lease is over
  attempts INTEGER NOT NULL,         -- begun; the number of the last one is its lease
  warned   INTEGER NOT NULL,         -- its sender was told that it takes long
  said     TEXT NOT NULL,            -- the last answer, in words
  PRIMARY KEY (message, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX queue_recipient_due ON queue_recipient (route, due_at) WHERE state = 0;

CREATE TABLE queue_route (
  route        TEXT PRIMARY KEY,
  due_at       INTEGER NOT NULL,     -- no recipient of it is due before
  closed_until INTEGER NOT NULL,     -- the way itself failed: nothing is tried before
  failures     INTEGER NOT NULL,     -- in a row, of the way itself
  said         TEXT NOT NULL         -- why, in words
) STRICT, WITHOUT ROWID;
CREATE INDEX queue_route_due ON queue_route (due_at);

CREATE TABLE trace_attempt (
  trace   INTEGER NOT NULL,
  at      INTEGER NOT NULL,
  address TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  outcome TEXT NOT NULL,             -- delivered, deferred, failed, and what people did: held, released, …
  host    TEXT NOT NULL,             -- whom we spoke with, and how
  said    TEXT NOT NULL,
  PRIMARY KEY (trace, address, attempt, outcome)
) STRICT, WITHOUT ROWID;

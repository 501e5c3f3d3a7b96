-- Step 21, expand: push subscriptions of JMAP (RFC 8620 §7.2). ``n`` is random. One has no state of its own.
CREATE TABLE push_subscription (
  account    INTEGER NOT NULL,
  n          INTEGER NOT NULL,
  credential TEXT NOT NULL,      -- what it was made by, and ends with: session:…, app:…, password:…
  device     TEXT NOT NULL,
  url        TEXT NOT NULL,
  p256dh     BLOB NOT NULL,      -- keys of RFC 8291; empty: what is pushed is not encrypted
  auth       BLOB NOT NULL,
  code       TEXT NOT NULL,      -- comes back from whoever reads what is pushed
  stage      INTEGER NOT NULL,   -- 0: the code is to be sent, 1: it was sent, 2: it came back
  types      TEXT NOT NULL,      -- JSON: names; '': all
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  told       INTEGER NOT NULL,   -- modseq of the account up to which the push service has taken news
  due_at     INTEGER NOT NULL,   -- nothing is pushed before
  failures   INTEGER NOT NULL,   -- since something was taken
  said       TEXT NOT NULL,      -- the last of them, for people
  PRIMARY KEY (account, n)
) STRICT, WITHOUT ROWID;

-- The state of a kind is the highest of these.
CREATE INDEX email_submission_modseq ON email_submission (account, modseq);

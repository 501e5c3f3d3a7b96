-- Step 19, expand: identities and submissions of JMAP (RFC 8621 §6, §7). ``n`` is the account's modseq at
-- which it was made; one that is gone stays as a mark, for clients that ask what changed.
CREATE TABLE identity (
  account INTEGER NOT NULL,
  n       INTEGER NOT NULL,
  modseq  INTEGER NOT NULL,
  gone    INTEGER NOT NULL,
  address TEXT NOT NULL,         -- as the account writes from it
  state   BLOB NOT NULL,         -- JSON: name, replyTo, bcc, signatures
  PRIMARY KEY (account, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE email_submission (
  account  INTEGER NOT NULL,
  n        INTEGER NOT NULL,
  modseq   INTEGER NOT NULL,
  gone     INTEGER NOT NULL,
  identity INTEGER NOT NULL,
  email    INTEGER NOT NULL,
  thread   INTEGER NOT NULL,
  send_at  INTEGER NOT NULL,
  trace    INTEGER NOT NULL,     -- of the message that was handed over
  canceled INTEGER NOT NULL,
  state    BLOB NOT NULL,        -- JSON: envelope and what was answered for each recipient
  PRIMARY KEY (account, n)
) STRICT, WITHOUT ROWID;

-- Step 23, expand: what people are told when others give them rights or take them away (RFC 9670 §3), and
-- numbers of Sieve scripts, for ids that stay when a script is renamed (RFC 9661 §2).
CREATE TABLE share_notification (
  account    INTEGER NOT NULL,   -- who is told
  n          INTEGER NOT NULL,   -- the account's modseq at which it was made
  modseq     INTEGER NOT NULL,
  gone       INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  changed_by INTEGER NOT NULL,   -- an account; 0: an administrator at the command line
  owner      INTEGER NOT NULL,   -- the account that the object is of
  kind       TEXT NOT NULL,      -- Mailbox
  object     INTEGER NOT NULL,
  name       TEXT NOT NULL,      -- of the object, at that time
  had        TEXT NOT NULL,      -- letters
  has        TEXT NOT NULL,
  PRIMARY KEY (account, n)
) STRICT, WITHOUT ROWID;

ALTER TABLE sieve_script ADD COLUMN n INTEGER NOT NULL DEFAULT 0;
UPDATE sieve_script SET n = (SELECT count(*) FROM sieve_script s WHERE s.owner = sieve_script.owner
  AND (s.domain < sieve_script.domain OR (s.domain = sieve_script.domain AND s.name <= sieve_script.name)));

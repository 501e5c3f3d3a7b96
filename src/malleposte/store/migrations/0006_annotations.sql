-- Step 6, expand: what clients note on a mailbox or on the server (IMAP METADATA, RFC 5464).
CREATE TABLE annotation (
  account INTEGER NOT NULL,      -- whose mailbox it is; of the server: who wrote it
  mailbox INTEGER NOT NULL,      -- 0: the server
  reader  INTEGER NOT NULL,      -- 0: shared; else an account, which alone sees it
  name    TEXT NOT NULL,         -- without /shared or /private, lower case: names compare without case
  modseq  INTEGER NOT NULL,      -- of the account, at the last change
  value   BLOB NOT NULL,
  PRIMARY KEY (account, mailbox, reader, name)
) STRICT, WITHOUT ROWID;
-- What one account keeps, in its own mailboxes and in others'.
CREATE INDEX annotation_reader ON annotation (reader);

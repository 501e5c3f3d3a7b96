-- Step 7, expand: shared mailboxes. A reader's \Seen is found by account and modseq, as the owner's changes
-- are: ids of emails carry their account.
CREATE INDEX reader_seen_changed ON reader_seen (reader, (email >> 32), modseq);
-- A list of rights has a row of the owner, so that it is a list though it gives nobody anything.
INSERT INTO mailbox_right (mailbox, grantee, letters)
  SELECT DISTINCT mailbox, mailbox >> 32, 'lrswipkxtea' FROM mailbox_right WHERE true
  ON CONFLICT (mailbox, grantee) DO UPDATE SET letters = excluded.letters;

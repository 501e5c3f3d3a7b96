-- Step 5, expand: the first UID that no session was told of, for \Recent of IMAP4rev1 (RFC 3501 §2.3.2).
-- Mail that was there before this step is recent to nobody.
ALTER TABLE mailbox ADD COLUMN recent_from INTEGER NOT NULL DEFAULT 1;
UPDATE mailbox SET recent_from = uidnext;

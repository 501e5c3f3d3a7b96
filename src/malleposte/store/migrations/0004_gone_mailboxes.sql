-- Step 4, expand: the names of deleted mailboxes, while mail that was in them can be brought back, so that
-- it can be brought back to where it was. A row for each that ever held a message.
CREATE TABLE gone_mailbox (
  id      INTEGER PRIMARY KEY,   -- as the mailbox had
  account INTEGER NOT NULL,
  path    TEXT NOT NULL,         -- its full name at its end
  role    TEXT,
  until   INTEGER NOT NULL       -- kept until then, and as long as `recoverable` names it
) STRICT;
CREATE INDEX gone_mailbox_account ON gone_mailbox (account);

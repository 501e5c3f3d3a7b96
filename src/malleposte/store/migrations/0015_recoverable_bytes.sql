-- Step 15, expand: octets of an account's expunged mail that can still be brought back, so that they can be
-- bounded; the oldest of it is found first.
ALTER TABLE account_head ADD COLUMN recoverable_bytes INTEGER NOT NULL DEFAULT 0;
UPDATE account_head SET recoverable_bytes = (SELECT coalesce(sum(e.size), 0) FROM recoverable r
  JOIN email e ON e.id = r.email WHERE r.account = account_head.account);
DROP INDEX recoverable_account;
CREATE INDEX recoverable_oldest ON recoverable (account, at);

-- Step 8, expand: which mailbox of another account a subscribed name is of, so that the name follows it, and
-- whether the right that was given on it brought the name, so that it goes with the right.
ALTER TABLE subscription ADD COLUMN mailbox INTEGER NOT NULL DEFAULT 0; -- 0: of none, or not known
ALTER TABLE subscription ADD COLUMN given INTEGER NOT NULL DEFAULT 0;   -- 1: it came with the right
CREATE INDEX subscription_mailbox ON subscription (mailbox);

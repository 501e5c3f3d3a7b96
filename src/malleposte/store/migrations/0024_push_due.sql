-- Step 24, expand: all that says whether something is to be pushed, in narrow rows: they are looked through
-- once a second.
CREATE INDEX push_subscription_due ON push_subscription (account, stage, told, due_at, expires_at, created_at);

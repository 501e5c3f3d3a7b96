-- Step 3, expand: mail to postmaster and abuse, and the server's own warnings, which are never refused for
-- want of room and therefore take none: else whoever writes to postmaster fills the administrator's
-- account. Mail filed before this step counts as it did.
ALTER TABLE email ADD COLUMN exempt INTEGER NOT NULL DEFAULT 0;

-- Step 22, expand: how far a submission was when its modseq last moved (``execute.submissions``).
ALTER TABLE email_submission ADD COLUMN progress TEXT NOT NULL DEFAULT '';
ALTER TABLE email_submission ADD COLUMN ended INTEGER NOT NULL DEFAULT 0; -- 1: nothing of it is in the queue
CREATE INDEX email_submission_open ON email_submission (account) WHERE ended = 0;

-- Step 9, expand: what is given to a grantee in the order of the mailboxes, so that the accounts that share are
-- found one by one, without a look at all that each of them gave.
DROP INDEX mailbox_right_grantee;
CREATE INDEX mailbox_right_grantee ON mailbox_right (grantee, mailbox);

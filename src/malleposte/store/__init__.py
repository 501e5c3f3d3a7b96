"""The store: emails, mailboxes, blobs, and the one order of changes of each account."""

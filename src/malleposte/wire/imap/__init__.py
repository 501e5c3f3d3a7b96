"""IMAP4rev2 and rev1: the server's side of the conversation as a pure state machine."""

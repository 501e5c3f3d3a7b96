"""SMTP, LMTP and submission: the server's side of the conversation as a pure state machine."""

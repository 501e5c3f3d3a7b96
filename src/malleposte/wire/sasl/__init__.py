"""SASL mechanisms as pure state machines, shared by SMTP, IMAP and what comes later."""

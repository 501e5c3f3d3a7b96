"""Domains, accounts, aliases and credentials: who is who, and who receives what."""

"""Message catalogues: what the server says to people, in their language."""

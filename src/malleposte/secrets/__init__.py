"""Sealed values: keys and passwords the server must be able to read again."""

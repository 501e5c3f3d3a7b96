"""Searching what messages say: text made comparable, headers and bodies looked through, snippets.

One matcher for IMAP's SEARCH and JMAP's filters. Text is compared folded (``folding``), in columns where
the store keeps it decoded (``columns``), else in the message, opened a slice at a time. Nothing here knows
a protocol, and nothing holds the loop.
"""

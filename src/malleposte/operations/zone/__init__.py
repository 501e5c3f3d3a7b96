"""What a domain's zone must hold for its mail, and what it holds.

``wanted`` makes the records, ``comparing`` holds one beside what the DNS says, ``address`` looks at the
server's own name, ``bind`` writes records as a zone file has them. Nothing here changes a zone.
"""

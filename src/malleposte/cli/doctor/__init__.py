"""What is wrong with an installation, and how to mend it: ``malleposte doctor``.

A module a subject; each gives ``Check``s and changes nothing. What cannot be looked at (no server, no
rights) is said, not passed over.
"""

"""Regular expressions of the draft extension `regex`: POSIX extended ones (IEEE 1003.2), in time
linear in the text.

Matching is leftmost-longest. Nothing goes back: an automaton reads each character once, and the
work of reading one is bounded by the size of the pattern. There are no back-references, which
could not be had at that price (and which POSIX's extended expressions do not have).
"""

from .machine import Regex
from .syntax import BadPattern, quoted

__all__ = ["BadPattern", "Regex", "quoted"]

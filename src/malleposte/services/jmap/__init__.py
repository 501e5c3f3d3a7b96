"""JMAP (RFC 8620): method calls in, their answers out, over ``services.web``.

``site`` has the paths; ``requests`` reads a request's form, ``dispatch`` runs its calls in order, with
``references`` to the answers of calls before. A method is a function of a ``Context`` and of its typed
arguments, in the table of its capability (``core``, ``mail``); ``methods`` puts them together. What it does
to the store goes by the same reads and commands as IMAP: states are modseqs, ids are the store's.
"""

from malleposte.services.jmap.site import JmapSite

__all__ = ["JmapSite"]

"""CardDAV (RFC 6352) over WebDAV (RFC 4918): contacts for phones and desktops, under ``/dav/``.

``site`` is what requests come to; ``xml`` reads and writes bodies; ``tree`` says what stands under a path;
``properties`` what is told of it; ``propfind``, ``proppatch``, ``collections``, ``members`` and the reports
(``reports``, ``matching``, ``syncing``) are the methods. Address books are one kind of collection here:
calendars stand beside them when there are calendars (``tree.Home``).
"""

from malleposte.services.dav.site import DavSite

__all__ = ["DavSite"]

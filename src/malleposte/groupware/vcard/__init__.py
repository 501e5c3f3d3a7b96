"""vCard 3 and 4 (RFC 2426, RFC 6350) to JSContact and back (RFC 9555), so that nothing is lost.

``values`` is how values are written, ``third`` what vCard 3 has otherwise than 4, ``reading`` and
``writing`` the two ways, ``whole`` what makes them exact: a card remembers how lines stood that would come
out otherwise.
"""

from malleposte.groupware.vcard.whole import Kept, NotACardError, read, read_all, written

__all__ = ["Kept", "NotACardError", "read", "read_all", "written"]

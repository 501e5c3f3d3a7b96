"""Senders of forwarded mail, rewritten with secrets of this installation, in the name of our domains.

The secrets are made of the node keys: each node of a cluster has the same ones, and a key that was put in
front leaves what older ones made good.
"""

from collections.abc import Callable
from typing import Final

from malleposte.delivery.srs import BadSrs, Srs
from malleposte.secrets.node_key import NodeKeyError
from malleposte.secrets.redaction import Secret
from malleposte.secrets.sealing import KeyRing

_PURPOSE: Final = "rewritten senders"


class Rewriter:
    """See the module. ``ring``: gives the node's keys, raises ``NodeKeyError``; asked until it has them."""

    def __init__(self, ring: Callable[[], KeyRing]) -> None:
        self._ring = ring
        self._secrets: tuple[Secret[bytes], ...] = ()

    def _of(self, domain: str) -> Srs:
        if not self._secrets:
            derived = self._ring().derived(_PURPOSE)
            self._secrets = tuple(map(Secret, derived))
        return Srs(self._secrets, domain)

    def encode(self, sender: str, domain: str) -> str:
        """The sender that stands for another, in a domain of ours. Raises ``ValueError`` for one that is no
        address or too long, and ``NodeKeyError``."""
        return self._of(domain).encode(sender)

    def decode(self, address: str) -> str:
        """The sender behind an address in a domain of ours. Raises ``BadSrs``."""
        try:
            return self._of(address.rpartition("@")[2]).decode(address)
        except NodeKeyError as error:
            raise BadSrs(str(error)) from None

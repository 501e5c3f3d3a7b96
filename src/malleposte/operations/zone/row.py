"""What is looked at besides the records of a domain, and what was found."""

from typing import NamedTuple

from malleposte.delivery.signing.published import Seen


class Row(NamedTuple):
    """``kind``: of a record, or TLS, TCP, LIST. ``needed``: mail suffers where it is not right."""

    purpose: str
    name: str
    kind: str
    value: str
    seen: Seen
    needed: bool = True

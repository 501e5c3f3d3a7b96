"""States as texts (RFC 8620 §5.1): an account's modseq, so that any worker or node answers.

On the way through many changes a state is three numbers: the modseq and the object up to which a client
was told, and the modseq it set out from.
"""

from malleposte.services.jmap.errors import MethodError
from malleposte.store.ids import LOW
from malleposte.store.read.change_log import LAST, Point

UNKNOWN = "cannotCalculateChanges"


def modseq_of(state: str) -> int:
    """The modseq of a state that is one number. Raises ``MethodError``."""
    if not state.isascii() or not state.isdigit() or len(state) > 18:
        raise MethodError(UNKNOWN)
    return int(state)


def point_of(state: str, account: int) -> Point:
    """The point of any state. Raises ``MethodError``."""
    modseq, *rest = map(modseq_of, state.split("-"))
    if not rest:
        return Point(modseq)
    if len(rest) != 2 or rest[0] > LOW or rest[1] > modseq:
        raise MethodError(UNKNOWN)
    return Point(modseq, account << 32 | rest[0], rest[1])


def state_of(point: Point) -> str:
    """The text of a point."""
    if point.id == LAST and point.base < 0:
        return str(point.modseq)
    return f"{point.modseq}-{point.id & LOW}-{point.known}"

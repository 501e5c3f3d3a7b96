"""States as texts (RFC 8620 §5.1): an account's modseq, so that any worker or node answers."""

from malleposte.services.jmap.errors import MethodError


def modseq_of(state: str) -> int:
    """The modseq of a state. Raises ``MethodError`` for a text that none has."""
    if not state.isascii() or not state.isdigit() or len(state) > 19:
        raise MethodError("cannotCalculateChanges")
    return int(state)

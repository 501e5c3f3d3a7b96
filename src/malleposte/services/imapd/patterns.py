"""What the patterns of LIST and LSUB match; matching itself is ``wire.imap.list_patterns``."""

from collections.abc import Callable
from functools import lru_cache

from malleposte.wire.imap.list_patterns import ListPattern
from malleposte.wire.imap.mailbox_names import INBOX, upper


@lru_cache(maxsize=256)
def matcher(reference: str, pattern: str) -> Callable[[str], bool]:
    """Whether a full name matches a pattern with its reference.

    INBOX is matched in any case, also by a part of its name such as ``Inb*`` (RFC 9051 §5.1).
    """
    exact = ListPattern(reference, pattern).matches
    any_case = ListPattern(upper(reference), upper(pattern)).matches
    return lambda name: exact(name) or (name == INBOX and any_case(name))

"""Sizes as operators write them."""

from malleposte.cli.exit_codes import USAGE, Trouble
from malleposte.node.config_units import parse_size


def octets(text: str) -> int:
    """``20 GB`` in octets; a number alone is octets. Raises ``Trouble``."""
    if text.strip().isdigit():
        return int(text)
    try:
        return parse_size(text)
    except ValueError:
        raise Trouble(USAGE, f'{text!r} is no size such as "20 GB", or 0 for no limit') from None

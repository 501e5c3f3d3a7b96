"""The world outside of ``outbound``'s tests, here too."""

from unit.delivery.outbound.conftest import due, outside, outside_both

__all__ = ["due", "outside", "outside_both"]

"""A table of bounded size that forgets what was asked for longest ago."""

from collections import OrderedDict
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Remembered(Generic[Key, Value]):
    """See the module. ``most``: entries; kept at every moment, not only when somebody looks."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._table: OrderedDict[Key, Value] = OrderedDict()

    def __len__(self) -> int:
        return len(self._table)

    def get(self, key: Key) -> Value | None:
        """What was kept, or None."""
        found = self._table.get(key)
        if found is not None:
            self._table.move_to_end(key)
        return found

    def keep(self, key: Key, value: Value) -> None:
        """Keep it, in place of the one not asked for longest if there is no room."""
        self._table[key] = value
        self._table.move_to_end(key)
        if len(self._table) > self._most:
            self._table.popitem(last=False)

    def clear(self) -> None:
        """Forget all."""
        self._table.clear()

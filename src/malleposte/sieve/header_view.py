"""The header of the message as the script has made it so far (RFC 5293)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from malleposte.mime import decode_text

from .actions import AddHeader, DeleteHeader, HeaderEdit


class HeaderField:
    """One field. `name` is lower case; `value` raw, as it came; the text is decoded once."""

    __slots__ = ("_text", "name", "value")

    def __init__(self, name: str, value: bytes, text: str | None = None) -> None:
        self.name = name
        self.value = value
        self._text = text

    @property
    def text(self) -> str:
        """Unfolded, encoded words decoded, no white space at the ends (RFC 5228 §5.7)."""
        if self._text is None:
            self._text = decode_text(self.value).strip()
        return self._text


class HeaderView:
    """Fields in order; edits change them for every later look."""

    def __init__(self, fields: Iterable[tuple[bytes, bytes]]) -> None:
        self._fields = [
            HeaderField(name.decode("latin-1").lower(), value) for name, value in fields
        ]
        self._named: dict[str, list[HeaderField]] | None = None

    def named(self, name: str) -> Sequence[HeaderField]:
        """The fields of a name, which is lower case, in order."""
        if self._named is None:
            named: dict[str, list[HeaderField]] = {}
            for field in self._fields:
                named.setdefault(field.name, []).append(field)
            self._named = named
        return self._named.get(name, ())

    def edit(self, edit: HeaderEdit) -> None:
        """Makes one edit; one that names no field that is there changes nothing."""
        if isinstance(edit, AddHeader):
            field = HeaderField(
                edit.name.lower(), edit.value.encode("utf-8", "replace"), edit.value.strip()
            )
            self._fields.insert(len(self._fields) if edit.last else 0, field)
        else:
            field_or_none = self._nth(edit)
            if field_or_none is None:
                return
            self._fields.remove(field_or_none)
        self._named = None

    def _nth(self, edit: DeleteHeader) -> HeaderField | None:
        named = self.named(edit.name.lower())
        return named[edit.number - 1] if 0 < edit.number <= len(named) else None

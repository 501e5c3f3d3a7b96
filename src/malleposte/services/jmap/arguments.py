"""Arguments that methods of one kind have in common (RFC 8620 §5), and values with a form of their own."""

from typing import Annotated, Any

from msgspec import Meta, Struct

Id = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"\A[A-Za-z0-9_-]+\Z")]
"""RFC 8620 §1.2."""
Reference = Annotated[str, Meta(min_length=1, max_length=256, pattern=r"\A#?[A-Za-z0-9_-]+\Z")]
"""An id, or ``#`` and a creation id (§5.3)."""
Int = Annotated[int, Meta(ge=-(2**53) + 1, le=2**53 - 1)]
UnsignedInt = Annotated[int, Meta(ge=0, le=2**53 - 1)]
"""RFC 8620 §1.3."""
Positive = Annotated[int, Meta(ge=1, le=2**53 - 1)]


class Arguments(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Of a method that acts in an account."""

    account_id: Id


class Get(Arguments, frozen=True, kw_only=True):
    """RFC 8620 §5.1."""

    ids: list[Id] | None = None
    properties: list[str] | None = None


class Changes(Arguments, frozen=True, kw_only=True):
    """RFC 8620 §5.2."""

    since_state: str
    max_changes: Positive | None = None


class Set(Arguments, frozen=True, kw_only=True):
    """RFC 8620 §5.3."""

    if_in_state: str | None = None
    create: dict[Id, dict[str, Any]] | None = None
    update: dict[Reference, dict[str, Any]] | None = None
    destroy: list[Reference] | None = None


class Copy(Arguments, frozen=True, kw_only=True):
    """RFC 8620 §5.4."""

    from_account_id: Id
    if_from_in_state: str | None = None
    if_in_state: str | None = None
    create: dict[Id, dict[str, Any]]
    on_success_destroy_original: bool = False
    destroy_from_if_in_state: str | None = None


class Comparator(Struct, frozen=True, kw_only=True, rename="camel"):
    """RFC 8620 §5.5; ``keyword`` is RFC 8621 §4.4.2."""

    property: str
    is_ascending: bool = True
    collation: str | None = None
    keyword: str | None = None


class Query(Arguments, frozen=True, kw_only=True):
    """RFC 8620 §5.5."""

    filter: dict[str, Any] | None = None
    sort: list[Comparator] | None = None
    position: Int = 0
    anchor: Id | None = None
    anchor_offset: Int = 0
    limit: UnsignedInt | None = None
    calculate_total: bool = False


class QueryChanges(Arguments, frozen=True, kw_only=True):
    """RFC 8620 §5.6."""

    filter: dict[str, Any] | None = None
    sort: list[Comparator] | None = None
    since_query_state: str
    max_changes: Positive | None = None
    up_to_id: Id | None = None
    calculate_total: bool = False

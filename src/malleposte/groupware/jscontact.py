"""What a card may look like (RFC 9553): types of what is known; what is not is kept as it is (§1.8).

``problem`` says in words what is wrong with a card that a client sent, and where.
"""

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType, field

Id = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{1,255}\Z")]
Int = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Positive = Annotated[int, Meta(ge=1, le=2**53 - 1)]
Pref = Annotated[int, Meta(ge=1, le=100)]
Date = Annotated[str, Meta(pattern=r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z\Z")]
Some = Annotated[str, Meta(min_length=1)]
Flags = dict[str, bool]
"""A set: each value is true."""


class _Object(Struct, rename="camel", kw_only=True):
    contexts: Flags | UnsetType = UNSET
    pref: Pref | UnsetType = UNSET
    label: str | UnsetType = UNSET
    v_card_params: dict[str, Any] | UnsetType = UNSET


class _Component(Struct, rename="camel", kw_only=True):
    value: str
    kind: str | UnsetType = UNSET
    phonetic: str | UnsetType = UNSET


class _Name(_Object, kw_only=True):
    type_: Literal["Name"] | UnsetType = field(name="@type", default=UNSET)
    components: list[_Component] | UnsetType = UNSET
    is_ordered: bool | UnsetType = UNSET
    default_separator: str | UnsetType = UNSET
    full: str | UnsetType = UNSET
    sort_as: dict[str, str] | UnsetType = UNSET


class _Nickname(_Object, kw_only=True):
    type_: Literal["Nickname"] | UnsetType = field(name="@type", default=UNSET)
    name: str


class _Unit(Struct, rename="camel", kw_only=True):
    name: str
    sort_as: str | UnsetType = UNSET


class _Organization(_Object, kw_only=True):
    type_: Literal["Organization"] | UnsetType = field(name="@type", default=UNSET)
    name: str | UnsetType = UNSET
    units: list[_Unit] | UnsetType = UNSET
    sort_as: str | UnsetType = UNSET


class _Title(_Object, kw_only=True):
    type_: Literal["Title"] | UnsetType = field(name="@type", default=UNSET)
    name: str
    kind: str | UnsetType = UNSET
    organization_id: Id | UnsetType = UNSET


class _EmailAddress(_Object, kw_only=True):
    type_: Literal["EmailAddress"] | UnsetType = field(name="@type", default=UNSET)
    address: Some


class _OnlineService(_Object, kw_only=True):
    type_: Literal["OnlineService"] | UnsetType = field(name="@type", default=UNSET)
    service: str | UnsetType = UNSET
    uri: str | UnsetType = UNSET
    user: str | UnsetType = UNSET


class _Phone(_Object, kw_only=True):
    type_: Literal["Phone"] | UnsetType = field(name="@type", default=UNSET)
    number: Some
    features: Flags | UnsetType = UNSET


class _Language(_Object, kw_only=True):
    type_: Literal["LanguagePref"] | UnsetType = field(name="@type", default=UNSET)
    language: Some


class _SchedulingAddress(_Object, kw_only=True):
    type_: Literal["SchedulingAddress"] | UnsetType = field(name="@type", default=UNSET)
    uri: Some


class _Resource(_Object, kw_only=True):
    type_: str | UnsetType = field(name="@type", default=UNSET)
    uri: Some
    kind: str | UnsetType = UNSET
    media_type: str | UnsetType = UNSET
    list_as: Positive | UnsetType = UNSET


class _Media(_Object, kw_only=True):
    type_: Literal["Media"] | UnsetType = field(name="@type", default=UNSET)
    kind: str
    uri: Some | UnsetType = UNSET
    blob_id: str | UnsetType = UNSET
    media_type: str | UnsetType = UNSET


class _Address(_Object, kw_only=True):
    type_: Literal["Address"] | UnsetType = field(name="@type", default=UNSET)
    components: list[_Component] | UnsetType = UNSET
    is_ordered: bool | UnsetType = UNSET
    default_separator: str | UnsetType = UNSET
    country_code: str | UnsetType = UNSET
    coordinates: str | UnsetType = UNSET
    time_zone: str | UnsetType = UNSET
    full: str | UnsetType = UNSET


class _Date(Struct, rename="camel", kw_only=True):
    type_: Literal["PartialDate", "Timestamp"] | UnsetType = field(name="@type", default=UNSET)
    year: Int | UnsetType = UNSET
    month: Annotated[int, Meta(ge=1, le=12)] | UnsetType = UNSET
    day: Annotated[int, Meta(ge=1, le=31)] | UnsetType = UNSET
    calendar_scale: str | UnsetType = UNSET
    utc: Date | UnsetType = UNSET


class _Anniversary(_Object, kw_only=True):
    type_: Literal["Anniversary"] | UnsetType = field(name="@type", default=UNSET)
    kind: str
    date: _Date
    place: _Address | UnsetType = UNSET


class _Author(Struct, rename="camel", kw_only=True):
    name: str | UnsetType = UNSET
    uri: str | UnsetType = UNSET


class _Note(_Object, kw_only=True):
    type_: Literal["Note"] | UnsetType = field(name="@type", default=UNSET)
    note: str
    created: Date | UnsetType = UNSET
    author: _Author | UnsetType = UNSET


class _PersonalInfo(_Object, kw_only=True):
    type_: Literal["PersonalInfo"] | UnsetType = field(name="@type", default=UNSET)
    kind: str
    value: str
    level: str | UnsetType = UNSET
    list_as: Positive | UnsetType = UNSET


class _Pronouns(_Object, kw_only=True):
    type_: Literal["Pronouns"] | UnsetType = field(name="@type", default=UNSET)
    pronouns: str


class _SpeakToAs(Struct, rename="camel", kw_only=True):
    type_: Literal["SpeakToAs"] | UnsetType = field(name="@type", default=UNSET)
    grammatical_gender: str | UnsetType = UNSET
    pronouns: dict[Id, _Pronouns] | UnsetType = UNSET


class _Relation(Struct, rename="camel", kw_only=True):
    type_: Literal["Relation"] | UnsetType = field(name="@type", default=UNSET)
    relation: Flags | UnsetType = UNSET


class Card(Struct, rename="camel", kw_only=True):
    """RFC 9553 §2."""

    type_: Literal["Card"] | UnsetType = field(name="@type", default=UNSET)
    version: Literal["1.0"] | UnsetType = UNSET
    uid: Annotated[str, Meta(pattern=r"\A[^\x00-\x1f\x7f]{1,500}\Z")] | UnsetType = UNSET
    created: Date | UnsetType = UNSET
    updated: Date | UnsetType = UNSET
    kind: Annotated[str, Meta(pattern=r"\A[^\x00-\x1f\x7f]{1,100}\Z")] | UnsetType = UNSET
    language: str | UnsetType = UNSET
    members: Flags | UnsetType = UNSET
    prod_id: str | UnsetType = UNSET
    related_to: dict[str, _Relation] | UnsetType = UNSET
    name: _Name | UnsetType = UNSET
    nicknames: dict[Id, _Nickname] | UnsetType = UNSET
    organizations: dict[Id, _Organization] | UnsetType = UNSET
    speak_to_as: _SpeakToAs | UnsetType = UNSET
    titles: dict[Id, _Title] | UnsetType = UNSET
    emails: dict[Id, _EmailAddress] | UnsetType = UNSET
    online_services: dict[Id, _OnlineService] | UnsetType = UNSET
    phones: dict[Id, _Phone] | UnsetType = UNSET
    preferred_languages: dict[Id, _Language] | UnsetType = UNSET
    calendars: dict[Id, _Resource] | UnsetType = UNSET
    scheduling_addresses: dict[Id, _SchedulingAddress] | UnsetType = UNSET
    addresses: dict[Id, _Address] | UnsetType = UNSET
    crypto_keys: dict[Id, _Resource] | UnsetType = UNSET
    directories: dict[Id, _Resource] | UnsetType = UNSET
    links: dict[Id, _Resource] | UnsetType = UNSET
    media: dict[Id, _Media] | UnsetType = UNSET
    localizations: dict[str, dict[str, Any]] | UnsetType = UNSET
    anniversaries: dict[Id, _Anniversary] | UnsetType = UNSET
    keywords: Flags | UnsetType = UNSET
    notes: dict[Id, _Note] | UnsetType = UNSET
    personal_info: dict[Id, _PersonalInfo] | UnsetType = UNSET
    v_card_props: list[list[Any]] | UnsetType = UNSET


PROPERTIES: Final[tuple[str, ...]] = tuple(one.encode_name for one in msgspec.structs.fields(Card))
"""Names of those of a card."""


def problem(card: dict[str, Any]) -> tuple[str, str]:
    """(the property that is wrong or '', what is wrong in words); twice '' where nothing is."""
    try:
        found = msgspec.convert(card, Card)
    except msgspec.ValidationError as error:
        words = str(error)
        _, _, place = words.rpartition("`$.")
        return place.partition(".")[0].partition("[")[0].rstrip("`"), words
    for name, flags in (("members", found.members), ("keywords", found.keywords)):
        if isinstance(flags, dict) and not all(flags.values()):
            return name, f"each value in {name} is true"
    return "", ""

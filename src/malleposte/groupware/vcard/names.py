"""Which property of vCard is what in JSContact (RFC 9555 §2), as far as a table can say it.

What these tables and ``reading`` do not know stands in the card as ``vCardProps``, parameters nobody knows
as ``vCardParams`` beside what they belong to (§2.15).
"""

from typing import Final, NamedTuple

TYPES: Final = {"private": "home", "work": "work"}
"""Contexts, and the values of TYPE that say the same (RFC 9555 §2.3.19)."""
ADDRESS_TYPES: Final = TYPES | {"billing": "billing", "delivery": "delivery"}
FEATURES: Final = {
    "mobile": "cell",
    "voice": "voice",
    "fax": "fax",
    "pager": "pager",
    "text": "text",
    "textphone": "textphone",
    "video": "video",
    "main-number": "main-number",
}
"""Features of phones (RFC 9553 §2.3.3)."""


class Simple(NamedTuple):
    """A property whose value is one member of an object in a map: ``emails/EMAIL-1/address``.

    ``uri``: its value is no text. ``kind``: what ``kind`` says. ``resource``: MEDIATYPE is
    ``mediaType``."""

    within: str
    type: str
    member: str
    uri: bool = False
    kind: str = ""
    resource: bool = False


SIMPLE: Final[dict[str, Simple]] = {
    "EMAIL": Simple("emails", "EmailAddress", "address"),
    "IMPP": Simple("onlineServices", "OnlineService", "uri", uri=True),
    "LANG": Simple("preferredLanguages", "LanguagePref", "language", uri=True),
    "TITLE": Simple("titles", "Title", "name", kind="title"),
    "ROLE": Simple("titles", "Title", "name", kind="role"),
    "NOTE": Simple("notes", "Note", "note"),
    "PHOTO": Simple("media", "Media", "uri", uri=True, kind="photo", resource=True),
    "LOGO": Simple("media", "Media", "uri", uri=True, kind="logo", resource=True),
    "SOUND": Simple("media", "Media", "uri", uri=True, kind="sound", resource=True),
    "URL": Simple("links", "Link", "uri", uri=True, resource=True),
    "CONTACT-URI": Simple("links", "Link", "uri", uri=True, kind="contact", resource=True),
    "KEY": Simple("cryptoKeys", "CryptoKey", "uri", uri=True, resource=True),
    "FBURL": Simple("calendars", "Calendar", "uri", uri=True, kind="freeBusy", resource=True),
    "CALURI": Simple("calendars", "Calendar", "uri", uri=True, kind="calendar", resource=True),
    "CALADRURI": Simple("schedulingAddresses", "SchedulingAddress", "uri", uri=True),
    "SOURCE": Simple("directories", "Directory", "uri", uri=True, kind="entry", resource=True),
    "ORG-DIRECTORY": Simple(
        "directories", "Directory", "uri", uri=True, kind="directory", resource=True
    ),
    "EXPERTISE": Simple("personalInfo", "PersonalInfo", "value", kind="expertise"),
    "HOBBY": Simple("personalInfo", "PersonalInfo", "value", kind="hobby"),
    "INTEREST": Simple("personalInfo", "PersonalInfo", "value", kind="interest"),
    "PRONOUNS": Simple("speakToAs/pronouns", "Pronouns", "pronouns"),
}
BY_PLACE: Final = {(one.within, one.kind): name for name, one in SIMPLE.items()}
"""The property by where it stands, and of what kind."""

NAME: Final = ("surname", "given", "given2", "title", "credential", "surname2", "generation")
"""Kinds of the components of N (RFC 6350 §6.2.2, RFC 9554 §2.2)."""
NAME_SHORT: Final = 5
"""Components that RFC 6350 knows."""
ADDRESS: Final = (
    "postOfficeBox",
    "apartment",
    "name",
    "locality",
    "region",
    "postcode",
    "country",
    "room",
    "apartment",
    "floor",
    "number",
    "name",
    "building",
    "block",
    "subdistrict",
    "district",
    "landmark",
    "direction",
)
"""Kinds of the components of ADR (RFC 6350 §6.3.1, RFC 9554 §2.1); the first seven are the older ones."""
ADDRESS_SHORT: Final = 7

ANNIVERSARIES: Final = {"BDAY": "birth", "DEATHDATE": "death", "ANNIVERSARY": "wedding"}
PLACES: Final = {"BIRTHPLACE": "birth", "DEATHPLACE": "death"}
JSPROP: Final = "JSPROP"
"""What carries members of a card that vCard has no property for (RFC 9555 §3)."""
HELD: Final = frozenset(
    (
        "@type",
        "version",
        "uid",
        "created",
        "updated",
        "kind",
        "language",
        "members",
        "prodId",
        "relatedTo",
        "name",
        "nicknames",
        "organizations",
        "speakToAs",
        "titles",
        "emails",
        "onlineServices",
        "phones",
        "preferredLanguages",
        "calendars",
        "schedulingAddresses",
        "addresses",
        "cryptoKeys",
        "directories",
        "links",
        "media",
        "anniversaries",
        "keywords",
        "notes",
        "personalInfo",
        "vCardProps",
    )
)
"""Members that have properties."""
LEVELS: Final = {
    ("EXPERTISE", "beginner"): "low",
    ("EXPERTISE", "average"): "medium",
    ("EXPERTISE", "expert"): "high",
}
"""Levels that have other names (RFC 9555 §2.10.2)."""

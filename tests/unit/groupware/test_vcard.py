"""vCards as JSContact and back (RFC 9555): what people's programs write, property by property."""

from typing import Any

import pytest

from malleposte.groupware import cards
from malleposte.groupware.content_lines import MAX_PARAMETERS, NotReadableError, lines
from malleposte.groupware.jscontact import problem
from malleposte.groupware.vcard import Kept, NotACardError, read, read_all, written


def vcard(*body: str, version: str = "4.0") -> bytes:
    return "\r\n".join(("BEGIN:VCARD", f"VERSION:{version}", *body, "END:VCARD", "")).encode()


def card(*body: str, version: str = "4.0") -> dict[str, Any]:
    return read(vcard(*body, version=version)).card


def back(found: dict[str, Any]) -> list[str]:
    """Lines of a card that JMAP made."""
    text = written(Kept(found), "4.0").replace("\r\n ", "")
    return text.split("\r\n")[2:-2]


PROPERTIES: list[tuple[str, str, Any]] = [
    ("FN:Ada L.", "name", {"@type": "Name", "full": "Ada L."}),
    (
        "EMAIL;TYPE=work;PREF=1:ada@example.com",
        "emails",
        {
            "EMAIL-1": {
                "@type": "EmailAddress",
                "address": "ada@example.com",
                "contexts": {"work": True},
                "pref": 1,
            }
        },
    ),
    (
        "TEL;VALUE=uri;TYPE=home,cell:tel:+33-1",
        "phones",
        {
            "TEL-1": {
                "@type": "Phone",
                "number": "tel:+33-1",
                "contexts": {"private": True},
                "features": {"mobile": True},
            }
        },
    ),
    ("NICKNAME:Jim,Jimmie", "nicknames", {
        "NICKNAME-1": {"@type": "Nickname", "name": "Jim"},
        "NICKNAME-2": {"@type": "Nickname", "name": "Jimmie"},
    }),
    (
        "ORG;SORT-AS=ABC:ABC\\, Inc.;Marketing;Team",
        "organizations",
        {
            "ORG-1": {
                "@type": "Organization",
                "name": "ABC, Inc.",
                "sortAs": "ABC",
                "units": [{"name": "Marketing"}, {"name": "Team"}],
            }
        },
    ),
    ("TITLE:Boss", "titles", {"TITLE-1": {"@type": "Title", "name": "Boss", "kind": "title"}}),
    ("ROLE:Lead", "titles", {"ROLE-1": {"@type": "Title", "name": "Lead", "kind": "role"}}),
    (
        "BDAY:--0412",
        "anniversaries",
        {
            "BDAY-1": {
                "@type": "Anniversary",
                "kind": "birth",
                "date": {"@type": "PartialDate", "month": 4, "day": 12},
            }
        },
    ),
    (
        "ANNIVERSARY:20200101T101500Z",
        "anniversaries",
        {
            "ANNIVERSARY-1": {
                "@type": "Anniversary",
                "kind": "wedding",
                "date": {"@type": "Timestamp", "utc": "2020-01-01T10:15:00Z"},
            }
        },
    ),
    ("CATEGORIES:a,b", "keywords", {"a": True, "b": True}),
    (
        'NOTE;CREATED=20200101T000000Z;AUTHOR-NAME="B, C":Two\\nlines',
        "notes",
        {
            "NOTE-1": {
                "@type": "Note",
                "note": "Two\nlines",
                "created": "2020-01-01T00:00:00Z",
                "author": {"@type": "Author", "name": "B, C"},
            }
        },
    ),
    (
        "RELATED;TYPE=friend:urn:uuid:1",
        "relatedTo",
        {"urn:uuid:1": {"@type": "Relation", "relation": {"friend": True}}},
    ),
    (
        "HOBBY;LEVEL=high;INDEX=2:Chess",
        "personalInfo",
        {
            "HOBBY-1": {
                "@type": "PersonalInfo",
                "value": "Chess",
                "kind": "hobby",
                "level": "high",
                "listAs": 2,
            }
        },
    ),
    (
        "EXPERTISE;LEVEL=expert:Engines",
        "personalInfo",
        {
            "EXPERTISE-1": {
                "@type": "PersonalInfo",
                "value": "Engines",
                "kind": "expertise",
                "level": "high",
            }
        },
    ),
    (
        "SOCIALPROFILE;SERVICE-TYPE=Mastodon:https://example.com/@ada",
        "onlineServices",
        {
            "SOCIALPROFILE-1": {
                "@type": "OnlineService",
                "uri": "https://example.com/@ada",
                "service": "Mastodon",
            }
        },
    ),
    (
        "IMPP;PREF=1:xmpp:ada@example.com",
        "onlineServices",
        {
            "IMPP-1": {
                "@type": "OnlineService",
                "uri": "xmpp:ada@example.com",
                "vCardName": "impp",
                "pref": 1,
            }
        },
    ),
    ("LANG;TYPE=work:fr", "preferredLanguages", {
        "LANG-1": {"@type": "LanguagePref", "language": "fr", "contexts": {"work": True}},
    }),
    ("GRAMGENDER:feminine", "speakToAs", {"grammaticalGender": "feminine"}),
    ("PRONOUNS:she/her", "speakToAs", {
        "pronouns": {"PRONOUNS-1": {"@type": "Pronouns", "pronouns": "she/her"}},
    }),
    ("CALADRURI:mailto:a@example.com", "schedulingAddresses", {
        "CALADRURI-1": {"@type": "SchedulingAddress", "uri": "mailto:a@example.com"},
    }),
    ("FBURL:https://example.com/fb", "calendars", {
        "FBURL-1": {"@type": "Calendar", "uri": "https://example.com/fb", "kind": "freeBusy"},
    }),
    ("KEY;MEDIATYPE=application/pgp-keys:https://example.com/k", "cryptoKeys", {
        "KEY-1": {
            "@type": "CryptoKey",
            "uri": "https://example.com/k",
            "mediaType": "application/pgp-keys",
        },
    }),
    ("URL;PROP-ID=home:https://example.com", "links", {
        "home": {"@type": "Link", "uri": "https://example.com"},
    }),
    ("MEMBER:urn:uuid:1", "members", {"urn:uuid:1": True}),
    ("KIND:group", "kind", "group"),
    ("LANGUAGE:fr", "language", "fr"),
    ("REV:20260101T101010Z", "updated", "2026-01-01T10:10:10Z"),
    ("CREATED:20260101T101010Z", "created", "2026-01-01T10:10:10Z"),
    ('JSPROP;JSPTR="example.com:shoe":{"a":1\\,"b":[2]}', "example.com:shoe", {"a": 1, "b": [2]}),
    ("JSPROP;JSPTR=emails:1", "vCardProps", [["jsprop", {"jsptr": "emails"}, "unknown", "1"]]),
    ("X-SHOE;Y=1:a\\,b", "vCardProps", [["x-shoe", {"y": "1"}, "unknown", "a\\,b"]]),
    ("GENDER:F", "vCardProps", [["gender", {}, "unknown", "F"]]),
]  # fmt: skip


@pytest.mark.parametrize(("line", "name", "value"), PROPERTIES, ids=[one[0] for one in PROPERTIES])
def test_a_property_has_its_place_and_comes_back(line: str, name: str, value: Any) -> None:
    found = card(line)
    assert found[name] == value
    assert problem(found) == ("", "")
    again = card(*back(found))
    assert again[name] == value


def test_names_have_components_the_newer_ones_too() -> None:
    found = card('N;SORT-AS="Doe,Ada":Doe,Roe;Ada;Mary,Ann;Dr.;PhD,Jr.;Roe;Jr.')["name"]
    assert [(one["kind"], one["value"]) for one in found["components"]] == [
        ("surname", "Doe"),
        ("given", "Ada"),
        ("given2", "Mary"),
        ("given2", "Ann"),
        ("title", "Dr."),
        ("credential", "PhD"),
        ("surname2", "Roe"),
        ("generation", "Jr."),
    ]
    assert found["sortAs"] == {"surname": "Doe", "given": "Ada"}
    assert 'N;SORT-AS="Doe,Ada":Doe,Roe;Ada;Mary,Ann;Dr.;PhD,Jr.;Roe;Jr.' in back({"name": found})


def test_addresses_have_components_the_newer_ones_too() -> None:
    line = 'ADR;CC=FR;GEO="geo:1,2";LABEL="1 Rue\nParis";TYPE=home:Box;;1 Rue;Paris;;75001;France'
    line = line.replace("\n", "^n")
    (found,) = card(line)["addresses"].values()
    assert [(one["kind"], one["value"]) for one in found["components"]] == [
        ("postOfficeBox", "Box"),
        ("name", "1 Rue"),
        ("locality", "Paris"),
        ("postcode", "75001"),
        ("country", "France"),
    ]
    assert (found["countryCode"], found["coordinates"]) == ("FR", "geo:1,2")
    assert found["full"] == "1 Rue\nParis"
    newer = "ADR:;;1 Rue;Paris;;;;;;;1;Rue;;;;;;"
    (found,) = card(newer)["addresses"].values()
    assert {one["kind"]: one["value"] for one in found["components"]} == {
        "locality": "Paris",
        "number": "1",
        "name": "Rue",
    }
    assert newer in back({"addresses": {"ADR-1": found}})


def test_labels_of_apples_programs() -> None:
    found = card("item1.TEL:1", "item1.X-ABLabel:_$!<Mobile>!$_", version="3.0")
    (phone,) = found["phones"].values()
    assert (phone["label"], phone["vCardParams"]) == ("Mobile", {"group": "item1"})
    assert "vCardProps" not in found
    made = back({"name": {"full": "A"}, "emails": {"e": {"address": "a@x", "label": "Boat"}}})
    assert {"item1.EMAIL;PROP-ID=e:a@x", "item1.X-ABLABEL:Boat"} <= set(made)


def test_version_3_is_read_as_version_4() -> None:
    found = card(
        "BDAY;VALUE=date:1815-12-10",
        "EMAIL;TYPE=INTERNET,pref:a@x",
        "PHOTO;ENCODING=b;TYPE=JPEG:/9j/",
        "X-ADDRESSBOOKSERVER-KIND:group",
        "X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:1",
        version="3.0",
    )
    assert found["anniversaries"]["BDAY-1"]["date"]["year"] == 1815
    assert found["emails"]["EMAIL-1"]["pref"] == 1
    assert found["media"]["PHOTO-1"]["uri"] == "data:image/jpeg;base64,/9j/"
    assert (found["kind"], found["members"]) == ("group", {"urn:uuid:1": True})
    old = written(Kept(found), "3.0")
    for line in (
        "BDAY:1815-12-10",
        "PHOTO;ENCODING=b;TYPE=JPEG:/9j/",
        "X-ADDRESSBOOKSERVER-KIND:group",
        "N:",
    ):
        assert f"\r\n{line}" in old


def test_what_one_changes_counts_and_the_rest_comes_back_as_it_was() -> None:
    kept = read(vcard("FN;X-A=1:Ada", "TEL;TYPE=CELL;X-B=2:1", "EMAIL;TYPE=WEIRD:a@x"))
    kept.card["phones"]["TEL-1"]["number"] = "2"
    text = written(kept, "4.0")
    assert "FN;X-A=1:Ada" in text
    assert "EMAIL;TYPE=WEIRD:a@x" in text
    assert "TEL;X-B=2;TYPE=cell:2" in text
    assert ":1\r\n" not in text


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (b"", "BEGIN:VCARD"),
        (b"BEGIN:VCARD\r\nVERSION:4.0\r\n", "END:VCARD"),
        (b"BEGIN:VCARD\r\nFN:A\r\nEND:VCARD\r\n", "version"),
        (vcard("FN:A", version="2.1"), "version"),
        (vcard("no colon"), "no colon"),
        (vcard(":no name"), "no name"),
        (vcard("FN;=x:A"), "without a name"),
        (vcard('FN;X="open:A'), "no colon"),
        (vcard("BEGIN:VCARD", "END:VCARD"), "another"),
        (vcard(*["X-A:1"] * 2_001), "2000"),
        (vcard("FN" + ";X=1" * (MAX_PARAMETERS + 1) + ":A"), "parameters"),
    ],
    ids=[
        "empty", "end", "version", "old", "colon", "name", "parameter", "quote", "nested", "long", "wide",
    ],
)  # fmt: skip
def test_what_is_no_vcard_is_refused_in_words(octets: bytes, words: str) -> None:
    with pytest.raises(NotACardError, match=words):
        read(octets)


def test_a_file_has_many_cards_and_the_wrong_ones_alone_are_wrong() -> None:
    found = read_all(vcard("FN:A") + vcard("FN:B", version="2.1") + vcard("FN:C"))
    assert [isinstance(one, Kept) for one in found] == [True, False, True]
    with pytest.raises(NotACardError, match="several"):
        read(vcard("FN:A") + vcard("FN:B"))


def test_lines_are_unfolded_and_old_octets_read() -> None:
    found = list(lines('NOTE:a\r\n b\r\n\tc\nTEL;HOME;type="a,b",c:1\rFN:d'))
    assert [one.value for one in found] == ["abc", "1", "d"]
    assert found[1].all("TYPE") == ("HOME", "a,b", "c")
    assert read(vcard("FN:é").replace("é".encode(), b"\xe9")).card["name"]["full"] == "é"
    assert read(vcard("FN:a\x00\x07b")).card["name"]["full"] == "ab"
    with pytest.raises(NotReadableError):
        list(lines("\n".join(["A:1"] * 100_001)))


def test_a_uid_that_no_index_holds_is_none() -> None:
    long = "u" * 501
    found = card(f"UID:{long}")
    assert "uid" not in found
    assert f"UID:{long}" in back(found)


def test_what_a_card_is_found_by() -> None:
    found = cards.found_by(
        card("FN:Zoé Ångström", "TEL:+33 (1) 2", "NOTE:Déjà\\nvu", "MEMBER:Urn:X", "ORG:A;B")
    )
    assert set(found.split("\n")) == {
        "nzoe angstrom",
        "p+33 (1) 2",
        "p+3312",
        "xdeja vu",
        "oa b",
        "mUrn:X",
    }


def test_a_photo_is_put_apart_and_back() -> None:
    kept = read(vcard("PHOTO:data:image/png;base64,iVBORw0KGgo=", "PHOTO:https://example.com/p"))
    ready = cards.prepared(kept)
    (medium,) = ready.media
    assert (medium.kind, medium.octets) == ("image/png", b"\x89PNG\r\n\x1a\n")
    assert ready.kept.card["media"]["PHOTO-1"]["blobId"] == str(medium.n)
    assert cards.prepared(ready.kept).had == (medium.n,)
    again = cards.whole(ready.kept, {medium.n: (medium.kind, medium.octets)})
    assert again.card["media"] == kept.card["media"]


@pytest.mark.parametrize(
    ("octets", "kind"),
    [
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\0\0\0\0WEBP", "image/webp"),
        (b"\0\0\0\x18ftypheic", "image/heic"),
        (b"<svg/>", ""),
        (b"", ""),
    ],
    ids=["jpeg", "gif", "webp", "heic", "svg", "nothing"],
)
def test_what_is_a_picture(octets: bytes, kind: str) -> None:
    assert cards.image_type(octets) == kind

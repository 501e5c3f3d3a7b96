"""A vCard goes through JSContact and comes back with every line it had (RFC 9555)."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from malleposte.groupware import cards
from malleposte.groupware.content_lines import Line, lines, plain, written
from malleposte.groupware.vcard import Kept, read
from malleposte.groupware.vcard import written as vcard
from malleposte.groupware.vcard.names import SIMPLE
from malleposte.groupware.vcard.reading import _HANDLERS

KNOWN = sorted(
    {*SIMPLE, *_HANDLERS, "X-ABLABEL", "X-ABDATE", "GEO", "TZ", "GENDER", "CLIENTPIDMAP"}
)
PARAMETERS = (
    "TYPE", "PREF", "ALTID", "PID", "LANGUAGE", "LABEL", "VALUE", "MEDIATYPE", "SORT-AS", "PROP-ID",
    "CALSCALE", "LEVEL", "INDEX", "SERVICE-TYPE", "USERNAME", "CREATED", "AUTHOR", "ENCODING",
    "X-APPLE-OMIT-YEAR", "X-ODD", "CC", "GEO", "TZ", "DERIVED",
)  # fmt: skip
WORDS = (
    "home",
    "WORK",
    "pref",
    "cell",
    "uri",
    "text",
    "b",
    "1",
    "100",
    "1604",
    "item1",
    "fr",
    "date",
)
VALUES = (
    "", ";;;;", "Doe;Jane;;Dr.;", "a,b", "a\\,b\\;c\\nd\\\\", "\\", "tel:+33-1-23", "mailto:a@example.org",
    "19850412", "1985-04-12", "--0412", "---12", "20260101T101010Z", "2026-01-01T10:10:10Z", "individual",
    "data:image/png;base64,iVBORw0KGgo=", "iVBORw0KGgo=", "iVBORw0KGgo", "geo:1.5,2.5", "1.5;2.5",
    "_$!<Mother>!$_", "urn:uuid:1-2-3", "Box;Flat;1 Way;Town;Region;Code;Land", ",,", "a;b;c;d;e;f;g;h",
)  # fmt: skip
# What content lines can hold: no control characters, and nothing that XML or a database refuses.
texts = st.text(
    st.characters(
        exclude_categories=("Cc", "Cs"), exclude_characters="\x85\u2028\u2029\ufffe\uffff"
    ),
    max_size=12,
)
values = st.one_of(st.sampled_from(VALUES), texts)
parameter = st.tuples(
    st.sampled_from(PARAMETERS),
    st.lists(st.one_of(st.sampled_from(WORDS), texts), min_size=1, max_size=3).map(tuple),
)
line = st.builds(
    Line,
    name=st.one_of(st.sampled_from(KNOWN), st.sampled_from(("X-UNKNOWN", "X-OTHER"))),
    value=values,
    parameters=st.lists(parameter, max_size=3, unique_by=lambda one: one[0]).map(tuple),
    group=st.sampled_from(("", "", "", "item1", "ITEM1", "item2")),
)
versions = st.sampled_from(("3.0", "4.0"))


def card(version: str, given_lines: list[Line]) -> bytes:
    return written(
        [Line("BEGIN", "VCARD"), Line("VERSION", version), *given_lines, Line("END", "VCARD")]
    ).encode()


def kept(octets: bytes) -> Counter[object]:
    return Counter(one.key for one in lines(octets.decode()) if one.name not in ("BEGIN", "END"))


@settings(deadline=None)
@given(versions, st.lists(line, max_size=8))
def test_no_line_is_lost_on_the_way_through_the_store(version: str, found: list[Line]) -> None:
    octets = card(version, found)
    ready = cards.prepared(read(octets))
    stored = ready.change(0, places=()).content
    assert stored is not None
    media = {one.n: (one.kind, one.octets) for one in ready.media}
    back = vcard(cards.whole(cards.opened(stored), media), version).encode()  # type: ignore[arg-type]
    missing = kept(octets) - kept(back)
    assert not missing, back.decode()
    added = kept(back) - kept(octets)
    # A name and a uid are written where there were none.
    assert {key[1] for key in added} <= {"FN", "N", "UID"}, back.decode()  # type: ignore[index]


@settings(deadline=None)
@given(versions, st.lists(line, max_size=8))
def test_the_other_version_is_a_vcard_as_well(version: str, found: list[Line]) -> None:
    other = "4.0" if version == "3.0" else "3.0"
    again = vcard(read(card(version, found)), other)  # type: ignore[arg-type]
    assert isinstance(read(again.encode()), Kept)


@settings(deadline=None)
@given(line)
def test_a_line_is_read_as_it_was_written(one: Line) -> None:
    (found,) = lines(written([one]))
    assert found == one
    assert plain(found) == plain(one)

"""Whatever strangers send as a head, a host, a path or a document: an answer or a refusal, nothing else."""

import string

import h11
from hypothesis import example, given
from hypothesis import strategies as st

from malleposte.services.web import head as heads
from malleposte.services.web.autoconfig.markup import MAX_TEXT, BadXml, Element, leaves
from malleposte.services.web.messages import Refused

LATIN = st.characters(max_codepoint=255)
NAMES = st.sampled_from(("host", "content-length", "transfer-encoding", "x"))
MARKUP = st.lists(
    st.sampled_from(
        (
            "<a>",
            "</a>",
            "<b>",
            "</b>",
            "<b/>",
            "&amp;",
            "&x;",
            "<!DOCTYPE a>",
            "<![CDATA[",
            "]]>",
            "x",
            "\0",
        )
    ),
    max_size=40,
).map("".join)
CHARACTERS = st.text(
    st.characters(codec="utf-8", exclude_characters="\ufffe\uffff", min_codepoint=32)
)


@given(st.binary(max_size=300), st.integers(1, 300))
@example(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 1)
def test_a_head_is_read_or_refused(octets: bytes, piece: int) -> None:
    engine = h11.Connection(h11.SERVER, max_incomplete_event_size=200)
    try:
        for at in range(0, len(octets), piece):
            engine.receive_data(octets[at : at + piece])
            event = engine.next_event()
            if isinstance(event, h11.Request):
                _read(event)
                return
    except (h11.RemoteProtocolError, Refused):
        pass


def _read(head: h11.Request) -> None:
    heads.check_framing(head, 100)
    heads.method_of(head)
    target, authority = heads.target_of(head)
    assert target.startswith("/")
    path, query = heads.path_of(target)
    assert path.isprintable()
    assert len(query) <= heads.MAX_QUERY
    host = heads.host_of(head, authority)
    assert set(host) <= set(string.ascii_lowercase + string.digits + "._-[]:")


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1), st.text(LATIN))
@example("http://[::1]:80/x", "mail.example.org")
@example("http://a@b/", "a")
@example("/%00", "a")
def test_a_target_and_a_host_are_read_or_refused(target: str, host: str) -> None:
    try:
        request = h11.Request(
            method=b"GET", target=target, headers=[(b"Host", host.encode("latin-1"))]
        )
        _read(request)
    except (h11.LocalProtocolError, Refused):
        pass


@given(st.one_of(st.binary(max_size=200), MARKUP.map(str.encode)))
def test_a_document_is_read_within_bounds_or_refused(document: bytes) -> None:
    try:
        found = leaves(document)
    except BadXml:
        return
    assert sum(map(len, found.values())) <= MAX_TEXT


@given(CHARACTERS, CHARACTERS)
def test_what_is_written_is_what_is_read(text: str, attribute: str) -> None:
    document = Element("a", b=attribute)
    document.add("c", text)
    written = document.document()
    if len(text) <= MAX_TEXT:
        found = leaves(written)
        wanted = text.replace("\r\n", "\n").replace("\r", "\n").strip()
        assert found.get("c", "") == wanted

"""Bodies of XML that are made to cost: names, namespaces, depth, pieces of text."""

import pytest

from malleposte.services.dav.xml import DEPTH, NotXmlError, parsed


@pytest.mark.parametrize(
    "body",
    [
        b'<x xmlns:a="' + b"u" * 201 + b'"><a:b/></x>',
        b"<" + b"n" * 301 + b"/>",
        b"<x " + b"n" * 301 + b"='1'/>",
        b"<x>" + b"<y/>" * 30_000 + b"</x>",
        b"<x>" + b"".join(b"<y a%d='1' b='2'/>" % n for n in range(12_000)) + b"</x>",
        b"<x>" * (DEPTH + 1) + b"</x>" * (DEPTH + 1),
        b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>",
    ],
    ids=["namespace", "name", "attribute", "elements", "attributes", "depth", "doctype"],
)
def test_a_body_that_would_grow_is_refused(body: bytes) -> None:
    with pytest.raises(NotXmlError):
        parsed(body)


def test_text_between_elements_is_whole() -> None:
    """Its pieces come one by one; a body of many must not copy what came before for each."""
    root = parsed(b"<x>" + b"ab<y/>" * 20_000 + b"</x>")
    assert root.text == "ab" * 20_000
    assert parsed("<x>é&lt;\U0001f600</x>".encode()).text == "é<\U0001f600"

"""METADATA, QUOTA and QUOTAROOT as bytes."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from malleposte.wire.imap import account_responses
from malleposte.wire.imap.commands.metadata import SetMetadata
from malleposte.wire.imap.lexer import Reader, Tag
from malleposte.wire.imap.limits import Limits


def test_quota_and_its_roots() -> None:
    # RFC 9208 §4.2
    said = account_responses.quota("", [(b"STORAGE", 10, 512), (b"MAILBOX", 1, 2)])
    assert said == b'* QUOTA "" (STORAGE 10 512 MAILBOX 1 2)\r\n'
    assert account_responses.quota_root("INBOX", False, [""]) == b'* QUOTAROOT "INBOX" ""\r\n'
    assert account_responses.quota("", []) == b'* QUOTA "" ()\r\n'


def test_a_name_that_is_no_atom_is_quoted() -> None:
    said = account_responses.metadata("", False, [("/private/a b", b"1"), ("/shared/c", None)])
    assert said == b'* METADATA "" ("/private/a b" "1" /shared/c NIL)\r\n'


_NAMES = st.from_regex(r"/(private|shared)(/[a-z !-$&-)+-.0-9]{1,8}){1,3}", fullmatch=True)


@given(
    st.dictionaries(_NAMES.map(str.lower), st.none() | st.binary(max_size=2_000), min_size=1),
    st.booleans(),
)
def test_what_is_sent_is_what_a_client_can_set(values: dict[str, bytes | None], utf8: bool) -> None:
    """Any octets, also those that end strings, lists and literals."""
    said = account_responses.metadata("box", utf8, values.items())
    inside = re.fullmatch(rb'\* METADATA ("box" \(.*\))\r\n', said, re.DOTALL)
    assert inside is not None
    args = Reader(b" " + inside[1], limits=Limits(), utf8=utf8)
    command = SetMetadata.parse(Tag(b"a"), args)
    args.end()
    assert dict(command.values) == values

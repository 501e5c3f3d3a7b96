"""Names and flags that hold pieces of the protocol: what another session then reads is still the
grammar, every name comes back as it was given, and no command hidden in one is carried out.

``ImapClient`` holds every response against the grammar.
"""

import contextlib

import pytest

from support.imap_client import ImapClient, Literal, Refused, signed_in
from support.server import PASSWORD, Server
from support.vital_signs import VitalSigns

ADDRESS = "u1@example.test"

# Taken, and listed to everybody afterwards. On the wire: modified UTF-7, before ENABLE.
TAKEN = [
    b'a"b',
    b"a\\b",
    b'"',
    b"\\",
    b'\\"',
    b"{5}",
    b"{5+}",
    b"a {20}",
    b"~{3}",
    b"a b",
    b") (x",
    b"(\\Noselect)",
    b"[ALERT] x",
    b"]",
    b"NIL",
    b"nil",
    b"A1 OK done",
    b"A1 BYE",
    b"a&-b",
    b"&-",
    b"{4294967296}",
    b"'; DROP TABLE mailbox; --",
    b"$(id)",
    b"`id`",
    b"<script>alert(1)",
    b"&2D3eAA-",  # an astral character
    b"&ATE-nbox",  # INBOX to those who fold all of Unicode
    b"inbox2",
    b"x" * 200,
    b"+",
    b"#news",
    b"~root",
    b"a.b.c",
]

# Not taken: whole lines of commands, controls, empty levels, names that climb or match.
NOT_TAKEN = [
    b"x\r\nA9 DELETE Archive\r\n",
    b"x\nA9 DELETE Archive",
    b"x\rA9 DELETE Archive",
    b"a\0b",
    b"a\x1bb",
    b"a\x7fb",
    b"&AA0ACg-",  # CRLF in modified UTF-7
    b"&AA0ACg-A9 LOGOUT&AA0ACg-",
    b"&AAA-",  # NUL
    b"&ICg-",  # a line separator
    b"&IC4-gnp.exe",  # right-to-left override: shown as exe.png
    b"a&IGc-b",  # right-to-left isolate
    b"",
    b"/",
    b"//",
    b"../../etc",
    b"a/../b",
    b"a//b",
    b"%",
    b"*",
    b"a*b",
    b"* BYE",
    b"\xff\xfe",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"x" * 3_000,
]

# No modified UTF-7, and so taken for what it looks like: the name comes back written rightly.
MENDED = {
    b"&": b"&-",
    b"&AGE-": b"&-AGE-",  # `a` needs no encoding
    b"&2AA-": b"&-2AA-",  # half a surrogate pair
    b"&AA0ACgBBADkAIABMAE8ARwBPAFUAVAANAAo-": b"&-AA0ACgBBADkAIABMAE8ARwBPAFUAVAANAAo-",
}


async def listed(client: ImapClient) -> list[bytes]:
    """All names, as the wire has them, unquoted."""
    answer = await client.command(b'LIST "" "*"')
    return [unquoted(line) for line in answer.untagged if line.startswith(b"* LIST ")]


def unquoted(line: bytes) -> bytes:
    name = line.split(b' "/" ', 1)[1].removesuffix(b"\r\n")
    if name.startswith(b'"'):
        return name[1:-1].replace(b'\\"', b'"').replace(b"\\\\", b"\\")
    assert not name.startswith(b"{")
    return name


@pytest.mark.parametrize("name", TAKEN, ids=repr)
async def test_an_odd_name_is_only_a_name(target: Server, signs: VitalSigns, name: bytes) -> None:
    async with (
        signed_in(target.ports["imap"], ADDRESS, PASSWORD) as owner,
        signed_in(target.ports["imap"], ADDRESS, PASSWORD) as other,
    ):
        before = await listed(other)
        await owner.command(b"CREATE ", Literal(name))
        assert sorted(await listed(other)) == sorted([*before, name])
        await other.command(b"SUBSCRIBE ", Literal(name))
        answer = await other.command(b'LSUB "" "*"')
        assert b"%b" % name in b"".join(answer.untagged).replace(b"\\", b"") + name
        await other.command(b'LIST "" "*" RETURN (CHILDREN STATUS (MESSAGES UIDNEXT SIZE))')
        answer = await other.command(b"STATUS ", Literal(name), b" (MESSAGES)")
        assert b"(MESSAGES 0)" in answer.untagged[-1]
        await other.command(b"APPEND ", Literal(name), b" ", Literal(b"Subject: x\r\n\r\nx"))
        await owner.command(b"SELECT ", Literal(name))
        await owner.command(b"COPY 1 ", Literal(name))
        await owner.command(b"RENAME ", Literal(name), b" Other")
        await owner.command(b"RENAME Other ", Literal(name))
        await owner.command(b"CLOSE")
        await owner.command(b"DELETE ", Literal(name))
        assert await listed(owner) == before


@pytest.mark.parametrize("name", MENDED, ids=repr)
async def test_a_name_that_is_mended(target: Server, signs: VitalSigns, name: bytes) -> None:
    async with (
        signed_in(target.ports["imap"], ADDRESS, PASSWORD) as owner,
        signed_in(target.ports["imap"], ADDRESS, PASSWORD) as other,
    ):
        before = await listed(other)
        await owner.command(b"CREATE ", Literal(name))
        assert sorted(await listed(other)) == sorted([*before, MENDED[name]])
        await other.command(b"SELECT ", Literal(MENDED[name]))
        await other.command(b"CLOSE")
        await owner.command(b"DELETE ", Literal(name))
        assert await listed(owner) == before


@pytest.mark.parametrize("name", NOT_TAKEN, ids=lambda name: repr(name[:40]))
async def test_a_name_that_is_refused(target: Server, signs: VitalSigns, name: bytes) -> None:
    async with (
        signed_in(target.ports["imap"], ADDRESS, PASSWORD) as owner,
        signed_in(target.ports["imap"], ADDRESS, PASSWORD) as other,
    ):
        before = await listed(other)
        for command in (b"CREATE ", b"SUBSCRIBE ", b"RENAME Archive ", b"SELECT ", b"DELETE "):
            with pytest.raises(Refused):
                await owner.command(command, Literal(name))
        with pytest.raises(Refused):
            await owner.command(b"STATUS ", Literal(name), b" (MESSAGES)")
        with pytest.raises(Refused):
            await owner.command(b"APPEND ", Literal(name), b" ", Literal(b"x"))
        # A pattern may hold wildcards, and anything else matches nothing.
        with contextlib.suppress(Refused):
            await owner.command(b'LIST "" ', Literal(name))
        await owner.command(b"NOOP")
        assert await listed(other) == before


FLAGS = [
    b"a]b",
    b"[x]",
    b"{5}",
    b"a{5+}",
    b"$x",
    b"'x'",
    b"`id`",
    b"<b>",
    b"&amp;",
    b"NIL",
    b"+x",
    b"~",
    b"x" * 100,
    b"\\Extension",
    b"\\Recent",
    b"\\*",
    b'"x"',
    b"a\\b",
    b"(x",
    b"x)",
    b"a%b",
    b"a*b",
    b"\xc3\xbc",
    b"\xff",
    b"a\0b",
    b"x\r\nA9 DELETE Archive",
    b"x\nA9 DELETE Archive",
    b"{1+}\r\nx",
    b"x" * 256,
]


@pytest.mark.parametrize("flag", FLAGS, ids=lambda flag: repr(flag[:40]))
async def test_an_odd_flag_is_only_a_flag(target: Server, signs: VitalSigns, flag: bytes) -> None:
    """Taken or not: what others read is the grammar, and holds the flag as it was given."""
    async with (
        signed_in(target.ports["imap"], ADDRESS, PASSWORD) as owner,
        signed_in(target.ports["imap"], ADDRESS, PASSWORD) as other,
    ):
        with contextlib.suppress(Refused):
            await owner.command(b"DELETE Flags")  # of a test that failed
        before = await listed(other)
        await owner.command(b"CREATE Flags")
        await owner.command(b"APPEND Flags ", Literal(b"Subject: x\r\n\r\nx"))
        await owner.command(b"SELECT Flags")
        await other.command(b"SELECT Flags")
        tag = owner.send(b"STORE 1 +FLAGS (" + flag + b")")
        answer = b""
        while not answer.startswith(tag):
            answer = await owner.response()
            if answer.startswith(b"* BAD"):
                break
        taken = answer.startswith(tag + b" OK")
        noop = await other.command(b"NOOP")
        assert any(b"FETCH" in line for line in noop.untagged) == taken
        (one,) = (await other.command(b"FETCH 1 (FLAGS)")).fetched()
        assert (flag in one.flags) == taken
        found = await other.command(b"SELECT Flags")
        flags = next(line for line in found.untagged if line.startswith(b"* FLAGS"))
        if taken:
            assert flag in flags
            await other.command(b"SEARCH KEYWORD " + flag)
            await other.command(b"STORE 1 -FLAGS.SILENT (" + flag + b")")
        await other.command(b"CLOSE")
        await other.command(b"DELETE Flags")
        assert await listed(other) == before

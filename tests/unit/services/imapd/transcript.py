r"""Transcripts that read like the RFCs, played against the service over a real socket.

    # a comment
    == name of the case                 each starts with an account of its own, nobody signed in
    > signed_in                         connection 1 signs in, unseen (also `> signed_in 2`)
    > person bob                        another account (also `> shared info`, `> resource room`);
                                        it signs in by `> signed_in 2 bob`
    > inbox plain alternative           these messages are in INBOX, and recent to nobody
    > arrives plain                     these come now: recent to whoever hears of them first
    > filled 300                        INBOX holds so many messages (``filled``)
    > quota 1000                        the account may keep so many octets
    > poke                              the push hub hints
    > forget                            all tombstones of the account are given up, as after a year
    > compress                          the client compresses from here on (also `> compress 2`)
    C: what the client says, with CRLF  (`C2:` on a second connection)
    C- the same without CRLF
    S: a response                       in order; `S2:` of the second connection
    S! the connection is closed
    S* 1:300 a response for each        in it `{{n}}` is the number, also behind the first word of a
                                        hole: `{{u n}}`; `S* 300:1` counts down

In C and S lines `{{@bob}}` is the address of that other account, `{{msg NAME}}` a message of
`messages.py` as a literal (in C lines LITERAL+);
`{{size NAME}}` its size; `{{me}}` the account's address, `{{plain}}` what SASL PLAIN sends, and
what ``filled`` has; `\xNN`, `\r`, `\n` are octets. In S lines
`{{re:…}}` is a regular expression, `{{name=…}}` one whose match is kept and stands for `{{$name}}`
in later lines, `{{not $name}}` a word that differs from it; `~` at the end is any text. Every
response is held against the grammar besides.
"""

from __future__ import annotations

import asyncio
import base64
import re
import zlib
from dataclasses import dataclass, field
from pathlib import Path

from malleposte.delivery.spool import rendered
from malleposte.mime import summarize
from malleposte.store import content
from malleposte.store.commands import Append, ClaimRecent, SetAccount, SweepTombstones
from malleposte.store.results import Appended
from support.imap_answers import check, next_response
from support.store import inbox
from unit.services.imapd.filled import Filled, fill
from unit.services.imapd.harness import Served
from unit.services.imapd.messages import MESSAGES

LONGEST = 10.0


@dataclass(slots=True)
class Line:
    number: int
    mark: str
    connection: int
    text: str


@dataclass(slots=True)
class Case:
    name: str
    lines: list[Line] = field(default_factory=list)


_LINE = re.compile(r"([CS])([0-9]?)([:!*-]) ?(.*)")
_EACH = re.compile(r"(\d+):(\d+) (.*)")
_NUMBER = re.compile(r"\{\{(\w+) n\b")
_HOLE = re.compile(r"\{\{(.*?)\}\}")
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|[rn])")


def read_cases(path: Path) -> list[Case]:
    cases: list[Case] = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("=="):
            cases.append(Case(line[2:].strip()))
            continue
        if line.startswith("> "):
            cases[-1].lines.append(Line(number, ">", 0, line[2:]))
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise ValueError(f"{path.name}:{number}: what is {line!r}?")
        kind = match[1] + match[3]
        cases[-1].lines.append(Line(number, kind, int(match[2] or 1), match[4]))
    return cases


def octets(text: str) -> bytes:
    """`text` in UTF-8 with its escapes."""

    def one(match: re.Match[str]) -> str:
        found = match[1]
        number = {"r": 13, "n": 10}.get(found) or int(found[1:], 16)
        return chr(number) if number < 0x80 else chr(0xDC00 + number)

    return _ESCAPE.sub(one, text).encode("utf-8", "surrogateescape")


def each(line: Line) -> list[str]:
    """The responses that a line stands for: one, or with `*` one for each number."""
    if line.mark != "S*":
        return [line.text]
    match = _EACH.fullmatch(line.text)
    assert match is not None, f"line {line.number}: for which numbers?"
    first, last, text = int(match[1]), int(match[2]), match[3]
    numbers = range(first, last + 1) if first <= last else range(first, last - 1, -1)
    return [
        _NUMBER.sub(rf"{{{{\1 {number}", text.replace("{{n}}", str(number))) for number in numbers
    ]


class Peer:
    """One connection of the case."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.buffer = bytearray()
        self.utf8 = False
        self._deflate: zlib._Compress | None = None
        self._inflate: zlib._Decompress | None = None

    def compress(self) -> None:
        """RFC 4978: both ways, from the next octet on."""
        assert not self.buffer
        self._deflate = zlib.compressobj(wbits=-15)
        self._inflate = zlib.decompressobj(-15)

    def write(self, octets: bytes) -> None:
        if self._deflate is not None:
            octets = self._deflate.compress(octets) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        self.writer.write(octets)

    async def response(self) -> bytes | None:
        while True:
            found = next_response(self.buffer)
            if found is not None:
                self.utf8 = self.utf8 or found.startswith(
                    (b"* ENABLED IMAP4rev2", b"* ENABLED UTF8=ACCEPT")
                )
                if b"BINARY" not in found and (found.isascii() or not self.utf8):
                    check(found)  # which knows rev1 alone
                return found
            async with asyncio.timeout(LONGEST):
                data = await self.reader.read(1 << 16)
            if not data:
                return None
            self.buffer += data if self._inflate is None else self._inflate.decompress(data)


class Player:
    """Plays one case on a service."""

    def __init__(self, served: Served, case: Case) -> None:
        self.served = served
        self.case = case
        self.peers: dict[int, Peer] = {}
        self.account = 0
        self.address = ""
        self.kept: dict[str, str] = {}
        self.filled: Filled | None = None
        self.others: dict[str, str] = {}

    async def play(self) -> None:
        self.account, self.address = await self.served.account()
        try:
            for line in self.case.lines:
                where = f"{self.case.name}, line {line.number}"
                if line.mark == ">":
                    await self.act(line.text.split())
                elif line.mark in ("C:", "C-"):
                    peer = await self.peer(line.connection)
                    end = b"\r\n" if line.mark == "C:" else b""
                    peer.write(self.said(line.text) + end)
                else:
                    await self.hear(line, where)
            for number, peer in self.peers.items():
                assert not peer.buffer, f"{self.case.name}: {number} also got {peer.buffer!r}"
        finally:
            for peer in self.peers.values():
                peer.writer.close()

    async def hear(self, line: Line, where: str) -> None:
        """Compare what comes with a line, or with each that a line stands for."""
        peer = await self.peer(line.connection)
        for text in each(line):
            try:
                got = await peer.response()
            except TimeoutError:
                raise AssertionError(f"{where}: nothing came for {text}") from None
            if line.mark == "S!":
                assert got is None, f"{where}: closed was expected, got {got!r}"
                return
            assert got is not None, f"{where}: {text!r} was expected, not the end"
            self.compare(text, got, where)

    async def peer(self, number: int) -> Peer:
        if number not in self.peers:
            self.peers[number] = Peer(*await asyncio.open_connection("127.0.0.1", self.served.port))
        return self.peers[number]

    async def act(self, words: list[str]) -> None:
        if words[0] == "signed_in":
            peer = await self.peer(int(words[1]) if len(words) > 1 else 1)
            await peer.response()
            address = self.others[words[2]] if len(words) > 2 else self.address
            peer.writer.write(f"in LOGIN {address} secret\r\n".encode())
            answer = await peer.response()
            assert answer is not None
            assert answer.startswith(b"in OK "), answer
        elif words[0] in ("person", "shared", "resource"):
            for name in words[1:]:
                _, self.others[name] = await self.served.account(name, kind=words[0], again=True)
        elif words[0] in ("inbox", "arrives"):
            for name in words[1:]:
                await self.file(MESSAGES[name], known=words[0] == "inbox")
        elif words[0] == "filled":
            self.filled = await fill(self.served, self.account, self.address, int(words[1]))
        elif words[0] == "quota":
            allowed = SetAccount(account=self.account, quota_bytes=int(words[1]))
            await self.served.store.submit(allowed)
        elif words[0] == "compress":
            (await self.peer(int(words[1]) if len(words) > 1 else 1)).compress()
        elif words[0] == "forget":
            head = await self.served.store.reader.row(
                "SELECT modseq FROM account_head WHERE account = $1", self.account
            )
            assert head is not None
            await self.served.store.submit(SweepTombstones(account=self.account, upto=head[0]))
        elif words[0] == "poke":
            self.served.hub.hint(self.account)
        else:
            raise ValueError(f"what is {words[0]}?")

    async def file(self, message: bytes, *, known: bool) -> None:
        result = await self.served.store.submit(
            Append(
                actor=self.account,
                mailbox=inbox(self.account),
                content=content.in_rows(message),
                rendered=rendered(summarize(message)),
                received_at=1_790_000_000,
            )
        )
        assert isinstance(result, Appended), result
        if known:
            await self.served.store.submit(
                ClaimRecent(actor=self.account, mailbox=inbox(self.account), upto=result.uid)
            )

    def said(self, text: str) -> bytes:
        def hole(match: re.Match[str]) -> str:
            word, _, name = match[1].partition(" ")
            if word == "me":
                return self.address
            if word == "plain":
                return base64.b64encode(f"\0{self.address}\0secret".encode()).decode()
            if self.filled is not None and (text := self.filled.hole(match[1])) is not None:
                return text
            if word.startswith("@"):
                return self.others[word[1:]]
            if word == "msg":
                message = MESSAGES[name].decode("utf-8", "surrogateescape")
                return f"{{{len(MESSAGES[name])}+}}\r\n{message}"
            if word == "size":
                return str(len(MESSAGES[name]))
            return self.kept[word[1:]]

        # The message must not be searched for escapes.
        pieces = re.split(r"(\{\{msg \w+\}\})", text)
        return b"".join(
            _HOLE.sub(hole, piece).encode("utf-8", "surrogateescape")
            if piece.startswith("{{msg ")
            else octets(_HOLE.sub(hole, piece))
            for piece in pieces
        )

    def compare(self, text: str, got: bytes, where: str) -> None:
        pattern = self.pattern(text)
        line = got.removesuffix(b"\r\n").decode("utf-8", "surrogateescape")
        match = re.fullmatch(pattern, line, re.DOTALL)
        assert match is not None, f"{where}:\n  expected {text}\n  got      {line}"
        self.kept.update({k: v for k, v in match.groupdict().items() if v is not None})

    def pattern(self, text: str) -> str:
        tail = ""
        if text.endswith("~"):
            text, tail = text[:-1], ".+"
        out: list[str] = []
        end = 0
        for match in _HOLE.finditer(text):
            out.append(
                re.escape(octets(text[end : match.start()]).decode("utf-8", "surrogateescape"))
            )
            out.append(self.hole(match[1]))
            end = match.end()
        out.append(re.escape(octets(text[end:]).decode("utf-8", "surrogateescape")))
        return "".join(out) + tail

    def hole(self, inner: str) -> str:
        if inner.startswith("re:"):
            return f"(?:{inner[3:]})"
        if inner.startswith("not $"):
            return rf"(?!{re.escape(self.kept[inner[5:]])}\b)[^ )]+"
        if inner.startswith("$"):
            return re.escape(self.kept[inner[1:]])
        if self.filled is not None:
            if inner.startswith("flags "):
                return self.filled.flags_pattern(int(inner[6:]))
            if (text := self.filled.hole(inner)) is not None:
                return re.escape(text)
        if inner.startswith("msg "):
            message = MESSAGES[inner[4:]]
            return re.escape(f"{{{len(message)}}}\r\n" + message.decode("utf-8", "surrogateescape"))
        if inner.startswith("size "):
            return str(len(MESSAGES[inner[5:]]))
        if inner == "me":
            return re.escape(self.address)
        if inner.startswith("@"):
            return re.escape(self.others[inner[1:]])
        name, _, expression = inner.partition("=")
        return f"(?P<{name}>{expression})"

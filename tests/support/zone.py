"""A DNS server on loopback with zones of a test: names, and what goes wrong with them."""

import asyncio
import contextlib
import threading
from collections import Counter
from collections.abc import Iterator

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset


def text(value: str) -> str:
    """A TXT record's value in strings of 255 octets, as it stands in a zone."""
    return " ".join(f'"{value[at : at + 255]}"' for at in range(0, len(value), 255))


SERVFAIL, SILENCE, REFUSED = "SERVFAIL", "silence", "REFUSED"


class Zone(asyncio.DatagramProtocol):
    """Answers over UDP from ``records``: (name, type) → values, or one of the words above for a name.

    A name without any record is not there (NXDOMAIN). ``drops_edns``: says nothing to a question with
    EDNS, as some boxes in between do; ``formerr``: says FORMERR to one, as old servers do. ``secure``:
    domains of which it says that DNSSEC vouches for them (AD), as a validating resolver would."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], list[str]] = {}
        self.broken: dict[str, str] = {}
        self.secure: set[str] = set()
        self.drops_edns = False
        self.formerr = False
        self.ttl = 300
        self.port = 0
        self.asked: Counter[tuple[str, str]] = Counter()
        self.port = 0
        self._transport: asyncio.DatagramTransport | None = None

    async def start(self, port: int = 0) -> int:
        """The port it listens on, at 127.0.0.1."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=("127.0.0.1", port)
        )
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]
        return self.port

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def add(self, name: str, **records: str | list[str]) -> None:
        """Records of a name by type."""
        for kind, values in records.items():
            listed = [values] if isinstance(values, str) else values
            self.records.setdefault((name, kind.upper()), []).extend(listed)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        answer = self.answer(query)
        if answer is not None and self._transport is not None:
            self._transport.sendto(answer.to_wire(), addr)

    def answer(self, query: dns.message.Message) -> dns.message.Message | None:
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        self.asked[name, kind] += 1
        if query.edns >= 0 and self.drops_edns:
            return None
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        if query.edns >= 0 and self.formerr:
            response.use_edns(False)
            response.set_rcode(dns.rcode.FORMERR)
            return response
        trouble = self.broken.get(name) or self.broken.get(f"{name}/{kind}")
        if trouble == SILENCE:
            return None
        if trouble:
            response.set_rcode(dns.rcode.from_text(trouble))
            return response
        seen: set[str] = set()
        while (name, "CNAME") in self.records and kind != "CNAME":
            target = self.records[name, "CNAME"][0]
            response.answer.append(dns.rrset.from_text(name + ".", self.ttl, "IN", "CNAME", target))
            if name in seen:
                return response
            seen.add(name)
            name = target.rstrip(".")
        values = self.records.get((name, kind))
        if values:
            response.answer.append(dns.rrset.from_text(name + ".", self.ttl, "IN", kind, *values))
        elif not any(known == name for known, _ in self.records):
            response.set_rcode(dns.rcode.NXDOMAIN)
        wants = bool(query.flags & dns.flags.AD) or bool(query.ednsflags & dns.flags.DO)
        if wants and all(map(self._is_secure, {*seen, name})):
            response.flags |= dns.flags.AD
        return response

    def _is_secure(self, name: str) -> bool:
        return any(f".{name}".endswith(f".{one}") for one in self.secure)


class Between(Zone):
    """Stands before the resolver at a port of 127.0.0.1, and hands on what is not broken."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._behind = port

    def answer(self, query: dns.message.Message) -> dns.message.Message | None:
        name = query.question[0].name.to_text(omit_final_dot=True).lower()
        if (query.edns >= 0 and self.drops_edns) or self.broken.get(name) == SILENCE:
            return None
        found, _ = dns.query.udp_with_fallback(query, "127.0.0.1", timeout=5, port=self._behind)
        return found


@contextlib.contextmanager
def serving(zone: Zone, port: int = 0) -> Iterator[int]:
    """A zone served by a thread of its own, for programs; its port."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield asyncio.run_coroutine_threadsafe(zone.start(port), loop).result(10)
    finally:
        loop.call_soon_threadsafe(zone.close)
        # The socket is closed in the loop's next turn.
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0.01), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()

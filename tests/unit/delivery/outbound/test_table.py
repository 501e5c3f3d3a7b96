"""What other servers do, and what becomes of a message then: a row for each behaviour.

A row has servers (127.0.0.1 and on), names, a message, and for each recipient the outcome with its words
(``…``: anything; N: the port). ``closed``: the routes that are closed, and why. ``taken``: messages that
servers answered 2yz.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from malleposte.store.commands import EIGHTBIT, SMTPUTF8
from support.scripted_smtp import DROP, GARBAGE, SILENCE, Manner
from support.zone import REFUSED, SERVFAIL
from support.zone import SILENCE as NO_ANSWER
from unit.delivery.outbound.outside import PATIENT, QUICK, Outside, says

ONE = ("a@there.example",)
TWO = ("a@there.example", "b@there.example")
THREE = (*TWO, "c@there.example")
NO_PIPELINING = ("8BITMIME", "ENHANCEDSTATUSCODES")
MX: Mapping[str, Mapping[str, Any]] = {
    "there.example": {"mx": "10 mx.there.example."},
    "mx.there.example": {"a": "127.0.0.1"},
}
MX_TWO: Mapping[str, Mapping[str, Any]] = {
    "there.example": {"mx": ["10 mx.there.example.", "20 mx2.there.example."]},
    "mx.there.example": {"a": "127.0.0.1"},
    "mx2.there.example": {"a": "127.0.0.2"},
}
HOST = "mx.there.example [127.0.0.1]:N"


@dataclass
class Row:
    name: str
    ends: Sequence[tuple[str, str]]
    """(outcome, words) for each recipient."""
    manners: Sequence[Manner] = (Manner(),)
    names: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: MX)
    broken: dict[str, str] = field(default_factory=dict)
    to: Sequence[str] = ONE
    message: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    closed: dict[str, str] = field(default_factory=dict)
    taken: int = 0
    quick: str = ""
    """The timeout that is short, since its step is never answered."""


def steps(**replies: str | Sequence[str]) -> Manner:
    return Manner(steps=dict(replies))


def way(words: str) -> dict[str, Any]:
    """A way that failed: recipients wait, and the route is closed."""
    return {"ends": [("deferred", words)], "closed": {"there.example": words}}


ROWS = [
    Row("taken", [("delivered", "mx.there.example took it: «250 2.0.0 queued as 1»")], taken=1),
    Row("without extensions", [("delivered", "…took it…")], [Manner(can=())], taken=1),
    Row(
        "only HELO",
        [("delivered", "…took it…")],
        [steps(EHLO="502 5.5.1 what?")],
        taken=1,
    ),
    # Answers about a recipient ------------------------------------------------------------------
    Row(
        "greylist",
        [("deferred", "mx.there.example said to RCPT TO: «450 4.7.1 greylisted, come again»")],
        [steps(RCPT="450 4.7.1 greylisted, come again")],
    ),
    Row(
        "no such user",
        [("failed", "mx.there.example said to RCPT TO: «550 5.1.1 no such user»")],
        [steps(RCPT="550 5.1.1 no such user")],
    ),
    Row(
        "partial RCPT",
        [
            ("delivered", "…took it…"),
            ("failed", "…said to RCPT TO: «550 5.1.1 no»"),
            ("deferred", "…said to RCPT TO: «452 4.2.2 full»"),
        ],
        [steps(RCPT=["250 ok", "550 5.1.1 no", "452 4.2.2 full"])],
        to=THREE,
        taken=1,
    ),
    Row(
        "partial RCPT without PIPELINING",
        [("failed", "…«550 5.1.1 no»"), ("delivered", "…took it…")],
        [Manner(can=NO_PIPELINING, steps={"RCPT": ["550 5.1.1 no", "250 ok"]})],
        to=TWO,
        taken=1,
    ),
    Row(
        "all RCPT refused",
        [("failed", "…«550 5.1.1 a»"), ("failed", "…«550 5.1.1 b»")],
        [steps(RCPT=["550 5.1.1 a", "550 5.1.1 b"])],
        to=TWO,
    ),
    Row(
        "too many recipients: the rest goes at once",
        [("delivered", "…took it…")] * 3,
        [steps(RCPT=["250 ok", "452 4.5.3 too many", "452 4.5.3 too many", "250 ok"])],
        to=THREE,
        taken=2,
    ),
    Row(
        "552 at RCPT is 452",
        [("delivered", "…took it…")] * 2,
        [steps(RCPT=["250 ok", "552 too many", "250 ok"])],
        to=TWO,
        taken=2,
    ),
    Row(
        "too many, though it is the first",
        [("deferred", "…said to RCPT TO: «452 4.5.3 too many»")],
        [steps(RCPT="452 4.5.3 too many")],
    ),
    Row(
        "sender refused",
        [("failed", "mx.there.example said to MAIL FROM: «553 5.1.8 bad sender»")],
        [steps(MAIL="553 5.1.8 bad sender")],
    ),
    Row(
        "it wants TLS, and there is none",
        [("deferred", "mx.there.example said to MAIL FROM: «530 5.7.0 STARTTLS first»")],
        [steps(MAIL="530 5.7.0 STARTTLS first")],
    ),
    Row(
        "sender deferred",
        [("deferred", "mx.there.example said to MAIL FROM: «451 4.3.2 slow down»")],
        [steps(MAIL="451 4.3.2 slow down")],
    ),
    Row(
        "no enhanced code",
        [("failed", "mx.there.example said to RCPT TO: «550 go away»")],
        [steps(RCPT="550 go away")],
    ),
    Row(
        "DATA refused",
        [("failed", "mx.there.example said to DATA: «554 5.7.1 no»")],
        [steps(DATA="554 5.7.1 no")],
    ),
    Row(
        "DATA deferred",
        [("deferred", "mx.there.example said to DATA: «451 4.3.0 later»")],
        [steps(DATA="451 4.3.0 later")],
    ),
    Row(
        "4xx after the content",
        [("deferred", "mx.there.example said to the content: «452 4.3.1 disk full»")],
        [steps(CONTENT="452 4.3.1 disk full")],
    ),
    Row(
        "5xx after the content",
        [("failed", "mx.there.example said to the content: «554 5.7.1 spam»")],
        [steps(CONTENT="554 5.7.1 spam")],
    ),
    # Sessions that end early ---------------------------------------------------------------------
    Row(
        "421 at MAIL",
        [("deferred", "mx.there.example said to MAIL FROM: «421 4.3.2 closing»")],
        [steps(MAIL="421 4.3.2 closing")],
    ),
    Row(
        "421 at RCPT",
        [("deferred", "…said to RCPT TO: «421 4.3.2 closing»")] * 2,
        [steps(RCPT=["250 ok", "421 4.3.2 closing"])],
        to=TWO,
    ),
    Row(
        "421 at DATA",
        [("deferred", "mx.there.example said to DATA: «421 4.3.2 closing»")],
        [steps(DATA="421 4.3.2 closing")],
    ),
    Row(
        "421 after the content",
        [("deferred", "mx.there.example said to the content: «421 4.3.2 closing»")],
        [steps(CONTENT="421 4.3.2 closing")],
    ),
    Row(
        "drop at MAIL",
        [("deferred", "mx.there.example: the server closed the connection (at MAIL FROM)")],
        [steps(MAIL=DROP)],
    ),
    Row(
        "drop at RCPT",
        [("deferred", "mx.there.example: the server closed the connection (at RCPT TO)")],
        [Manner(can=NO_PIPELINING, steps={"RCPT": DROP})],
    ),
    Row(
        "drop at DATA",
        [("deferred", "mx.there.example: the server closed the connection (at DATA)")],
        [Manner(can=NO_PIPELINING, steps={"DATA": DROP})],
    ),
    Row(
        "drop after the dot",
        [
            (
                "deferred",
                "mx.there.example: the server closed the connection after all of the content was"
                " sent; nobody knows whether it was taken, so it is sent again and may arrive twice",
            )
        ],
        [steps(CONTENT=DROP)],
    ),
    Row(
        "silence at MAIL",
        [("deferred", "mx.there.example: no answer to MAIL FROM in time (at MAIL FROM)")],
        [steps(MAIL=SILENCE)],
        quick="mail",
    ),
    Row(
        "silence after the dot",
        [("deferred", "mx.there.example: no answer to end of content in time after all of…twice")],
        [steps(CONTENT=SILENCE)],
        quick="content",
    ),
    Row(
        "garbage at RCPT",
        [("deferred", "mx.there.example: the server broke the protocol: «%%% what? %%%»…RCPT TO)")],
        [steps(RCPT=GARBAGE)],
    ),
    Row(
        "the content is read by nobody",
        [("deferred", "mx.there.example: the server took no more of the content while…")],
        [Manner(can=(), silent_reader=True)],
        quick="block",
        message={"data": b"x" * 16_000_000},
    ),
    Row(
        "drop at MAIL, the other server takes it at once",
        [("delivered", "mx2.there.example took it…")],
        [steps(MAIL=DROP), Manner()],
        MX_TWO,
        taken=1,
    ),
    # The way fails -------------------------------------------------------------------------------
    Row(
        "421 greeting",
        manners=[steps(GREETING="421 4.3.2 busy")],
        **way(f"{HOST} does not take us: «421 4.3.2 busy»"),
    ),
    Row(
        "554 greeting",
        manners=[steps(GREETING="554 5.7.1 blocked")],
        **way(f"{HOST} does not take us: «554 5.7.1 blocked»"),
    ),
    Row(
        "521 greeting",
        [("failed", f"{HOST} does not take us: «521 5.3.2 this host takes no mail»")],
        [steps(GREETING="521 5.3.2 this host takes no mail")],
    ),
    Row(
        "silent greeting",
        manners=[steps(GREETING=SILENCE)],
        quick="greeting",
        **way(f"{HOST}: no answer to greeting in time (at the greeting)"),
    ),
    Row(
        "garbage for a greeting",
        manners=[steps(GREETING=GARBAGE)],
        **way(f"{HOST}: the server broke the protocol: «%%% what? %%%» is no SMTP reply (at the…"),
    ),
    Row(
        "drop at the greeting",
        manners=[steps(GREETING=DROP)],
        **way(f"{HOST}: the server closed the connection (at the greeting)"),
    ),
    Row(
        "EHLO refused",
        manners=[steps(EHLO="550 5.7.1 who?", HELO="550 5.7.1 who?")],
        **way(f"{HOST} refused EHLO: «550 5.7.1 who?»"),
    ),
    Row("connection refused", manners=[], **way(f"{HOST}: connection refused")),
    Row(
        "the first server is away",
        [("delivered", "mx2.there.example took it…")],
        [steps(GREETING="421 4.3.2 busy"), Manner()],
        MX_TWO,
        taken=1,
    ),
    Row(
        "both servers are away",
        manners=[steps(GREETING="421 busy"), steps(GREETING=DROP)],
        names=MX_TWO,
        **way(f"{HOST} does not take us: «421 busy»; mx2.there.example [127.0.0.2]:N: the server…"),
    ),
    # Names ---------------------------------------------------------------------------------------
    Row(
        "no MX, an address",
        [("delivered", "there.example took it…")],
        names={"there.example": {"a": "127.0.0.1"}},
        taken=1,
    ),
    Row(
        "null MX",
        [("failed", "the domain there.example says that it takes no mail (null MX)")],
        names={"there.example": {"mx": "0 .", "a": "127.0.0.1"}},
    ),
    Row(
        "no MX, no address",
        [("failed", "the domain there.example has no mail server: neither an MX record nor an…")],
        names={"there.example": {"txt": "nothing"}},
    ),
    Row("no such domain", [("failed", "there is no domain there.example")], names={}),
    Row(
        "SERVFAIL",
        broken={"there.example": SERVFAIL},
        **way(
            "the MX record of there.example was not found: the resolver at 127.0.0.1 answered"
            " SERVFAIL"
        ),
    ),
    Row(
        "the resolver refuses",
        broken={"there.example": REFUSED},
        **way("the MX record of there.example…answered REFUSED"),
    ),
    Row(
        "the resolver is silent",
        broken={"there.example": NO_ANSWER},
        **way(
            "the MX record of there.example was not found: the resolver did not answer within 0.6"
            " seconds"
        ),
    ),
    Row(
        "SERVFAIL for the server's address",
        broken={"mx.there.example": SERVFAIL},
        **way("the A record of mx.there.example was not found: the resolver…SERVFAIL"),
    ),
    Row(
        "a server without an address",
        names={"there.example": {"mx": "10 mx.there.example."}, "mx.there.example": {"txt": "x"}},
        **way("the mail server mx.there.example has no address"),
    ),
    Row(
        "a server that does not exist",
        names={"there.example": {"mx": "10 mx.there.example."}},
        **way("the mail server mx.there.example does not exist (no such name)"),
    ),
    Row(
        "CNAME in a circle",
        names={"there.example": {"cname": "b.example."}, "b.example": {"cname": "there.example."}},
        **way("the MX record of there.example was not found: …"),
    ),
    Row(
        "a domain by CNAME",
        [("delivered", "mx.there.example took it…")],
        names={**MX, "alias.example": {"cname": "there.example."}},
        to=("a@alias.example",),
        taken=1,
    ),
    Row(
        "we are its server",
        [("failed", "the mail of there.example leads back to this server, which does not know…")],
        names={"there.example": {"mx": "10 here.example."}, "here.example": {"a": "127.0.0.1"}},
    ),
    Row(
        "we are second in its list",
        [("delivered", "mx.there.example took it…")],
        names={
            **MX,
            "there.example": {
                "mx": ["30 other.example.", "20 here.example.", "10 mx.there.example."]
            },
        },
        taken=1,
    ),
    Row(
        "its servers lead to this machine",
        settings={"allowed": ()},
        **way(f"{HOST} is this machine: nothing is sent there"),
    ),
    Row(
        "an address literal",
        [("delivered", "[127.0.0.1] took it…")],
        to=("a@[127.0.0.1]",),
        taken=1,
    ),
    Row(
        "no address literal at all",
        [("failed", "[127.0.0.300] is no address of a server")],
        to=("a@[127.0.0.300]",),
    ),
    # What a message needs -------------------------------------------------------------------------
    Row(
        "8-bit refused",
        [("failed", f"{HOST} cannot take 8-bit content (8BITMIME), and this message has some")],
        [Manner(can=("PIPELINING",))],
        message={"needs": EIGHTBIT},
    ),
    Row(
        "no SMTPUTF8",
        [("failed", f"{HOST} cannot take addresses or headers beyond ASCII (SMTPUTF8)…")],
        [Manner(can=("PIPELINING", "8BITMIME"))],
        to=("zoé@there.example",),
        message={"needs": EIGHTBIT | SMTPUTF8},
    ),
    Row(
        "SMTPUTF8",
        [("delivered", "…took it…")],
        to=("zoé@there.example",),
        message={"needs": EIGHTBIT | SMTPUTF8},
        taken=1,
    ),
    Row(
        "an address that cannot be said",
        [("failed", "not sent: 'a>b@there.example' cannot stand in a command")],
        to=("a>b@there.example",),
    ),
    Row(
        "one of two cannot be said",
        [("delivered", "…took it…"), ("failed", "not sent: 'zoé@there.example'…")],
        to=("a@there.example", "zoé@there.example"),
        taken=1,
    ),
    Row(
        "too large",
        [("failed", f"{HOST} takes messages of 10 octets at most, and this one has…")],
        [Manner(can=("SIZE 10",))],
    ),
    Row(
        "a large message in pieces",
        [("delivered", "…took it…")],
        message={"data": b"line\r\n.dot\r\n" * 50_000},
        taken=1,
    ),
    Row(
        "a slow server",
        [("delivered", "…took it…")],
        [Manner(slow=0.05)],
        taken=1,
    ),
    # Age -----------------------------------------------------------------------------------------
    Row(
        "expired",
        [
            (
                "failed",
                "given up after 5 days; at last: mx.there.example said to RCPT TO: «450 4.2.0…",
            )
        ],
        [steps(RCPT="450 4.2.0 later")],
        message={"expires_at": 1_000},
    ),
    Row(
        "expired, but it works now",
        [("delivered", "…took it…")],
        message={"expires_at": 1_000},
        taken=1,
    ),
    Row(
        "expired, and the way has failed",
        [("failed", f"given up after 5 days; at last: {HOST}: connection refused")],
        manners=[],
        message={"expires_at": 1_000},
        closed={"there.example": f"{HOST}: connection refused"},
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_what_becomes_of_it(outside: Outside, row: Row) -> None:
    for number, manner in enumerate(row.manners, start=1):
        await outside.server(number, manner)
    for name, records in row.names.items():
        outside.zone.add(name, **records)
    outside.zone.broken = row.broken
    if NO_ANSWER in row.broken.values():
        outside.dns = 0.6
    timeouts = dataclasses.replace(PATIENT, **({row.quick: QUICK} if row.quick else {}))
    message = dict(row.message)
    if "expires_at" in message:
        # Queued five days ago.
        outside.house.clock.stop()
        message["expires_at"] = int(outside.house.clock.time()) + 432_000
    await outside.queue(*row.to, **message)
    if "expires_at" in message:
        outside.house.clock.turn(432_000)
    attempts = await outside.go(timeouts=timeouts, **row.settings)
    found = {attempt.address: attempt for attempt in attempts}
    port = str(outside.port or 9)
    for address, (outcome, words) in zip(row.to, row.ends, strict=True):
        attempt = found[address]
        assert (attempt.outcome, attempt.said) == (outcome, attempt.said), attempt
        assert says(words.replace("]:N", f"]:{port}"), attempt.said), attempt.said
    assert len(attempts) == len(row.to)
    routes = await outside.routes()
    assert routes.keys() == row.closed.keys()
    for route, words in row.closed.items():
        assert says(words.replace("]:N", f"]:{port}"), routes[route][2])
    assert sum(len(server.accepted) for server in outside.servers.values()) == row.taken
    states = {state for (state,) in await outside.house.rows("SELECT state FROM queue_recipient")}
    waits = any(outcome == "deferred" for outcome, _ in row.ends)
    assert (0 in states) is waits, "it waits exactly if it was deferred"

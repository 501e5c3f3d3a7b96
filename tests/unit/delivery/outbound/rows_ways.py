"""Names, addresses and greetings: ways that work, and ways that do not."""

from support.scripted_smtp import BINARY, DROP, ENDLESS, GARBAGE, HUGE, RESET, SILENCE, Manner
from support.zone import REFUSED, SERVFAIL
from support.zone import SILENCE as NO_ANSWER
from unit.delivery.outbound.behaviours import HOST, MX, MX_TWO, TAKEN, TWO, Row, steps, way

WAYS = [
    # The way fails -------------------------------------------------------------------------------
    Row(
        "421 greeting",
        manners=[steps(GREETING="421 4.3.2 busy")],
        **way("4.3.2", f"{HOST} does not take us: «421 4.3.2 busy»"),
    ),
    Row(
        "554 greeting",
        manners=[steps(GREETING="554 5.7.1 blocked")],
        **way("4.3.2", f"{HOST} does not take us: «554 5.7.1 blocked»"),
    ),
    Row(
        "521 greeting",
        [("failed", "5.3.2", f"{HOST} does not take us: «521 5.3.2 this host takes no mail»")],
        [steps(GREETING="521 5.3.2 this host takes no mail")],
    ),
    Row(
        "silent greeting",
        manners=[steps(GREETING=SILENCE)],
        quick="greeting",
        **way("4.4.2", f"{HOST}: no answer to greeting in time (at the greeting)"),
    ),
    Row(
        "garbage for a greeting",
        manners=[steps(GREETING=GARBAGE)],
        **way(
            "4.4.2",
            f"{HOST}: the server broke the protocol: «%%% what? %%%» is no SMTP reply (at the…",
        ),
    ),
    Row(
        "drop at the greeting",
        manners=[steps(GREETING=DROP)],
        **way("4.4.2", f"{HOST}: the server closed the connection (at the greeting)"),
    ),
    Row(
        "EHLO refused",
        manners=[steps(EHLO="550 5.7.1 who?", HELO="550 5.7.1 who?")],
        **way("4.3.2", f"{HOST} refused EHLO: «550 5.7.1 who?»"),
    ),
    Row("connection refused", manners=[], **way("4.4.1", f"{HOST}: connection refused")),
    Row(
        "the first server is away",
        [("delivered", "2.0.0", "mx2.there.example took it…")],
        [steps(GREETING="421 4.3.2 busy"), Manner()],
        MX_TWO,
        taken=1,
    ),
    Row(
        "both servers are away",
        manners=[steps(GREETING="421 busy"), steps(GREETING=DROP)],
        names=MX_TWO,
        **way(
            "4.4.2",
            f"{HOST} does not take us: «421 busy»; mx2.there.example [127.0.0.2]:N: the server…",
        ),
    ),
    # Names ---------------------------------------------------------------------------------------
    Row(
        "no MX, an address",
        [("delivered", "2.0.0", "there.example took it…")],
        names={"there.example": {"a": "127.0.0.1"}},
        taken=1,
    ),
    Row(
        "null MX",
        [("failed", "5.1.10", "the domain there.example says that it takes no mail (null MX)")],
        names={"there.example": {"mx": "0 .", "a": "127.0.0.1"}},
    ),
    Row(
        "no MX, no address",
        [
            (
                "failed",
                "5.1.2",
                "the domain there.example has no mail server: neither an MX record nor an…",
            )
        ],
        names={"there.example": {"txt": "nothing"}},
    ),
    Row("no such domain", [("failed", "5.1.2", "there is no domain there.example")], names={}),
    Row(
        "SERVFAIL",
        broken={"there.example": SERVFAIL},
        **way(
            "4.4.3",
            "the MX record of there.example was not found: the resolver at 127.0.0.1 answered"
            " SERVFAIL",
        ),
    ),
    Row(
        "the resolver refuses",
        broken={"there.example": REFUSED},
        **way("4.4.3", "the MX record of there.example…answered REFUSED"),
    ),
    Row(
        "the resolver is silent",
        broken={"there.example": NO_ANSWER},
        **way(
            "4.4.3",
            "the MX record of there.example was not found: the resolver did not answer within 0.6"
            " seconds",
        ),
    ),
    Row(
        "SERVFAIL for the server's address",
        broken={"mx.there.example": SERVFAIL},
        **way("4.4.3", "the A record of mx.there.example was not found: the resolver…SERVFAIL"),
    ),
    Row(
        "a server without an address",
        names={"there.example": {"mx": "10 mx.there.example."}, "mx.there.example": {"txt": "x"}},
        **way("4.4.4", "the mail server mx.there.example has no address"),
    ),
    Row(
        "a server that does not exist",
        names={"there.example": {"mx": "10 mx.there.example."}},
        **way("4.4.4", "the mail server mx.there.example does not exist (no such name)"),
    ),
    Row(
        "CNAME in a circle",
        names={"there.example": {"cname": "b.example."}, "b.example": {"cname": "there.example."}},
        **way("4.4.3", "the MX record of there.example was not found: …"),
    ),
    Row(
        "a domain by CNAME",
        [("delivered", "2.0.0", "mx.there.example took it…")],
        names={**MX, "alias.example": {"cname": "there.example."}},
        to=("a@alias.example",),
        taken=1,
    ),
    Row(
        "we are its server",
        [
            (
                "failed",
                "5.4.6",
                "the mail of there.example leads back to this server, which does not know…",
            )
        ],
        names={"there.example": {"mx": "10 here.example."}, "here.example": {"a": "127.0.0.1"}},
    ),
    Row(
        "we are second in its list",
        [("delivered", "2.0.0", "mx.there.example took it…")],
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
        **way("4.4.4", f"{HOST} is this machine: nothing is sent there"),
    ),
    Row(
        "an address literal",
        [("delivered", "2.0.0", "[127.0.0.1] took it…")],
        to=("a@[127.0.0.1]",),
        taken=1,
    ),
    Row(
        "no address literal at all",
        [("failed", "5.1.2", "[127.0.0.300] is no address of a server")],
        to=("a@[127.0.0.300]",),
    ),
    # Greetings and EHLO that are odd -----------------------------------------------------------------
    Row(
        "a greeting of several lines, with another code than 220",
        [TAKEN],
        [steps(GREETING="250-welcome\r\n250-to\r\n250 there.example")],
        taken=1,
    ),
    Row(
        "reset at the greeting",
        manners=[steps(GREETING=RESET)],
        **way("4.4.2", f"{HOST}: the …connection… (at the greeting)"),
    ),
    Row(
        "a greeting that drips and has no end",
        manners=[Manner(drip=0.05, steps={"GREETING": "220 " + "x" * 400})],
        quick="opening",
        **way("4.4.2", f"{HOST}: no answer to greeting in time (at the greeting)"),
    ),
    Row("replies that drip", [TAKEN], [Manner(can=(), drip=0.002)], taken=1),
    Row(
        "EHLO deferred",
        manners=[steps(EHLO="451 4.3.0 not now")],
        **way("4.3.2", f"{HOST} refused EHLO: «451 4.3.0 not now»"),
    ),
    Row(
        "drop at EHLO",
        manners=[steps(EHLO=DROP)],
        **way("4.4.2", f"{HOST}: the server closed the connection (at the EHLO)"),
    ),
    Row(
        "silence at EHLO",
        manners=[steps(EHLO=SILENCE)],
        quick="hello",
        **way("4.4.2", f"{HOST}: no answer to EHLO in time (at the EHLO)"),
    ),
    Row(
        "extensions without end",
        manners=[steps(EHLO=ENDLESS)],
        **way("4.4.2", f"{HOST}: the server broke the protocol: its reply is too long (at the…"),
    ),
    Row(
        "a greeting of a megabyte",
        manners=[steps(GREETING=HUGE)],
        **way("4.4.2", f"{HOST}: the server broke the protocol: its reply has no end (at the…"),
    ),
    Row(
        "a greeting of binary rubbish",
        manners=[steps(GREETING=BINARY)],
        **way("4.4.2", f"{HOST}: the server broke the protocol: «…» is no SMTP reply (at the…"),
    ),
    Row(
        "extensions in lower case, and a SIZE that is none",
        [TAKEN],
        [Manner(can=("pipelining", "SIZE many", "8bitmime", "X-ODD =", ""))],
        taken=1,
    ),
    # Addresses -----------------------------------------------------------------------------------------
    Row(
        "nobody answers at its address",
        manners=[],
        deaf=True,
        quick="connect",
        **way("4.4.1", f"{HOST}: no answer in time"),
    ),
    Row(
        "IPv6 does not work, IPv4 does",
        [("delivered", "2.0.0", "mx.there.example took it…")],
        names={**MX, "mx.there.example": {"aaaa": "::1", "a": "127.0.0.1"}},
        settings={"ipv6": True},
        taken=1,
    ),
    Row(
        "the first of two addresses is refused",
        [("delivered", "2.0.0", "mx.there.example took it…")],
        names={**MX, "mx.there.example": {"a": ["127.0.0.1", "127.0.0.9"]}},
        taken=1,
    ),
    Row(
        "its server is an alias",
        [("delivered", "2.0.0", "mx.there.example took it…")],
        names={
            **MX,
            "mx.there.example": {"cname": "real.example."},
            "real.example": {"a": "127.0.0.1"},
        },
        taken=1,
    ),
    Row(
        "its server is written as an address",
        [("delivered", "2.0.0", "127.0.0.1 took it…")],
        names={"there.example": {"mx": "10 127.0.0.1."}},
        taken=1,
    ),
    Row(
        "its server has an address of nobody",
        names={**MX, "mx.there.example": {"a": "224.0.0.1"}},
        **way(
            "4.4.4",
            "mx.there.example [224.0.0.1]:N is no address of a server: nothing is sent there",
        ),
    ),
    Row(
        "its first server has no address, the second has",
        [("delivered", "2.0.0", "mx2.there.example took it…")],
        [Manner(), Manner()],
        {**MX_TWO, "mx.there.example": {"txt": "x"}},
        taken=1,
    ),
    Row(
        "SERVFAIL for the first server, the second is found",
        [("delivered", "2.0.0", "mx2.there.example took it…")],
        [Manner(), Manner()],
        MX_TWO,
        broken={"mx.there.example": SERVFAIL},
        taken=1,
    ),
    # A relay -------------------------------------------------------------------------------------------
    Row(
        "a relay refuses one of two recipients",
        [
            ("delivered", "2.0.0", "localhost took it…"),
            ("failed", "5.7.1", "localhost said to RCPT TO: «550 5.7.1 not him»"),
        ],
        [steps(RCPT=["250 ok", "550 5.7.1 not him"])],
        names={},
        to=TWO,
        relay=True,
        taken=1,
    ),
    Row(
        "a relay refuses all",
        [("failed", "5.7.1", "localhost said to MAIL FROM: «550 5.7.1 not you»")],
        [steps(MAIL="550 5.7.1 not you")],
        names={},
        relay=True,
    ),
]

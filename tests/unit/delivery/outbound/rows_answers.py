"""What servers say to a message, or do instead: to the sender, each recipient, the content."""

from support.scripted_smtp import BINARY, ENDLESS, HUGE, Manner
from unit.delivery.outbound.behaviours import (
    LATER,
    NO_PIPELINING,
    TAKEN,
    THREE,
    TWO,
    Row,
    steps,
)

ANSWERS = [
    Row(
        "taken",
        [("delivered", "2.0.0", "mx.there.example took it: «250 2.0.0 queued as 1»")],
        taken=1,
    ),
    Row("without extensions", [TAKEN], [Manner(can=())], taken=1),
    Row(
        "only HELO",
        [TAKEN],
        [steps(EHLO="502 5.5.1 what?")],
        taken=1,
    ),
    # Answers about a recipient ------------------------------------------------------------------
    Row(
        "greylist",
        [
            (
                "deferred",
                "4.7.1",
                "mx.there.example said to RCPT TO: «450 4.7.1 greylisted, come again»",
            )
        ],
        [steps(RCPT="450 4.7.1 greylisted, come again")],
    ),
    Row(
        "no such user",
        [("failed", "5.1.1", "mx.there.example said to RCPT TO: «550 5.1.1 no such user»")],
        [steps(RCPT="550 5.1.1 no such user")],
    ),
    Row(
        "partial RCPT",
        [
            TAKEN,
            ("failed", "5.1.1", "…said to RCPT TO: «550 5.1.1 no»"),
            ("deferred", "4.2.2", "…said to RCPT TO: «452 4.2.2 full»"),
        ],
        [steps(RCPT=["250 ok", "550 5.1.1 no", "452 4.2.2 full"])],
        to=THREE,
        again=LATER,
        taken=1,
    ),
    Row(
        "partial RCPT without PIPELINING",
        [("failed", "5.1.1", "…«550 5.1.1 no»"), TAKEN],
        [Manner(can=NO_PIPELINING, steps={"RCPT": ["550 5.1.1 no", "250 ok"]})],
        to=TWO,
        taken=1,
    ),
    Row(
        "all RCPT refused",
        [("failed", "5.1.1", "…«550 5.1.1 a»"), ("failed", "5.1.1", "…«550 5.1.1 b»")],
        [steps(RCPT=["550 5.1.1 a", "550 5.1.1 b"])],
        to=TWO,
    ),
    Row(
        "too many recipients: the rest goes at once",
        [TAKEN] * 3,
        [steps(RCPT=["250 ok", "452 4.5.3 too many", "452 4.5.3 too many", "250 ok"])],
        to=THREE,
        taken=2,
    ),
    Row(
        "552 at RCPT is 452",
        [TAKEN] * 2,
        [steps(RCPT=["250 ok", "552 too many", "250 ok"])],
        to=TWO,
        taken=2,
    ),
    Row(
        "too many, though it is the first",
        [("deferred", "4.5.3", "…said to RCPT TO: «452 4.5.3 too many»")],
        [steps(RCPT="452 4.5.3 too many")],
    ),
    Row(
        "sender refused",
        [("failed", "5.1.8", "mx.there.example said to MAIL FROM: «553 5.1.8 bad sender»")],
        [steps(MAIL="553 5.1.8 bad sender")],
    ),
    Row(
        "it wants TLS, and there is none",
        [("deferred", "4.7.0", "mx.there.example said to MAIL FROM: «530 5.7.0 STARTTLS first»")],
        [steps(MAIL="530 5.7.0 STARTTLS first")],
    ),
    Row(
        "sender deferred",
        [("deferred", "4.3.2", "mx.there.example said to MAIL FROM: «451 4.3.2 slow down»")],
        [steps(MAIL="451 4.3.2 slow down")],
    ),
    Row(
        "no enhanced code",
        [("failed", "5.0.0", "mx.there.example said to RCPT TO: «550 go away»")],
        [steps(RCPT="550 go away")],
    ),
    Row(
        "DATA refused",
        [("failed", "5.7.1", "mx.there.example said to DATA: «554 5.7.1 no»")],
        [steps(DATA="554 5.7.1 no")],
    ),
    Row(
        "DATA deferred",
        [("deferred", "4.3.0", "mx.there.example said to DATA: «451 4.3.0 later»")],
        [steps(DATA="451 4.3.0 later")],
    ),
    Row(
        "4xx after the content",
        [("deferred", "4.3.1", "mx.there.example said to the content: «452 4.3.1 disk full»")],
        [steps(CONTENT="452 4.3.1 disk full")],
    ),
    Row(
        "5xx after the content",
        [("failed", "5.7.1", "mx.there.example said to the content: «554 5.7.1 spam»")],
        [steps(CONTENT="554 5.7.1 spam")],
    ),
    Row(
        "a full mailbox is left alone longer",
        [("deferred", "4.2.2", "…said to RCPT TO: «452 4.2.2 mailbox full»")],
        [steps(RCPT="452 4.2.2 mailbox full")],
        again=LATER,
    ),
    Row(
        "552 at MAIL: too large",
        [("failed", "5.3.4", "…said to MAIL FROM: «552 5.3.4 too big»")],
        [steps(MAIL="552 5.3.4 too big")],
    ),
    Row(
        "452 at MAIL: no room",
        [("deferred", "4.3.1", "…said to MAIL FROM: «452 4.3.1 no room»")],
        [steps(MAIL="452 4.3.1 no room")],
    ),
    # Replies that are odd --------------------------------------------------------------------------
    Row(
        "an enhanced code of another class: the reply's own class counts",
        [("failed", "5.0.0", "…said to RCPT TO: «550 2.1.5 no»")],
        [steps(RCPT="550 2.1.5 no")],
    ),
    Row(
        "taken with an enhanced code of a failure",
        [TAKEN],
        [steps(CONTENT="250 5.7.1 queued")],
        taken=1,
    ),
    Row(
        "deferred with an enhanced code of a failure",
        [("deferred", "4.0.0", "…said to RCPT TO: «451 5.7.1 wait»")],
        [steps(RCPT="451 5.7.1 wait")],
    ),
    Row("251 is as good as 250", [TAKEN], [steps(RCPT="251 2.1.5 will forward")], taken=1),
    Row("replies without words", [TAKEN], [steps(RCPT="250", CONTENT="250")], taken=1),
    Row(
        "a reply of several lines: the last one's code counts",
        [("failed", "5.1.1", "…said to RCPT TO: «550 5.1.1 there is no such user»")],
        [steps(RCPT="450-5.1.1 there is\r\n550 5.1.1 no such user")],
    ),
    Row(
        "a queue id in several lines",
        [
            (
                "delivered",
                "2.6.0",
                "mx.there.example took it: «250 2.6.0 thank you <1@x> queued as 77»",
            )
        ],
        [steps(CONTENT="250-2.6.0 thank you\r\n250 2.6.0 <1@x> queued as 77")],
        taken=1,
    ),
    Row(
        "354 at RCPT",
        [("deferred", "4.0.0", "…said to RCPT TO: «354 go on»")],
        [Manner(can=NO_PIPELINING, steps={"RCPT": "354 go on"})],
    ),
    Row(
        "250 at DATA",
        [
            (
                "deferred",
                "4.4.2",
                "…the server broke the protocol: «250 2.0.0 ok» after DATA (at DATA)",
            )
        ],
        [steps(DATA="250 2.0.0 ok")],
    ),
    Row(
        "a code that does not exist",
        [
            (
                "deferred",
                "4.4.2",
                "…the server broke the protocol: «650 what» is no SMTP reply (at RCPT TO)",
            )
        ],
        [steps(RCPT="650 what")],
    ),
    Row(
        "one reply too many",
        [("deferred", "4.4.2", "…the server broke the protocol: «250 ok» after DATA (at DATA)")],
        [steps(RCPT="250 ok\r\n250 ok")],
    ),
    Row(
        "a reply for each recipient after the content, as LMTP has it",
        [TAKEN, TAKEN],
        [steps(CONTENT="250 2.0.0 a\r\n250 2.0.0 b")],
        to=TWO,
        taken=1,
    ),
    Row(
        "a reply that never ends",
        [
            (
                "deferred",
                "4.4.2",
                "…the server broke the protocol: its reply is too long (at RCPT TO)",
            )
        ],
        [steps(RCPT=ENDLESS)],
    ),
    Row(
        "a reply of a megabyte",
        [
            (
                "deferred",
                "4.4.2",
                "…the server broke the protocol: its reply has no end (at RCPT TO)",
            )
        ],
        [steps(RCPT=HUGE)],
    ),
    Row(
        "binary rubbish",
        [
            (
                "deferred",
                "4.4.2",
                "…the server broke the protocol: «…» is no SMTP reply (at MAIL FROM)",
            )
        ],
        [steps(MAIL=BINARY)],
    ),
]

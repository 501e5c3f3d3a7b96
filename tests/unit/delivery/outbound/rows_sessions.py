"""Sessions that end early, or go on in an odd way, and content that is not taken as a whole."""

from support.scripted_smtp import DROP, GARBAGE, RESET, SILENCE, Manner
from unit.delivery.outbound.behaviours import (
    MX_TWO,
    NO_PIPELINING,
    TAKEN,
    TWO,
    Row,
    steps,
)

SESSIONS = [
    # Sessions that end early ---------------------------------------------------------------------
    Row(
        "421 at MAIL",
        [("deferred", "4.3.2", "mx.there.example said to MAIL FROM: «421 4.3.2 closing»")],
        [steps(MAIL="421 4.3.2 closing")],
    ),
    Row(
        "421 at RCPT",
        [("deferred", "4.3.2", "…said to RCPT TO: «421 4.3.2 closing»")] * 2,
        [steps(RCPT=["250 ok", "421 4.3.2 closing"])],
        to=TWO,
    ),
    Row(
        "421 at DATA",
        [("deferred", "4.3.2", "mx.there.example said to DATA: «421 4.3.2 closing»")],
        [steps(DATA="421 4.3.2 closing")],
    ),
    Row(
        "421 after the content",
        [("deferred", "4.3.2", "mx.there.example said to the content: «421 4.3.2 closing»")],
        [steps(CONTENT="421 4.3.2 closing")],
    ),
    Row(
        "drop at MAIL",
        [
            (
                "deferred",
                "4.4.2",
                "mx.there.example: the server closed the connection (at MAIL FROM)",
            )
        ],
        [steps(MAIL=DROP)],
    ),
    Row(
        "drop at RCPT",
        [("deferred", "4.4.2", "mx.there.example: the server closed the connection (at RCPT TO)")],
        [Manner(can=NO_PIPELINING, steps={"RCPT": DROP})],
    ),
    Row(
        "drop at DATA",
        [("deferred", "4.4.2", "mx.there.example: the server closed the connection (at DATA)")],
        [Manner(can=NO_PIPELINING, steps={"DATA": DROP})],
    ),
    Row(
        "drop after the dot",
        [
            (
                "deferred",
                "4.4.2",
                "mx.there.example: the server closed the connection after all of the content was"
                " sent; nobody knows whether it was taken, so it is sent again and may arrive twice",
            )
        ],
        [steps(CONTENT=DROP)],
    ),
    Row(
        "silence at MAIL",
        [("deferred", "4.4.2", "mx.there.example: no answer to MAIL FROM in time (at MAIL FROM)")],
        [steps(MAIL=SILENCE)],
        quick="mail",
    ),
    Row(
        "silence after the dot",
        [
            (
                "deferred",
                "4.4.2",
                "mx.there.example: no answer to end of content in time after all of…twice",
            )
        ],
        [steps(CONTENT=SILENCE)],
        quick="content",
    ),
    Row(
        "garbage at RCPT",
        [
            (
                "deferred",
                "4.4.2",
                "…the server broke the protocol: «%%% what? %%%»…RCPT TO)",
            )
        ],
        [steps(RCPT=GARBAGE)],
    ),
    Row(
        "the content is read by nobody",
        [("deferred", "4.4.2", "mx.there.example: the server took no more of the content while…")],
        [Manner(can=(), silent_reader=True)],
        quick="block",
        message={"data": b"x" * 16_000_000},
    ),
    Row(
        "drop at MAIL, the other server takes it at once",
        [("delivered", "2.0.0", "mx2.there.example took it…")],
        [steps(MAIL=DROP), Manner()],
        MX_TWO,
        taken=1,
    ),
    # More of what breaks -----------------------------------------------------------------------------
    Row(
        "reset at RCPT",
        [("deferred", "4.4.2", "mx.there.example: the …connection… (at RCPT TO)")],
        [Manner(can=NO_PIPELINING, steps={"RCPT": RESET})],
    ),
    Row(
        "silence at RCPT",
        [("deferred", "4.4.2", "mx.there.example: no answer to RCPT TO in time (at RCPT TO)")],
        [steps(RCPT=SILENCE)],
        quick="rcpt",
    ),
    Row(
        "silence at DATA",
        [("deferred", "4.4.2", "mx.there.example: no answer to DATA in time (at DATA)")],
        [steps(DATA=SILENCE)],
        quick="data",
    ),
    Row(
        "drop in the middle of the content",
        [("deferred", "4.4.2", "mx.there.example: the …connection… while the content was sent")],
        [Manner(can=("PIPELINING",), breaks=1_000)],
        message={"data": b"x" * 16_000_000},
    ),
    Row(
        "refused in the middle of the content",
        [("failed", "5.3.4", "mx.there.example said to the content: «552 5.3.4 too big»")],
        [Manner(can=("PIPELINING",), breaks=1_000, steps={"CONTENT": "552 5.3.4 too big"})],
        message={"data": b"x" * 16_000_000},
    ),
    Row(
        "deferred in the middle of the content",
        [("deferred", "4.3.1", "mx.there.example said to the content: «452 4.3.1 disk full»")],
        [Manner(can=("PIPELINING",), breaks=1_000, steps={"CONTENT": "452 4.3.1 disk full"})],
        message={"data": b"x" * 16_000_000},
    ),
    Row(
        "421 in the middle of the content",
        [("deferred", "4.3.2", "mx.there.example said to the content: «421 4.3.2 closing»")],
        [Manner(can=("PIPELINING",), breaks=1_000, steps={"CONTENT": "421 4.3.2 closing"})],
        message={"data": b"x" * 16_000_000},
    ),
    Row(
        "421 right after it took the message",
        [TAKEN],
        [steps(CONTENT="250 2.0.0 ok\r\n421 4.3.2 closing")],
        taken=1,
    ),
    Row("QUIT is not answered", [TAKEN], [steps(QUIT=SILENCE)], taken=1),
    Row(
        "RSET refused",
        [("failed", "5.1.1", "…said to RCPT TO: «550 5.1.1 no»")],
        [Manner(can=NO_PIPELINING, steps={"RCPT": "550 5.1.1 no", "RSET": "502 what?"})],
    ),
    Row(
        "dropped at RSET",
        [("failed", "5.1.1", "…said to RCPT TO: «550 5.1.1 no»")],
        [Manner(can=NO_PIPELINING, steps={"RCPT": "550 5.1.1 no", "RSET": DROP})],
    ),
]

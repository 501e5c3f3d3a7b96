"""What a message needs of a server, and how old it is."""

from malleposte.store.commands import EIGHTBIT, SMTPUTF8
from support.scripted_smtp import EVERYTHING, Manner
from unit.delivery.outbound.behaviours import HOST, TAKEN, TWO, Row, steps, way
from unit.delivery.outbound.outside import DAY

HOUR = 3_600

MESSAGES = [
    # What a message needs -------------------------------------------------------------------------
    Row(
        "8-bit refused",
        [
            (
                "failed",
                "5.6.3",
                f"{HOST} cannot take 8-bit content (8BITMIME), and this message has some",
            )
        ],
        [Manner(can=("PIPELINING",))],
        message={"needs": EIGHTBIT},
    ),
    Row(
        "no SMTPUTF8",
        [("failed", "5.6.7", f"{HOST} cannot take addresses or headers beyond ASCII (SMTPUTF8)…")],
        [Manner(can=("PIPELINING", "8BITMIME"))],
        to=("zoé@there.example",),
        message={"needs": EIGHTBIT | SMTPUTF8},
    ),
    Row(
        "SMTPUTF8",
        [TAKEN],
        to=("zoé@there.example",),
        message={"needs": EIGHTBIT | SMTPUTF8},
        taken=1,
    ),
    Row(
        "an address that cannot be said",
        [("failed", "5.1.3", "not sent: 'a>b@there.example' cannot stand in a command")],
        to=("a>b@there.example",),
    ),
    Row(
        "one of two cannot be said",
        [TAKEN, ("failed", "5.1.3", "not sent: 'zoé@there.example'…")],
        to=("a@there.example", "zoé@there.example"),
        taken=1,
    ),
    Row(
        "too large",
        [("failed", "5.3.4", f"{HOST} takes messages of 10 octets at most, and this one has…")],
        [Manner(can=("SIZE 10",))],
    ),
    Row(
        "a large message in pieces",
        [TAKEN],
        message={"data": b"line\r\n.dot\r\n" * 50_000},
        taken=1,
    ),
    Row(
        "a slow server",
        [TAKEN],
        [Manner(slow=0.05)],
        taken=1,
    ),
    Row(
        "no DSN: the sender who asked is told by us",
        [TAKEN],
        [Manner(can=("PIPELINING",))],
        message={"relay": {"notify": "SUCCESS,FAILURE"}},
        told=["relayed"],
        taken=1,
    ),
    Row(
        "DSN: the other server tells him",
        [TAKEN],
        message={"relay": {"notify": "SUCCESS,FAILURE"}},
        taken=1,
    ),
    Row(
        "no SIZE said, and too large at the content",
        [("failed", "5.3.4", "…said to the content: «552 5.3.4 too big»")],
        [Manner(can=("PIPELINING",), steps={"CONTENT": "552 5.3.4 too big"})],
    ),
    Row(
        "it takes one recipient at a time, and says so",
        [TAKEN, TAKEN],
        [Manner(can=(*EVERYTHING, "LIMITS RCPTMAX=1"))],
        to=TWO,
        taken=2,
    ),
    # Age -----------------------------------------------------------------------------------------
    Row(
        "expired",
        [
            (
                "failed",
                "5.4.7",
                "given up after 5 days; at last: mx.there.example said to RCPT TO: «450 4.2.0…",
            )
        ],
        [steps(RCPT="450 4.2.0 later")],
        age=5 * DAY,
    ),
    Row(
        "expired, but it works now",
        [TAKEN],
        age=5 * DAY,
        taken=1,
    ),
    Row(
        "expired, and the way has failed",
        [("failed", "5.4.7", f"given up after 5 days; at last: {HOST}: connection refused")],
        manners=[],
        age=5 * DAY,
        closed={"there.example": f"{HOST}: connection refused"},
    ),
    Row(
        "four hours old: its sender is told that it takes long",
        [("deferred", "4.2.0", "…said to RCPT TO: «450 4.2.0 later»")],
        [steps(RCPT="450 4.2.0 later")],
        age=4 * HOUR,
        again=10_080,
        told=["delayed"],
    ),
    Row(
        "four hours old, and the way has failed",
        manners=[],
        age=4 * HOUR,
        told=["delayed"],
        **way("4.4.1", f"{HOST}: connection refused"),
    ),
    # Who is told -------------------------------------------------------------------------------------
    Row(
        "refused mail of the null sender: nobody is told",
        [("failed", "5.1.1", "…«550 5.1.1 no»")],
        [steps(RCPT="550 5.1.1 no")],
        message={"sender": ""},
        told=[],
    ),
    Row(
        "refused, and its sender did not want to know",
        [("failed", "5.1.1", "…«550 5.1.1 no»")],
        [steps(RCPT="550 5.1.1 no")],
        message={"relay": {"notify": "NEVER"}},
        told=[],
    ),
]

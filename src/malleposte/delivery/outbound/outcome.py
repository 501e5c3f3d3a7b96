"""From answers to outcomes: delivered, to be tried again and when, or failed; in words that say with whom.

An answer about a recipient is that recipient's alone. A way that failed costs the recipients nothing but
time: they wait for their route, and are told apart only by their age, when it is time to warn a sender
or to give up.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from malleposte.store.commands import DELIVERED, FAILED, WAITS, Outcome
from malleposte.store.results import TakenMessage, TakenRecipient
from malleposte.wire.smtp.progress import Answer, Step

from .settings import Schedule
from .words import Trouble

_STEPS = {
    Step.MAIL: "MAIL FROM",
    Step.RCPT: "RCPT TO",
    Step.DATA: "DATA",
    Step.CONTENT: "the content",
}
WANTS_TLS = 530
TOO_MANY = frozenset({"4.5.3", "5.5.3"})
"""More recipients than it takes at a time (RFC 3463 §3.6)."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a try, with what a report about it needs (RFC 3464 §2.3). ``status``: the enhanced
    code; ``reply``: the other server's words; ``remote``: its name; both '' where there was none.
    ``reports``: it took it and makes reports of its own (DSN)."""

    message: TakenMessage
    recipient: TakenRecipient
    outcome: Outcome
    status: str = ""
    reply: str = ""
    remote: str = ""
    reports: bool = False


class Judge:
    """See the module. ``clock``: seconds of the Unix epoch; ``jitter``: from 0 to 1."""

    def __init__(
        self,
        schedule: Schedule,
        *,
        clock: Callable[[], float] = time.time,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._schedule = schedule
        self._clock = clock
        self._jitter = jitter

    def answered(
        self,
        message: TakenMessage,
        recipient: TakenRecipient,
        answer: Answer,
        *,
        remote: str,
        host: str,
        ended: bool,
        reports: bool,
        secured: bool = False,
    ) -> Settled:
        """What a server's answer comes to. ``host``: whom we spoke with and how; ``ended``: all of the
        content had been sent; ``secured``: by TLS."""
        reply = answer.reply
        if reply is None:
            return self.troubled(message, recipient, lost(answer, remote, ended=ended), host)
        if reply.positive:
            outcome = Outcome(
                message=message.id,
                n=recipient.n,
                attempt=recipient.attempt,
                state=DELIVERED,
                said=f"{remote} took it: «{reply}»",
                host=host,
            )
            status = reply.enhanced or "2.0.0"
            return Settled(message, recipient, outcome, status, str(reply), remote, reports)
        permanent = reply.permanent
        if reply.code == WANTS_TLS and not secured:
            # RFC 3207 §4: it takes mail by TLS alone, which was not to be had this time.
            permanent = False
        trouble = Trouble(
            _status(reply.enhanced, permanent),
            f"{remote} said to {_STEPS.get(answer.step, answer.step.value)}: «{reply}»",
            permanent=permanent,
            reply=str(reply),
            host=remote,
        )
        return self.troubled(message, recipient, trouble, host)

    def troubled(
        self,
        message: TakenMessage,
        recipient: TakenRecipient,
        trouble: Trouble,
        host: str = "",
        *,
        way: bool = False,
    ) -> Settled:
        """What a trouble comes to. ``way``: it is the way's, whose route says when to try again."""
        now = int(self._clock())
        state, due, words, status = WAITS, now, trouble.words, trouble.status
        warned = False
        if trouble.permanent:
            state = FAILED
        elif now >= message.expires_at:
            state = FAILED
            status = "5.4.7"  # RFC 3463 §3.5: delivery time expired
            words = f"given up after {self._shown(message, now)}; at last: {words}"
        else:
            if not way:
                due = min(now + self._pause(message, status, now), message.expires_at)
            warned = self._warns(message, recipient, now)
        outcome = Outcome(
            message=message.id,
            n=recipient.n,
            attempt=recipient.attempt,
            state=state,
            due_at=due if state == WAITS else 0,
            said=words,
            host=host or trouble.host,
            warned=warned,
        )
        return Settled(message, recipient, outcome, status, trouble.reply, trouble.host)

    def filed(
        self, message: TakenMessage, recipient: TakenRecipient, code: int, enhanced: str, words: str
    ) -> Settled:
        """What an answer of our own server comes to, for a recipient here. It tells his sender itself that
        it arrived, where he asked."""
        if code >= 300:
            trouble = Trouble(enhanced, words, permanent=code >= 500)
            return self.troubled(message, recipient, trouble)
        outcome = Outcome(
            message=message.id,
            n=recipient.n,
            attempt=recipient.attempt,
            state=DELIVERED,
            said=f"filed here: {words}",
        )
        return Settled(message, recipient, outcome, enhanced, reports=True)

    def given_back(
        self, message: TakenMessage, recipient: TakenRecipient, route: str = ""
    ) -> Settled:
        """Not tried: due again at once; by another ``route`` where one is given."""
        outcome = Outcome(
            message=message.id,
            n=recipient.n,
            attempt=recipient.attempt,
            state=WAITS,
            due_at=int(self._clock()),
            route=route,
        )
        return Settled(message, recipient, outcome)

    def aged(self, message: TakenMessage, recipient: TakenRecipient) -> bool:
        """Whether its sender is to be told something by now, that it takes long or that it is over."""
        now = int(self._clock())
        return now >= message.expires_at or self._warns(message, recipient, now)

    def closed_until(self, failures: int) -> int:
        """Until when a way is left alone that has failed so often in a row before this time."""
        schedule = self._schedule
        pause = min(schedule.way * 2 ** min(failures, 20), schedule.way_last)
        return int(self._clock() + _spread(pause, self._jitter()))

    def _pause(self, message: TakenMessage, status: str, now: int) -> int:
        """Seconds until the next try: about as long as it has waited already, more where it is full."""
        schedule = self._schedule
        first = schedule.full if status[1:] == ".2.2" else schedule.first
        pause = min(max(first, self._age(message, now) * 0.7), schedule.last)
        # Messages that came together do not come again together; the recipients of one do.
        return int(_spread(pause, message.id * 0x9E3779B1 % 0x100000000 / 0x100000000))

    def _age(self, message: TakenMessage, now: int) -> int:
        """Since it was due first: what is sent later expires later."""
        return max(0, now - max(message.created_at, message.expires_at - self._schedule.lifetime))

    def _warns(self, message: TakenMessage, recipient: TakenRecipient, now: int) -> bool:
        """RFC 3461 §4.1: a delay is told where NOTIFY has it, or is not given."""
        if recipient.warned or not message.sender:
            return False
        if recipient.notify and "DELAY" not in recipient.notify.upper().split(","):
            return False
        return self._age(message, now) >= self._schedule.warn

    def _shown(self, message: TakenMessage, now: int) -> str:
        hours = round(self._age(message, now) / 3_600)
        if hours >= 48:
            return f"{round(hours / 24)} days"
        return f"{hours} hours" if hours != 1 else "1 hour"


def _status(enhanced: str, permanent: bool) -> str:
    return ("5" if permanent else "4") + (enhanced[1:] or ".0.0")


def _spread(seconds: float, jitter: float) -> float:
    return seconds * (0.9 + 0.2 * jitter)


def lost(answer: Answer, remote: str, *, ended: bool) -> Trouble:
    """What a connection that was lost comes to (RFC 1047)."""
    if answer.step is Step.CONTENT and ended:
        words = (
            f"{remote}: {answer.lost} after all of the content was sent; nobody knows whether it was"
            " taken, so it is sent again and may arrive twice"
        )
    elif answer.step is Step.CONTENT:
        words = f"{remote}: {answer.lost} while the content was sent"
    else:
        words = f"{remote}: {answer.lost} (at {_STEPS.get(answer.step, answer.step.value)})"
    return Trouble("4.4.2", words, host=remote)


def is_too_many(answer: Answer) -> bool:
    """Whether this recipient was refused only because there were so many before it. RFC 5321
    §4.5.3.1.10 has 452 for it, and says that 552 is to be taken for the same."""
    reply = answer.reply
    if reply is None or answer.step is not Step.RCPT:
        return False
    return reply.enhanced in TOO_MANY or (reply.code in (452, 552) and not reply.enhanced)


def ends_session(answer: Answer) -> bool:
    """Whether it says something about the connection rather than the message: lost, or 421."""
    return answer.reply is None or answer.reply.code == 421

"""What is remembered of a run, and the work that follows from it: replies, and words about failures."""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from malleposte.directory.book import Account
from malleposte.mime import message_ids
from malleposte.sieve import Message, Seen, Vacation
from malleposte.store.commands import ANSWERED, DUPLICATE, TOLD, AddJob, Remember

from .chain import Failure
from .surroundings import digest_of
from .work import FAILURE_JOB, REPLY_JOB, Reply, ScriptFailed

TOLD_EVERY: Final = 86_400
"""Seconds between two mails about one script that fails."""
WORDS: Final = 500
"""Characters of what is said about a failure."""
MOST_REFERENCES: Final = 20
SITE: Final = ("organisation", "domain")
"""Places of scripts that are an administrator's."""


def duplicates(seen: Iterable[Seen], account: int) -> list[Remember]:
    """What the test ``duplicate`` looked at (RFC 7352)."""
    return [
        Remember(
            account=account,
            kind=DUPLICATE,
            digest=digest_of(one.handle, one.value),
            seconds=one.seconds,
            last=one.last,
        )
        for one in seen
    ]


def reply(vacation: Vacation, account: int, message: Message, trace: int, now: int) -> Remember:
    """A reply, unless that was sent within its time (RFC 5230 §4.2)."""
    values: dict[bytes, bytes] = {}
    for name, value in message.fields():
        values.setdefault(name.lower(), value)
    own = message_ids(values.get(b"message-id", b""))[:1]
    before = message_ids(values.get(b"references", b"")) or message_ids(
        values.get(b"in-reply-to", b"")
    )
    job = Reply(
        account=account,
        to=vacation.to,
        subject=vacation.subject,
        reason=vacation.reason,
        mime=vacation.mime,
        sender=vacation.sender,
        message_id=own[0] if own else "",
        references=tuple(before[-MOST_REFERENCES:]),
        trace=trace,
        at=now,
    )
    return Remember(
        account=account,
        kind=ANSWERED,
        digest=digest_of(vacation.handle, vacation.to.lower()),
        seconds=vacation.seconds,
        work=AddJob(
            kind=REPLY_JOB,
            key=f"{trace:x}.{account}",
            payload=msgspec.msgpack.encode(job),
            run_at=now,
        ),
    )


def failures(
    failed: Sequence[Failure], account: Account, domain: str, version: tuple[int, int], now: int
) -> list[Remember]:
    """Words to whose script failed, once a day about each version of it."""
    found = []
    for one in failed:
        site = one.place in SITE
        owner = -account.organisation if site else account.id
        job = ScriptFailed(
            account=0 if site else account.id,
            domain=domain,
            place=one.place,
            name=one.name,
            words=one.words[:WORDS],
            at=now,
        )
        key = f"{owner}.{one.place}.{one.name}"
        found.append(
            Remember(
                account=owner,
                kind=TOLD,
                digest=digest_of(one.place, one.name, str(version[1 if site else 0])),
                seconds=TOLD_EVERY,
                work=AddJob(
                    kind=FAILURE_JOB, key=key, payload=msgspec.msgpack.encode(job), run_at=now
                ),
            )
        )
    return found

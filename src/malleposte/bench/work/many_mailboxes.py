"""LS1000: what a client asks when it starts, in an account with many mailboxes.

`LIST … RETURN (STATUS …)` (RFC 5819) of mailboxes that nobody changes: the first time after a restart of
a server that remembers, and again in the same session. Each mailbox holds one message.
"""

import statistics

from malleposte.bench.imap_client import Answer, ImapClient
from malleposte.bench.measure import Bench, Cost
from malleposte.bench.trouble import BenchTrouble
from malleposte.bench.work.filling import append_command, need_literal_plus

WORK = "LS1000"
# Commands in one write while the mailboxes are made.
BATCH = 50
REPEATS = 5
_LIST = b'LIST "" "many*" RETURN (STATUS (MESSAGES UNSEEN UIDNEXT HIGHESTMODSEQ))'
_MESSAGE = b"From: a@example.org\r\nSubject: one of many\r\n\r\nHello\r\n"


def many_mailboxes(bench: Bench) -> None:
    """Do LS1000."""
    subject, count = bench.subject, bench.counts.mailboxes
    endpoint = subject.endpoint("imap")
    if endpoint is None:
        raise BenchTrouble(f"{subject.name} offers no IMAP here")
    account = subject.accounts.many
    with ImapClient(endpoint) as client:
        client.login(account)
        if b"LIST-STATUS" not in client.capabilities():
            raise BenchTrouble(f"{subject.name} does not offer LIST-STATUS")
        _make(bench, client, count)
    note = subject.forget_memory()
    endpoint = subject.endpoint("imap") or endpoint
    with ImapClient(endpoint) as client:
        client.login(account)
        what = f"LIST-STATUS of {count:,}"
        cost = bench.cost(lambda: _asked(client, count).took)
        bench.record_time(WORK, f"{what}, first", cost, note)
        costs = [bench.cost(lambda: _asked(client, count).took) for _ in range(REPEATS)]
    cpu = [cost.cpu for cost in costs if cost.cpu is not None]
    again = Cost(
        statistics.median(cost.seconds for cost in costs),
        statistics.fmean(cpu) if cpu else None,
        statistics.fmean(cost.client_cpu for cost in costs),
    )
    bench.record_time(WORK, f"{what}, again", again)


def _make(bench: Bench, client: ImapClient, count: int) -> None:
    """Make what is not there; the next repetition finds it."""
    need_literal_plus(client)
    there = client.command(b'LIST "" "many*"').data.count(b"* LIST ")
    if there < count:
        bench.say(f"{WORK}: making {count - there:,} mailboxes")
    for start in range(there, count, BATCH):
        names = [b"many%05d" % number for number in range(start, min(start + BATCH, count))]
        client.pipeline([b"CREATE " + name for name in names])
        client.pipeline([append_command(name, _MESSAGE) for name in names])


def _asked(client: ImapClient, count: int) -> Answer:
    answer = client.command(_LIST)
    found = answer.data.count(b"* STATUS ")
    if found < count:
        raise BenchTrouble(f"the status of {found:,} mailboxes instead of {count:,}")
    return answer

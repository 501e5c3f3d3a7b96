"""J1, J2: what a list on a screen costs by JMAP: Email/query and Email/get of 50 in one request.

J1 in the large mailbox of the work-list, the first time after a restart and again. J2 in an INBOX of 1,000
and one of 200,000, in turn, so that noise hits both alike: at the top, at an anchor in the middle and at
three quarters, message by message and with threads collapsed. A client keeps its connection, and so its
worker.
"""

import http.client
import json
import statistics
from base64 import b64encode
from collections.abc import Callable
from functools import partial
from typing import Any

from malleposte.bench.clock import Clock, Clocked
from malleposte.bench.imap_client import ImapClient
from malleposte.bench.measure import Bench, Cost
from malleposte.bench.subject import Account, Endpoint
from malleposte.bench.trouble import BenchTrouble
from malleposte.bench.work.filling import top_up

WINDOW = 50
REPEATS = 40
_TIMEOUT = 120.0
_CORE, _MAIL = "urn:ietf:params:jmap:core", "urn:ietf:params:jmap:mail"
_SHOWN = (
    *("id", "threadId", "mailboxIds", "keywords", "receivedAt", "size", "subject", "from", "to"),
    *("preview", "hasAttachment"),
)
"""What a row of a list shows."""


class JmapClient:
    """A connection of one who is signed in."""

    def __init__(self, endpoint: Endpoint, account: Account) -> None:
        self._connection = http.client.HTTPConnection(
            endpoint.host, endpoint.port, timeout=_TIMEOUT
        )
        secret = b64encode(f"{account.address}:{account.password}".encode()).decode()
        self._fields = {"Authorization": f"Basic {secret}", "Content-Type": "application/json"}
        session = self._asked("GET", "/jmap/session", None)
        self._account: str = session["primaryAccounts"][_MAIL]
        self.inbox = self._mailbox("inbox")

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def _asked(self, method: str, path: str, body: bytes | None) -> Any:
        try:
            self._connection.request(method, path, body, self._fields)
            answer = self._connection.getresponse()
            octets = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise BenchTrouble(f"JMAP: {error}") from error
        if answer.status != 200:
            raise BenchTrouble(f"{method} {path}: {answer.status} {octets[:200]!r}")
        return json.loads(octets)

    def _called(self, *calls: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
        written = [
            [name, {"accountId": self._account, **arguments}, str(n)]
            for n, (name, arguments) in enumerate(calls)
        ]
        body = json.dumps({"using": [_CORE, _MAIL], "methodCalls": written}).encode()
        found = self._asked("POST", "/jmap/api", body)["methodResponses"]
        for name, arguments, _ in found:
            if name == "error":
                raise BenchTrouble(f"JMAP: {arguments}")
        return [arguments for _, arguments, _ in found]

    def _mailbox(self, role: str) -> str:
        (answer,) = self._called(("Mailbox/get", {"ids": None, "properties": ["role"]}))
        return next(str(one["id"]) for one in answer["list"] if one["role"] == role)

    def named(self, name: str) -> str:
        """The id of a mailbox by its name."""
        (answer,) = self._called(("Mailbox/get", {"ids": None, "properties": ["name"]}))
        return next(str(one["id"]) for one in answer["list"] if one["name"] == name)

    def total(self, mailbox: str, *, collapsed: bool) -> int:
        """How many rows a list has."""
        wanted = {"filter": {"inMailbox": mailbox}, "collapseThreads": collapsed, "limit": 0}
        (answer,) = self._called(("Email/query", {**wanted, "calculateTotal": True}))
        return int(answer["total"])

    def window(self, mailbox: str, *, collapsed: bool, **place: Any) -> tuple[list[str], Clocked]:
        """The ids of a window, its rows read with them, and what that took."""
        query = {
            "filter": {"inMailbox": mailbox},
            "sort": [{"property": "receivedAt", "isAscending": False}],
            "collapseThreads": collapsed,
            "limit": WINDOW,
            **place,
        }
        ids = {"resultOf": "0", "name": "Email/query", "path": "/ids"}
        clock = Clock()
        found, rows = self._called(
            ("Email/query", query), ("Email/get", {"#ids": ids, "properties": _SHOWN})
        )
        took = clock.read()
        if len(rows["list"]) != len(found["ids"]) or not found["ids"]:
            raise BenchTrouble(f"{len(rows['list'])} rows of {len(found['ids'])} ids")
        return found["ids"], took


def _endpoint(bench: Bench) -> Endpoint:
    found = bench.subject.endpoint("http")
    if found is None:
        raise BenchTrouble(f"{bench.subject.name} offers no JMAP here")
    return found


def _filled(bench: Bench, account: Account, mailbox: bytes, size: int) -> None:
    imap = bench.subject.endpoint("imap")
    if imap is None:
        raise BenchTrouble(f"{bench.subject.name} offers no IMAP here")
    with ImapClient(imap) as client:
        client.login(account)
        top_up(bench, client, mailbox, size)


def window(bench: Bench) -> None:
    """Do J1."""
    account, size = bench.subject.accounts.reading, bench.counts.messages
    _filled(bench, account, b"windows", size)
    note = bench.subject.forget_memory()
    client = JmapClient(_endpoint(bench), account)
    try:
        mailbox = client.named("windows")
        what = f"Email/query + Email/get of {WINDOW} in {size:,}"
        first = bench.cost(partial(_took, client, mailbox, False))
        bench.record_time("J1", f"{what}, first", first, note)
        for collapsed in (False, True):
            client.window(mailbox, collapsed=collapsed)
            cost = _median(bench, partial(_took, client, mailbox, collapsed))
            bench.record_time("J1", f"{what}, {_kind(collapsed)}", cost)
    finally:
        client.close()


def _took(client: JmapClient, mailbox: str, collapsed: bool) -> Clocked:
    return client.window(mailbox, collapsed=collapsed)[1]


def _kind(collapsed: bool) -> str:
    return "threads" if collapsed else "messages"


def _median(bench: Bench, ask: Callable[[], Clocked]) -> Cost:
    costs = [bench.cost(ask) for _ in range(REPEATS)]
    cpu = [cost.cpu for cost in costs if cost.cpu is not None]
    return Cost(
        statistics.median(cost.seconds for cost in costs),
        statistics.fmean(cpu) if cpu else None,
        statistics.fmean(cost.client_cpu for cost in costs),
    )


def windows(bench: Bench) -> None:
    """Do J2."""
    accounts, counts = bench.subject.accounts, bench.counts
    sizes = {accounts.small: counts.small, accounts.huge: counts.huge}
    if len(sizes) < 2:
        raise BenchTrouble("J2 needs two accounts")
    clients: list[JmapClient] = []
    try:
        for account, size in sizes.items():
            bench.say(f"J2: an INBOX of {size:,}")
            _filled(bench, account, b"INBOX", size)
        # Not before: a connection that nobody uses is ended.
        clients += [JmapClient(_endpoint(bench), account) for account in sizes]
        for collapsed in (False, True):
            _compare(bench, clients, list(sizes.values()), collapsed=collapsed)
    finally:
        for client in clients:
            client.close()


def _compare(bench: Bench, clients: list[JmapClient], sizes: list[int], *, collapsed: bool) -> None:
    places: dict[str, list[dict[str, Any]]] = {"at the top": [{"position": 0}] * 2}
    for client in clients:
        # The list is built off the clock. With threads collapsed it has fewer rows than messages.
        total = client.total(client.inbox, collapsed=collapsed)
        if total < 4 * WINDOW:
            raise BenchTrouble(f"{total:,} rows are too few for windows of {WINDOW}")
        middle, _ = client.window(client.inbox, collapsed=collapsed, position=total // 2)
        places.setdefault("at an anchor", []).append({"anchor": middle[0]})
        places.setdefault("at three quarters", []).append({"position": total * 3 // 4})
    for what, wanted in places.items():
        times: list[list[float]] = [[], []]
        for _ in range(REPEATS):
            for n, client in enumerate(clients):
                _, took = client.window(client.inbox, collapsed=collapsed, **wanted[n])
                times[n].append(took.seconds)
        small, huge = map(statistics.median, times)
        kind = f"{_kind(collapsed)}, {what}"
        for size, seconds in zip(sizes, (small, huge), strict=True):
            bench.record("J2", f"{kind}, in {size:,}", "ms", "less", seconds * 1000)
        bench.record("J2", f"{kind}: large / small", "×", "less", huge / small)

r"""An owner and two readers of shared mailboxes, at random, beside a small model.

After each step everybody's view shows what the model says that person sees, a session that knows only
what it was told shows the same, the counts of unread mail agree, and who was not concerned saw nothing
change, not even a MODSEQ.
"""

import asyncio
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from malleposte.store import Store
from malleposte.store.commands import (
    AnyCommand,
    Append,
    ChangeEmails,
    Copy,
    CreateAccount,
    CreateDomain,
    CreateMailbox,
    EmailChange,
    Expunge,
    Ranges,
    SetRights,
    StoreFlags,
)
from malleposte.store.content import in_rows
from malleposte.store.flags import FLAGGED, SEEN
from malleposte.store.fsck import check
from malleposte.store.messages import Messages
from malleposte.store.read import mailboxes as read
from malleposte.store.read import rights as read_rights
from malleposte.store.read.rights import ALL, ordered
from malleposte.store.results import Created, EmailsChanged, Refused
from malleposte.store.view import View
from support.postgres import Server
from support.store import Place, rendered

OWNER = 0
PEOPLE = (OWNER, 1, 2)
"""The owner and the readers, as the model names them."""
BOXES = (0, 1)
"""A mailbox, and one below it."""

person = st.sampled_from(PEOPLE)
reader = st.sampled_from((1, 2))
box = st.sampled_from(BOXES)
uids = st.tuples(st.integers(1, 6), st.integers(0, 4)).map(lambda pair: (pair[0], sum(pair)))
flags = st.fixed_dictionaries(
    {"seen": st.booleans(), "flagged": st.booleans(), "deleted": st.booleans()}
)
mode = st.sampled_from("+-=")
letters = st.sampled_from(
    ["", "l", "lr", "rs", "lrs", "lrsw", "lri", "lrswite", "s", "e", "w", "lrie"]
)
way = st.sampled_from(["stay", "enter", "move", "move", "destroy"])
wanted = st.sampled_from([None, None, True, False])
step = st.one_of(
    st.tuples(st.just("append"), person, box, flags),
    st.tuples(st.just("store"), person, box, uids, mode, flags),
    st.tuples(st.just("store"), person, box, uids, mode, flags),
    st.tuples(st.just("copy"), person, box, box, uids),
    st.tuples(st.just("take"), reader, box, uids),
    st.tuples(st.just("expunge"), person, box, uids),
    st.tuples(st.just("change"), person, box, uids, way, box, wanted, wanted),
    st.tuples(st.just("change"), person, box, uids, way, box, wanted, wanted),
    st.tuples(st.just("grant"), reader, box, mode, letters),
)


@dataclass
class Mail:
    """An Email: what its owner sees, and what readers said of it."""

    seen: bool
    flagged: bool
    marks: dict[int, bool] = field(default_factory=dict)

    def seen_by(self, who: int) -> bool:
        return self.marks.get(who, self.seen)


@dataclass
class Held:
    """A message of a mailbox."""

    mail: Mail
    deleted: bool


@dataclass
class Model:
    """What there is, and what commands must answer: a reason, or ''."""

    boxes: list[dict[int, Held]] = field(default_factory=lambda: [{}, {}])
    uidnext: list[int] = field(default_factory=lambda: [1, 1])
    lists: list[dict[int, str] | None] = field(default_factory=lambda: [None, None])
    taken: dict[int, list[tuple[bool, bool]]] = field(default_factory=lambda: {1: [], 2: []})
    parted: bool = False
    """Whether the last step parted copies."""

    def list_of(self, box: int) -> dict[int, str]:
        own = self.lists[box]
        return own if own is not None else (self.lists[0] or {})

    def letters(self, who: int, box: int) -> str:
        return ALL if who == OWNER else self.list_of(box).get(who, "")

    def why_not(self, who: int, box: int, wanted: str) -> str:
        held = self.letters(who, box)
        if "l" not in held:
            return "no-such-mailbox"
        return "" if set(wanted) <= set(held) else "no-rights"

    def named(self, box: int, uids: tuple[int, int]) -> list[Held]:
        first, last = uids
        return [held for uid, held in sorted(self.boxes[box].items()) if first <= uid <= last]

    def put(self, box: int, mail: Mail, deleted: bool = False) -> None:
        self.boxes[box][self.uidnext[box]] = Held(mail, deleted)
        self.uidnext[box] += 1

    def mark(self, mail: Mail, who: int, seen: bool) -> None:
        if who == OWNER:
            mail.seen = seen
        elif mail.seen_by(who) != seen:
            mail.marks[who] = seen

    def append(self, who: int, box: int, flags: dict[str, bool]) -> str:
        refused = self.why_not(who, box, "i")
        if not refused:
            held = self.letters(who, box)
            mail = Mail(False, flags["flagged"] and "w" in held)
            if flags["seen"] and "s" in held:
                self.mark(mail, who, True)
            self.put(box, mail, flags["deleted"] and "t" in held)
        return refused

    def store(
        self, who: int, box: int, uids: tuple[int, int], mode: str, flags: dict[str, bool]
    ) -> str:
        refused = self.why_not(who, box, "")
        if refused:
            return refused
        held = self.letters(who, box)
        of = {"seen": "s", "flagged": "w", "deleted": "t"}
        named = [of[name] for name, chosen in flags.items() if chosen] or list(of.values())
        if not set(named) & set(held):
            return "no-rights"

        def after(name: str, before: bool) -> bool:
            if of[name] not in held or (mode != "=" and not flags[name]):
                return before
            return flags[name] if mode == "=" else mode == "+"

        for one in self.named(box, uids):
            self.mark(one.mail, who, after("seen", one.mail.seen_by(who)))
            one.mail.flagged = after("flagged", one.mail.flagged)
            one.deleted = after("deleted", one.deleted)
        return ""

    def copy(self, who: int, source: int, target: int, uids: tuple[int, int]) -> str:
        refused = self.why_not(who, source, "r") or self.why_not(who, target, "i")
        if refused:
            return refused
        held = self.letters(who, target)
        there = [id(one.mail) for one in self.boxes[target].values()]
        in_both = who == OWNER or ("w" in held and "w" in self.letters(who, source))
        apart = not in_both or self.list_of(source) != self.list_of(target)
        for one in self.named(source, uids):
            mail = one.mail
            if apart or id(mail) in there:
                mail = Mail(mail.seen, mail.flagged and "w" in held)
                if "s" in held and who != OWNER:
                    self.mark(mail, who, one.mail.seen_by(who))
            self.put(target, mail)
        return ""

    def take(self, who: int, box: int, uids: tuple[int, int]) -> str:
        refused = self.why_not(who, box, "r")
        if not refused:
            self.taken[who] += [
                (one.mail.seen_by(who), one.mail.flagged) for one in self.named(box, uids)
            ]
        return refused

    def expunge(self, who: int, box: int, uids: tuple[int, int]) -> str:
        refused = self.why_not(who, box, "e")
        if not refused:
            first, last = uids
            for uid in [uid for uid in self.boxes[box] if first <= uid <= last]:
                del self.boxes[box][uid]
        return refused

    def change(
        self,
        who: int,
        box: int,
        uids: tuple[int, int],
        way: str,
        target: int,
        seen: bool | None,
        flagged: bool | None,
    ) -> list[str]:
        """Why each email is not changed, of those that are not."""
        reasons = [
            self.change_one(who, one.mail, way, target, seen, flagged)
            for one in self.named(box, uids)
        ]
        return [reason for reason in reasons if reason]

    def change_one(
        self,
        who: int,
        mail: Mail,
        way: str,
        target: int,
        seen: bool | None,
        flagged: bool | None,
    ) -> str:
        held = {
            box: (uid, one)
            for box in BOXES
            for uid, one in self.boxes[box].items()
            if one.mail is mail
        }
        rights = {box: set(self.letters(who, box)) for box in BOXES}
        shown = [box for box in held if not held[box][1].deleted and {"l", "r"} <= rights[box]]
        if not shown:
            return "no-such-email"
        if way == "destroy":
            if not all({"t", "e"} <= rights[box] for box in shown):
                return "no-rights"
            others = [box for box in held if box not in shown]
            gone = list(held) if all(held[box][1].deleted for box in others) else shown
            for box in gone:
                del self.boxes[box][held[box][0]]
            return ""
        needed = {"s"} if seen not in (None, mail.seen_by(who)) else set()
        needed |= {"w"} if flagged not in (None, mail.flagged) else set()
        if not all(needed <= rights[box] for box in held):
            return "no-rights"
        leaves = [box for box in shown if way == "move" and box != target]
        enters = way != "stay" and target not in shown
        if enters and "l" not in rights[target]:
            return "no-such-mailbox"
        if enters and "i" not in rights[target]:
            return "no-rights"
        if not all({"t", "e"} <= rights[box] for box in leaves):
            return "no-rights"
        stays = [box for box in held if box not in leaves]
        alike = all(self.list_of(box) == self.list_of(target) for box in stays)
        if enters and target not in held and not alike:
            return "shared"
        if seen is not None:
            self.mark(mail, who, seen)
        mail.flagged = mail.flagged if flagged is None else flagged
        if enters and target in held:
            held[target][1].deleted = False
        elif enters:
            self.put(target, mail)
        for box in leaves:
            del self.boxes[box][held[box][0]]
        return ""

    def grant(self, who: int, box: int, mode: str, text: str) -> str:
        now = dict(self.list_of(box))
        before = now.pop(who, "")
        match mode:
            case "=":
                after = ordered(text)
            case "+":
                after = ordered(before + text)
            case _:
                after = ordered(set(before) - set(text))
        if after != before:
            self.lists[box] = now | ({who: after} if after else {})
        if ("w" in after) != ("w" in before) and self.writers(0) != self.writers(1):
            self.part(box)
        return ""

    def writers(self, box: int) -> set[int]:
        return {who for who, text in self.list_of(box).items() if "w" in text}

    def part(self, box: int) -> None:
        """What is in both mailboxes is two messages from now on; in this one it gets a new UID."""
        other = {id(one.mail) for one in self.boxes[1 - box].values()}
        for uid, one in list(self.boxes[box].items()):
            if id(one.mail) in other:
                del self.boxes[box][uid]
                mail = Mail(one.mail.seen, one.mail.flagged, dict(one.mail.marks))
                self.put(box, mail, one.deleted)
                self.parted = True


class Session:
    """What somebody with a mailbox open knows: what the view told, and the new messages."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.flags = self._read(0)
        view.watchers.add(self)

    def _read(self, after: int) -> dict[int, Any]:
        view = self.view
        return {uid: view.flags_at(at) for at, uid in enumerate(view.uids) if uid > after}

    def view_changed(
        self, expunged: list[tuple[int, int]], flagged: list[int], grown: bool
    ) -> None:
        last = max(self.flags, default=0)
        for uid, _ in expunged:
            del self.flags[uid]
        for uid in flagged:
            at = self.view.position(uid)
            assert at is not None
            assert uid in self.flags
            self.flags[uid] = self.view.flags_at(at)
        self.flags.update(self._read(last))

    def view_gone(self) -> None:
        raise AssertionError("it is there")


class Run:
    """One list of steps, in accounts of its own."""

    def __init__(self, store: Store, accounts: list[int], boxes: list[int]) -> None:
        self.store = store
        self.accounts = accounts
        self.boxes = boxes
        self.model = Model()
        self.sessions: dict[tuple[int, int], Session] = {}
        self.looks = 0

    def command(self, kind: str, who: int, *how: Any) -> AnyCommand:
        """A step as a command."""
        actor = self.accounts[who]
        match kind, how:
            case "append", (box, flags):
                return Append(
                    actor=actor,
                    mailbox=self.boxes[box],
                    content=in_rows(b"x"),
                    rendered=rendered(),
                    received_at=1,
                    flags=SEEN * flags["seen"] | FLAGGED * flags["flagged"],
                    deleted=flags["deleted"],
                )
            case "store", (box, uids, mode, flags):
                return StoreFlags(
                    actor=actor,
                    mailbox=self.boxes[box],
                    uids=(uids,),
                    mode=mode,
                    flags=SEEN * flags["seen"] | FLAGGED * flags["flagged"],
                    deleted=flags["deleted"],
                )
            case "copy", (source, target, uids):
                return self.copy(actor, self.boxes[source], self.boxes[target], (uids,))
            case "take", (box, uids):
                return self.copy(actor, self.boxes[box], actor << 32 | 1, (uids,))
            case "expunge", (box, uids):
                return Expunge(actor=actor, mailbox=self.boxes[box], uids=(uids,), marked=False)
            case "grant", (box, mode, text):
                return SetRights(
                    actor=self.accounts[OWNER],
                    mailbox=self.boxes[box],
                    grantee=actor,
                    letters=text,
                    mode=mode,
                )
        raise AssertionError(kind)

    @staticmethod
    def copy(actor: int, source: int, target: int, uids: Ranges) -> Copy:
        return Copy(actor=actor, mailbox=source, uids=uids, target=target)

    async def change(
        self,
        actor: int,
        box: int,
        uids: tuple[int, int],
        way: str,
        target: int,
        seen: bool | None,
        flagged: bool | None,
    ) -> ChangeEmails:
        """A step that names emails by their ids."""
        rows = await self.store.reader.rows(
            "SELECT email FROM membership WHERE mailbox = $1 AND uid BETWEEN $2 AND $3"
            " ORDER BY uid",
            self.boxes[box],
            *uids,
        )
        change = EmailChange(
            emails=tuple(row[0] for row in rows),
            set_flags=SEEN * (seen is True) | FLAGGED * (flagged is True),
            clear_flags=SEEN * (seen is False) | FLAGGED * (flagged is False),
            enter=(self.boxes[target],) if way in ("enter", "move") else (),
            only_mailboxes=way == "move",
            destroy=way == "destroy",
        )
        return ChangeEmails(actor=actor, account=self.accounts[OWNER], changes=(change,))

    async def do(self, step: tuple[Any, ...]) -> None:
        """Do a step and compare everything."""
        kind, who, *how = step
        before = {key: list(session.view.modseqs) for key, session in self.sessions.items()}
        self.model.parted = False
        expected = getattr(self.model, kind)(who, *how)
        if kind == "change":
            answer = await self.store.submit(await self.change(self.accounts[who], *how))
            assert isinstance(answer, EmailsChanged)
            assert [reason for _, reason, _ in answer.refused] == expected, step
            await self.compare()
            return
        answer = await self.store.submit(self.command(kind, who, *how))
        assert (answer.reason if isinstance(answer, Refused) else "") == expected, step
        await self.compare()
        personal = kind == "store" and who != OWNER and not (how[3]["flagged"] or how[3]["deleted"])
        if (personal and how[2] != "=") or (kind in ("grant", "take") and not self.model.parted):
            for (box, viewer), session in self.sessions.items():
                if (viewer != who or kind != "store") and (box, viewer) in before:
                    assert list(session.view.modseqs) == before[box, viewer], "nothing happened"

    async def compare(self) -> None:
        """Everybody's view, what it told, and the counts; another one looks first each time, and brings
        the arrays up to date for all."""
        owner = self.accounts[OWNER]
        self.looks += 1
        first = self.looks % len(PEOPLE)
        for who in PEOPLE[first:] + PEOPLE[:first]:
            more = await self.store.unread.differences(self.accounts[who], (owner,))
            held = await read_rights.held(self.store.reader, self.accounts[who], owner)
            for box in BOXES:
                mailbox = self.boxes[box]
                view = await self.store.views.open(mailbox, self.accounts[who])
                key = box, who
                if key not in self.sessions:
                    self.sessions[key] = Session(view)
                session = self.sessions[key]
                assert session.view is view
                expected = {
                    uid: (
                        SEEN * one.mail.seen_by(who) | FLAGGED * one.mail.flagged,
                        None,
                        int(one.deleted),
                    )
                    for uid, one in self.model.boxes[box].items()
                }
                shown = {uid: view.flags_at(at) for at, uid in enumerate(view.uids)}
                assert shown == expected
                assert session.flags == expected
                assert max(view.modseqs, default=0) <= view.highest
                assert view.letters == self.model.letters(who, box)
                assert held.get(mailbox, "") == view.letters
                info = await read.mailbox(self.store.reader, mailbox)
                assert info is not None
                unread = info.unseen + (more.get(mailbox, 0) if who != OWNER else 0)
                assert unread == sum(not flags & SEEN for flags, *_ in expected.values())

    async def end(self) -> None:
        """Views made anew show the same; what was taken along carries what was seen."""
        for (_, who), session in self.sessions.items():
            old = session.view
            fresh = View(
                Messages(self.store.reader, self.store.clock, old.mailbox),
                self.accounts[who] if who else 0,
            )
            await fresh.refresh()
            assert (fresh.uids, fresh.modseqs) == (old.uids, old.modseqs)
            old.watchers.discard(session)
        for who, taken in self.model.taken.items():
            view = await self.store.views.open(self.accounts[who] << 32 | 1)
            found = [view.flags_at(at)[0] for at in range(len(view))]
            assert [(bool(n & SEEN), bool(n & FLAGGED)) for n in found] == taken


async def begin(store: Store, number: int) -> Run:
    """Three accounts, the first one's mailboxes."""
    accounts: list[int] = []
    for who in PEOPLE:
        command = CreateAccount(address=f"u{number}.{who}@example.org", name="", password_hash="")
        made = await store.submit(command)
        assert isinstance(made, Created)
        accounts.append(made.id)
    boxes: list[int] = []
    for name in ("top", "below"):
        made = await store.submit(
            CreateMailbox(
                actor=0, account=accounts[0], parent=boxes[-1] if boxes else 0, path=(name,)
            )
        )
        assert isinstance(made, Created)
        boxes.append(made.id)
    run = Run(store, accounts, boxes)
    await run.compare()
    return run


def agree(place: Place, examples: int) -> None:
    """Many lists of steps in one store."""
    with asyncio.Runner() as runner:
        context = place.open()
        store = runner.run(context.__aenter__())
        runner.run(store.submit(CreateDomain(name="example.org")))
        numbers = iter(range(1 << 20))

        @settings(
            max_examples=examples,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.generate, Phase.shrink],
            database=None,
        )
        @given(st.lists(step, min_size=10, max_size=30))
        def example(steps: list[tuple[Any, ...]]) -> None:
            async def go() -> None:
                run = await begin(store, next(numbers))
                # Something to share from the beginning, else most lists say little.
                for who in (1, 2):
                    await run.do(("grant", who, 0, "=", "lrswite"))
                for _ in range(3):
                    plain = {"seen": False, "flagged": False, "deleted": False}
                    await run.do(("append", OWNER, 0, plain))
                for one in steps:
                    await run.do(one)
                await run.end()

            runner.run(go())

        async def findings() -> list[Any]:
            return [one async for one in check(store.reader, store.blobs)]

        try:
            example()
            assert runner.run(findings()) == []
        finally:
            runner.run(context.__aexit__(None, None, None))


MANY = pytest.param(1000, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])


@pytest.mark.parametrize("examples", [40, MANY])
def test_sqlite(tmp_path: Path, examples: int) -> None:
    agree(Place(Path(tempfile.mkdtemp(dir=tmp_path))), examples)


@pytest.mark.postgres
@pytest.mark.parametrize(
    "examples", [8, pytest.param(200, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])]
)
def test_postgresql(tmp_path: Path, postgres_server: Server, examples: int) -> None:
    agree(Place(tmp_path / "spool", asyncio.run(postgres_server.cleaned())), examples)

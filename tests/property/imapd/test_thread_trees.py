"""THREAD=REFERENCES beside a plain writing of RFC 5256 §3, on any mailbox of mail that answers mail.

The reference keeps objects with lists, recurses, and sorts anew wherever the RFC says so: it is made to
be held against the text, step by step.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from malleposte.mime import ThreadKey
from malleposte.services.imapd.thread_trees import Forest, References, ordered_subject

T = TypeVar("T")
Tree = tuple[int | None, tuple["Tree", ...]]


@dataclass(slots=True)
class Mail:
    own: int
    references: tuple[int, ...]
    subject: int
    again: bool
    date: int


@dataclass(slots=True, eq=False)
class Node:
    mail: Mail | None = None
    number: int = -1
    parent: Node | None = None
    children: list[Node] = field(default_factory=list)

    def leave(self) -> None:
        if self.parent is not None:
            self.parent.children.remove(self)
            self.parent = None

    def adopt(self, child: Node) -> None:
        child.leave()
        child.parent = self
        self.children.append(child)

    def above(self) -> list[Node]:
        found = [self]
        while found[-1].parent is not None:
            found.append(found[-1].parent)
        return found


def sort_key(node: Node) -> tuple[int, int]:
    if node.mail is None:
        return sort_key(node.children[0])
    return node.mail.date, node.number


def reference(box: Sequence[Mail]) -> tuple[Tree, ...]:
    """RFC 5256 §3, REFERENCES."""
    table: dict[int, Node] = {}
    everyone: list[Node] = []

    def node_of(own: int) -> Node:
        if own not in table:
            table[own] = Node()
            everyone.append(table[own])
        return table[own]

    # (1)
    for number, mail in enumerate(box):
        if mail.own and node_of(mail.own).mail is None:
            here = node_of(mail.own)
        else:
            here = Node()
            everyone.append(here)
        here.mail, here.number = mail, number
        before: Node | None = None
        for own in mail.references:
            one = node_of(own)
            if before is not None and one.parent is None and one not in before.above():
                before.adopt(one)
            before = one
        here.leave()
        if before is not None and here not in before.above():
            before.adopt(here)
    # (2)
    root = Node()
    for one in everyone:
        if one.parent is None:
            root.adopt(one)

    # (3)
    def prune(parent: Node) -> None:
        for child in list(parent.children):
            prune(child)
            if child.mail is not None:
                continue
            if not child.children:
                child.leave()
            elif parent is not root or len(child.children) == 1:
                at = parent.children.index(child)
                grandchildren = list(child.children)
                child.leave()
                for grandchild in grandchildren:
                    parent.adopt(grandchild)
                    parent.children.insert(at, parent.children.pop())
                    at += 1

    prune(root)
    # (4)
    for child in root.children:
        if child.mail is None:
            child.children.sort(key=sort_key)
    root.children.sort(key=sort_key)

    # (5)
    def subject(thread: Node) -> int:
        mail = thread.mail or thread.children[0].mail
        assert mail is not None
        return mail.subject

    def again(thread: Node) -> bool:
        return thread.mail is not None and thread.mail.again

    subjects: dict[int, Node] = {}
    for thread in root.children:
        about = subject(thread)
        if not about:
            continue
        known = subjects.get(about)
        if known is None or (
            known.mail is not None and (thread.mail is None or (again(known) and not again(thread)))
        ):
            subjects[about] = thread
    for thread in list(root.children):
        if thread.parent is not root or not subject(thread):
            continue
        known = subjects[subject(thread)]
        if known is thread:
            continue
        if known.mail is None and thread.mail is None:
            for child in list(thread.children):
                known.adopt(child)
            thread.leave()
        elif known.mail is None or (again(thread) and not again(known)):
            known.adopt(thread)
        else:
            dummy = Node()
            root.adopt(dummy)
            dummy.adopt(thread)
            dummy.adopt(known)
            subjects[subject(dummy)] = dummy

    # (6)
    def put_in_order(parent: Node) -> None:
        for child in parent.children:
            put_in_order(child)
        parent.children.sort(key=sort_key)

    put_in_order(root)

    def tree(node: Node) -> Tree:
        number = node.number if node.mail is not None else None
        return number, tuple(tree(child) for child in node.children)

    return tuple(tree(child) for child in root.children)


def run(work: Generator[None, None, T]) -> T:
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]


def forest_of(box: Sequence[Mail]) -> Forest:
    links = References(100_000)
    for mail in box:
        links.add(ThreadKey(mail.own, mail.subject, mail.again, mail.references))
    return run(links.forest([mail.date for mail in box]))


def trees(forest: Forest) -> tuple[Tree, ...]:
    def tree(node: int) -> Tree:
        below = forest.children.get(node, [])
        return (node if node < forest.size else None), tuple(tree(child) for child in below)

    return tuple(tree(root) for root in forest.roots)


IDS = st.integers(0, 9)
MAILS = st.builds(
    Mail,
    own=IDS,
    references=st.lists(st.integers(1, 12), max_size=4).map(tuple),
    subject=st.integers(0, 3),
    again=st.booleans(),
    date=st.integers(-2, 5),
)


@settings(max_examples=400, deadline=None)
@given(box=st.lists(MAILS, max_size=14))
def test_trees_are_those_of_the_rfc(box: list[Mail]) -> None:
    assert trees(forest_of(box)) == reference(box)


@settings(max_examples=100, deadline=None)
@given(box=st.lists(MAILS, min_size=1, max_size=12))
def test_every_message_is_told_once_in_any_response(box: list[Mail]) -> None:
    forest = forest_of(box)
    numbers = [n * 7 + 1 for n in range(len(box))]
    told = b"".join(forest.pieces(numbers))
    assert told.startswith(b"* THREAD (")
    assert told.endswith(b")\r\n")
    assert told.count(b"(") == told.count(b")")
    assert b"( " not in told and b" )" not in told and b"()" not in told  # noqa: PT018
    words = told[9:].replace(b"(", b" ").replace(b")", b" ").split()
    assert sorted(map(int, words)) == numbers


@settings(max_examples=100, deadline=None)
@given(box=st.lists(st.tuples(st.integers(0, 3), st.integers(-2, 5)), max_size=12))
def test_ordered_subject(box: list[tuple[int, int]]) -> None:
    forest = run(ordered_subject([subject for subject, _ in box], [date for _, date in box]))
    order = sorted(range(len(box)), key=lambda n: (box[n][1], n))
    groups: dict[int, list[int]] = {}
    for number in order:
        groups.setdefault(box[number][0], []).append(number)
    expected = tuple((g[0], tuple((n, ()) for n in g[1:])) for g in groups.values())
    assert trees(forest) == expected


def test_a_thread_of_many_levels_is_told() -> None:
    box = [Mail(n + 1, (n,) if n else (), n + 1, False, n) for n in range(5_000)]
    forest = forest_of(box)
    told = b"".join(forest.pieces(range(1, 5_001)))
    assert told == b"* THREAD (%b)\r\n" % b" ".join(b"%d" % n for n in range(1, 5_001))


def test_a_loop_across_many_messages_is_none() -> None:
    box = [Mail(n + 1, ((n + 1) % 2_000 + 1,), n + 1, False, n) for n in range(2_000)]
    forest = forest_of(box)
    told = b"".join(forest.pieces(range(1, 2_001)))
    words = told[9:].replace(b"(", b" ").replace(b")", b" ").split()
    assert sorted(map(int, words)) == list(range(1, 2_001))

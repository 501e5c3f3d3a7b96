"""Marks without end on one letter: every way that text of a stranger takes to `unicodedata.normalize`.

Normalising sorts the marks of a letter, in the square of their number, while nobody else runs. What is
counted here is that work: pairs of marks that stand on one letter, not seconds.
"""

import unicodedata
from collections.abc import Callable
from itertools import groupby

import pytest

from malleposte.directory.addresses import BadAddressError, normalise_domain, normalise_local
from malleposte.directory.book import Book
from malleposte.i18n.folder_names import role_of
from malleposte.operations.mailfiles import folder_names
from malleposte.runtime.passwords import UnfitPasswordError, prepared_password
from malleposte.search.folding import fold
from malleposte.search.needle import Needle
from malleposte.services.imapd.names import kept
from malleposte.store import Store
from malleposte.store.commands import CreateAccount, CreateDomain, CreateMailbox, Subscribe
from malleposte.store.execute.mailboxes import level_name
from malleposte.store.read import mailboxes
from malleposte.wire.sasl import SaslError, prepare_password
from support.store import Place

SIZE = 20_000

TEXTS = {
    "two classes": "\u0301" * (SIZE // 2) + "\u0316" * (SIZE // 2),
    "marks that are letters by name": "x" + "\u0f73" * SIZE,
    "half-width sound marks": "x" + "\uff9e\u0316" * (SIZE // 2),
    "beyond the basic plane": "x" + "\U0001e8d0\U0001e944" * (SIZE // 2),
    "on many letters": ("x" + "\u0301" * 500 + "\u0316" * 500) * (SIZE // 1000),
    "made by case": "\u0390" + "\u0316\u0345" * (SIZE // 2),
}


@pytest.fixture(params=TEXTS)
def text(request: pytest.FixtureRequest) -> str:
    return TEXTS[request.param]


class Work:
    """What `unicodedata.normalize` was given: characters, and pairs of marks on one letter."""

    def __init__(self) -> None:
        self.characters = 0
        self.pairs = 0

    def normalize(self, form: str, text: str) -> str:
        self.characters += len(text)
        whole = (part for c in text for part in _normalize("NFKD", c))
        for mark, run in groupby(whole, lambda c: unicodedata.combining(c) > 0):
            if mark:
                self.pairs += sum(1 for _ in run) ** 2
        # In pieces: a test that fails is to fail soon.
        pieces = [text[at : at + 200] for at in range(0, len(text), 200)]
        return "".join(_normalize(form, piece) for piece in pieces)  # type: ignore[arg-type]


_normalize = unicodedata.normalize


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    normal_form = fold("é")  # what is made once is no work of the test
    assert normal_form == "é"
    work = Work()
    monkeypatch.setattr(unicodedata, "normalize", work.normalize)
    return work


def _refused(call: Callable[[str], object], *errors: type[Exception]) -> Callable[[str], None]:
    def ask(text: str) -> None:
        with pytest.raises(errors):
            call(text)

    return ask


# Each with the most characters it may look at: those of a text that is bounded by nothing else are
# twice the text (folded, then composed); where there is a length, it is asked first.
WAYS: dict[str, tuple[Callable[[str], object], int]] = {
    "searching": (fold, 5 * SIZE),
    "searching for": (Needle, 5 * SIZE),
    "a mailbox's name": (kept, 3 * SIZE),
    "a level of a mailbox's name": (level_name, 1_000),
    "a folder that is imported": (folder_names.fit, 3 * SIZE),
    "a folder's role": (role_of, 3 * SIZE),
    "a password by SASL": (_refused(prepare_password, SaslError), 0),
    "a password": (_refused(prepared_password, UnfitPasswordError), 0),
    "a local part": (_refused(normalise_local, BadAddressError), 0),
    "a domain": (_refused(normalise_domain, BadAddressError), 0),
}


@pytest.mark.parametrize("way", WAYS)
def test_marks_cost_no_more_than_letters(text: str, way: str, work: Work) -> None:
    call, most = WAYS[way]
    call(text)
    assert work.characters <= most
    assert work.pairs <= 32 * most, "not more than the thirty that are kept, and what case adds"


async def test_the_store_is_asked_for_a_mailbox_of_marks(
    place: Place, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading and writing, on each database: the writer is one for all."""
    async with place.open() as store:
        await store.submit(CreateDomain(name="example.test"))
        await store.submit(CreateAccount(address="u@example.test", name="", password_hash=""))
        work = Work()
        monkeypatch.setattr(unicodedata, "normalize", work.normalize)
        assert await mailboxes.find(store.reader, 1, text) == 0
        await store.submit(CreateMailbox(account=1, actor=1, parent=0, path=(text,)))
        await store.submit(Subscribe(account=1, name=text))
        await _sign_in_and_resolve(store, text)
        assert work.pairs <= 32 * 5 * SIZE


async def _sign_in_and_resolve(store: Store, text: str) -> None:
    book = Book(store)
    assert await book.sign_in_name(f"{text}@example.test") is None
    assert await book.sign_in_name(f"u@{text}") is None
    assert not (await book.resolve(text, "example.test")).accounts
    assert not (await book.resolve("u", text)).accounts

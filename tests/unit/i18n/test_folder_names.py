"""A folder's name tells its role, in whatever language a program made it."""

from __future__ import annotations

import unicodedata

import pytest

from malleposte.i18n.folder_names import NAMES, role_of
from malleposte.store.execute.mailboxes import STANDARD


@pytest.mark.parametrize(
    ("path", "role"),
    [
        ("Sent Items", "sent"),
        ("Gesendet", "sent"),
        ("gesendete ELEMENTE", "sent"),
        ("Éléments envoyés", "sent"),
        ("E\u0301le\u0301ments envoye\u0301s", "sent"),
        ("Elementos enviados", "sent"),
        ("Отправленные", "sent"),
        ("[Gmail]/Sent Mail", "sent"),
        ("[Google Mail]/Bin", "trash"),
        ("[Gmail]/Spam", "junk"),
        ("INBOX/Trash", "trash"),
        ("inbox/Papierkorb", "trash"),
        ("Deleted Messages", "trash"),
        ("Brouillons", "drafts"),
        ("Junk E-mail", "junk"),
        ("istenmeyen", "junk"),
        ("İSTENMEYEN", "junk"),
        ("Archives", "archive"),
        ("ΑΠΕΣΤΑΛΜΈΝΑ", "sent"),
        ("Projects/Sent", ""),
        ("Sent/2026", ""),
        ("INBOX/Sent/2026", ""),
        ("[Gmail]/All Mail", ""),
        ("INBOX", ""),
        ("INBOX/INBOX", ""),
        ("Postausgang", ""),
        ("Sentimental", ""),
        ("", ""),
        ("/Sent", ""),
        ("Sent/", ""),
        ("x" * 100_000, ""),
    ],
)
def test_roles_by_names(path: str, role: str) -> None:
    assert role_of(path) == role


def test_each_name_means_one_role_in_any_spelling() -> None:
    seen: dict[str, str] = {}
    for role, languages in NAMES.items():
        for names in languages.values():
            for name in names:
                assert seen.setdefault(name.casefold(), role) == role, name
                for spelt in (name, name.upper(), name.lower(), unicodedata.normalize("NFD", name)):
                    assert role_of(spelt) == role, spelt


def test_no_name_stands_twice() -> None:
    """Two languages that share a name share its line."""
    for languages in NAMES.values():
        names = [name for names in languages.values() for name in names]
        assert len(names) == len(set(names))


def test_the_standard_mailboxes_are_called_what_they_are() -> None:
    assert {name: role_of(name) for name, role in STANDARD if role != "inbox"} == {
        name: role for name, role in STANDARD if role != "inbox"
    }

"""Every text used in the code is in every catalogue, whole and with the same placeholders."""

import ast
import string
from pathlib import Path
from typing import Any

import pytest
from babel.messages import Catalog, pofile

from malleposte.i18n.locales import ENGLISH, available_locales, catalogue_file

SOURCE = Path(__file__).parents[3] / "src" / "malleposte"
OTHERS = [locale for locale in available_locales() if locale != ENGLISH]

Id = str | tuple[str, ...]


def used() -> set[tuple[str | None, Id]]:
    """(context, id) of every text that the code asks for."""
    found: set[tuple[str | None, Id]] = set()
    for path in SOURCE.rglob("*.py"):
        content = path.read_bytes()
        if b"malleposte.i18n" not in content:
            continue  # others have functions of these names as well
        for node in ast.walk(ast.parse(content)):
            # Bare names: `text.translate(table)` is something else.
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                match node.func.id:
                    case "translate":
                        found.add((None, literal(path, node, 1)))
                    case "translate_plural":
                        found.add((None, (literal(path, node, 1), literal(path, node, 2))))
                    case "translate_in":
                        found.add((literal(path, node, 1), literal(path, node, 2)))
    return found


def literal(path: Path, call: ast.Call, position: int) -> str:
    argument = call.args[position]
    assert isinstance(argument, ast.Constant), f"{path}:{call.lineno}: the text is no literal"
    assert isinstance(argument.value, str)
    return argument.value


def catalogue(locale: str) -> Catalog:
    with catalogue_file(locale).open("rb") as file:  # type: ignore[arg-type]
        return pofile.read_po(file, locale=locale, abort_invalid=True)


def entries(locale: str) -> dict[tuple[str | None, Id], Any]:
    return {
        (message.context, message.id if isinstance(message.id, str) else tuple(message.id)): message
        for message in catalogue(locale)
        if message.id
    }


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_texts_are_found_in_the_code() -> None:
    found = used()
    assert (None, "What you can do:") in found
    assert ("mailbox", "Trash") in found
    assert any(isinstance(text, tuple) for _, text in found)


@pytest.mark.parametrize("locale", OTHERS)
def test_every_text_is_translated_and_no_entry_is_left_over(locale: str) -> None:
    assert entries(locale).keys() == used()


@pytest.mark.parametrize("locale", OTHERS)
def test_every_entry_is_whole_with_the_same_placeholders(locale: str) -> None:
    forms = catalogue(locale).num_plurals
    for (_, msgid), message in entries(locale).items():
        assert not message.fuzzy, msgid
        if isinstance(msgid, str):
            assert message.string.strip(), msgid
            assert placeholders(message.string) == placeholders(msgid), msgid
        else:
            assert len(message.string) == forms, msgid
            for text in message.string:
                assert text.strip(), msgid
                assert placeholders(text) == placeholders(msgid[1]), msgid


def test_french_quotes_are_never_torn_from_what_they_hold() -> None:
    """A space within « » that may break would leave the quote alone at the end of a line."""
    for message in catalogue("fr"):
        forms = message.string if isinstance(message.string, (list, tuple)) else (message.string,)
        for text in forms:
            form = text or ""
            for at, letter in enumerate(form):
                if letter == "«":
                    assert form[at + 1] == "\N{NO-BREAK SPACE}", form
                elif letter == "»":
                    assert form[at - 1] == "\N{NO-BREAK SPACE}", form

"""The RFC index claims nothing that is not there, and its check sees what it is for."""

import importlib.util
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]


def load_check() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "check_rfc_index", ROOT / "tools/check_rfc_index.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


check = load_check()


def test_every_claim_of_the_index_holds() -> None:
    index = tomllib.loads((ROOT / "docs/rfc/index.toml").read_text(encoding="utf-8"))
    assert check.problems(index, ROOT) == []


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "src/malleposte/wire").mkdir(parents=True)
    (tmp_path / "src/malleposte/wire/lines.py").write_text('"""Lines, RFC 5321 §2.3.8."""\n')
    (tmp_path / "tests/unit").mkdir(parents=True)
    (tmp_path / "tests/unit/test_lines.py").write_text(
        "def test_crlf(): ...\nasync def test_later(): ...\n"
        "class TestDots:\n    def test_stuffed(self): ...\n"
        "TestModel = object\n"
    )
    return tmp_path


def index_of(**entry: Any) -> dict[str, Any]:
    section = {
        "title": "Lines",
        "state": "done",
        "where": "wire/lines.py",
        "tests": ["tests/unit/test_lines.py::test_crlf"],
    }
    return {"5321": {"title": "SMTP", "2.3.8": section | entry}}


@pytest.mark.parametrize(
    "test",
    [
        "tests/unit/test_lines.py",
        "tests/unit/test_lines.py::test_crlf",
        "tests/unit/test_lines.py::test_later",
        "tests/unit/test_lines.py::TestDots",
        "tests/unit/test_lines.py::TestDots::test_stuffed",
        "tests/unit/test_lines.py::TestModel",
    ],
)
def test_a_named_test_that_exists_is_accepted(tree: Path, test: str) -> None:
    assert check.problems(index_of(tests=[test]), tree) == []


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        ({"state": "finished"}, "state 'finished' is none of"),
        ({"state": ["done"]}, "is none of"),
        ({"tests": []}, "names no test"),
        ({"state": "partial", "why": "no dots", "tests": []}, "names no test"),
        ({"state": "partial"}, "does not say why"),
        ({"state": "left out"}, "does not say why"),
        ({"tests": ["tests/unit/test_gone.py"]}, "no such test file"),
        ({"tests": ["src/malleposte/wire/lines.py"]}, "no such test file"),
        ({"tests": ["tests/unit/test_lines.py::test_gone"]}, "no test_gone in"),
        ({"tests": ["tests/unit/test_lines.py::test_stuffed"]}, "no test_stuffed in"),
        ({"state": "planned", "tests": ["tests/unit/test_gone.py"]}, "no such test file"),
        ({"where": ""}, "does not say where"),
        ({"where": "wire/gone.py"}, "no such place"),
        ({"title": ""}, "has no title"),
        ({"test": ["tests/unit/test_lines.py"]}, "unknown key test"),
    ],
)
def test_a_claim_without_ground_is_named(tree: Path, entry: dict[str, Any], complaint: str) -> None:
    found = check.problems(index_of(**entry), tree)
    assert len(found) == 1
    assert found[0].startswith("RFC 5321 §2.3.8: ")
    assert complaint in found[0]


def test_a_planned_section_needs_neither_test_nor_place(tree: Path) -> None:
    planned = {"5321": {"title": "SMTP", "2.3.8": {"title": "Lines", "state": "planned"}}}
    assert check.problems(planned, tree) == []


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("RFC 5321 §4.1.2", {"5321"}),
        ("RFC5322 and no other, 1234 times", {"5322"}),
        ("RFCs 5321 and 5322", {"5321", "5322"}),
        ("RFC 3501/9051", {"3501", "9051"}),
        ("see RFC\n    2047 for words", {"2047"}),
        ("RFC 5321, 7 of them", {"5321"}),
        ("an RFCLIKE word 5321", set()),
        ("FETCH RFC822.SIZE", set()),
        ("RFC 822 of old", {"822"}),
    ],
)
def test_citations_are_found(tmp_path: Path, text: str, numbers: set[str]) -> None:
    (tmp_path / "module.py").write_text(text)
    assert set(check.cited_rfcs(tmp_path)) == numbers


def test_a_cited_rfc_without_an_entry_is_named(tree: Path) -> None:
    other = {"5322": {"title": "Message Format", "3.3": {"title": "Dates", "state": "planned"}}}
    assert check.problems(other, tree) == [
        "RFC 5321: cited in src/malleposte/wire/lines.py, not in the index"
    ]


def test_an_rfc_may_be_cited_without_being_built(tree: Path) -> None:
    assert check.problems({"cited": {"5321": "Simple Mail Transfer Protocol"}}, tree) == []


def test_cited_and_built_at_once_is_a_mistake(tree: Path) -> None:
    both = index_of() | {"cited": {"5321": "SMTP", "5322": "", "mail": "Mail"}}
    assert check.problems(both, tree) == [
        "RFC 5321: has a table and stands among the cited",
        "cited 5322: not a number with a title",
        "cited mail: not a number with a title",
    ]


def test_an_rfc_without_a_section_says_nothing(tree: Path) -> None:
    assert check.problems({"5321": {"title": "SMTP"}}, tree) == ["RFC 5321: no section"]

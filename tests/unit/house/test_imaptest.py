"""tools/imaptest.py: scores of scripts are read rightly, and nothing that failed passes unseen."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]


def _load(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, ROOT / f"tools/{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


results = _load("imaptest_results")
runner = _load("imaptest")

_END = """\
1 test groups: {failed} failed, {skipped} skipped due to missing capabilities
base protocol: {bad}/7 individual commands failed
extensions: 0/2 individual commands failed
"""
_FAILURES = """\
*** Test alpha command 3/9 (line 12)
 - failed: Missing 1 untagged replies (0 mismatches)
 - first unexpanded: 3 exists
 - best match:
 - Command (tag 1.4): noop

*** Test alpha command 5/9 (line 20)
 - failed: Expected tagged reply 'ok', got 'NO no'
 - Command: fetch 1 (uid)

"""


def test_a_script_that_passed_was_skipped_or_failed() -> None:
    passed = results.read_score("alpha", _END.format(failed=0, skipped=0, bad=0))
    assert (passed.state, passed.commands, passed.failures) == ("passed", 9, ())
    skipped = results.read_score("alpha", _END.format(failed=0, skipped=1, bad=0), {"SORT"})
    assert (skipped.state, skipped.missing) == ("skipped", {"SORT"})
    failed = results.read_score("alpha", _FAILURES + _END.format(failed=1, skipped=0, bad=2))
    assert failed.state == "failed"
    assert [(one.number, one.command) for one in failed.failures] == [
        (3, "noop"),
        (5, "fetch 1 (uid)"),
    ]
    assert failed.failures[0].reason.startswith("Missing 1 untagged")
    assert "best match" in failed.failures[0].reason


@pytest.mark.parametrize(
    "output",
    [
        "",
        "Fatal: connect() failed\n",
        "*** Test alpha initialization failed: CREATE failed: NO\n"
        + _END.format(failed=1, skipped=0, bad=1),
        # A failure whose words this reader does not know.
        _END.format(failed=1, skipped=0, bad=0),
    ],
)
def test_what_is_not_understood_counts_as_failed(output: str) -> None:
    score = results.read_score("alpha", output)
    assert score.state == "failed"
    assert score.failures


def test_only_what_the_document_names_is_excused() -> None:
    excused = results.read_exceptions(
        "# Title\n\n| `alpha` | 9 | above |\n\n## Exceptions\n\n"
        "| script | commands | reason |\n| --- | --- | --- |\n"
        "| `alpha` | 3, 4 | RFC 1 §2 |\n\n## Next\n\n| `beta` | 1 | no |\n"
    )
    assert excused == {("alpha", 3): "RFC 1 §2", ("alpha", 4): "RFC 1 §2"}
    score = results.read_score("alpha", _FAILURES + _END.format(failed=1, skipped=0, bad=2))
    assert [failure.number for _, failure in results.unexcused([score], excused)] == [5]


def test_the_project_s_document_is_read() -> None:
    """A heading that changed would excuse nothing, or a reason without an RFC everything."""
    excused = results.read_exceptions((ROOT / "docs/imap-conformance.md").read_text("utf-8"))
    assert all("RFC " in reason for reason in excused.values())


def test_what_a_script_needs_and_where_a_copy_lies(tmp_path: Path) -> None:
    with pytest.raises(runner.Unavailable):
        runner.Copy.at(tmp_path)
    scripts = tmp_path / "src/tests"
    scripts.mkdir(parents=True)
    program = tmp_path / "src/imaptest"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    (scripts / "alpha").write_text("# words\ncapabilities: SORT esort\nstate: auth\n\nok noop\n")
    (scripts / "alpha.mbox").write_text("")
    copy = runner.Copy.at(tmp_path)
    assert copy.names() == ["alpha"]
    assert copy.needs("alpha") == {"SORT", "ESORT"}

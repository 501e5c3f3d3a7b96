"""The lock files pin everything by hash and say nothing about where packages come from."""

import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
LOCKS = ["requirements/run.txt", "requirements/test.txt", "requirements/web.txt"]


def normalised(requirement: str) -> str:
    """A requirement's package name, as PEP 503 compares names."""
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert name is not None, requirement
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def pins(lock: str) -> dict[str, tuple[str, list[str]]]:
    """Package → its pin (version and marker) and the hashes that follow."""
    found: dict[str, tuple[str, list[str]]] = {}
    name = ""
    for line in (ROOT / lock).read_text(encoding="utf-8").splitlines():
        if hash_ := re.fullmatch(r"    --hash=(sha256:[0-9a-f]{64})( \\)?", line):
            found[name][1].append(hash_[1])
        elif pin := re.fullmatch(r"([a-z0-9][a-z0-9._-]*)==(\S+( ; .+)?) \\", line):
            name = normalised(pin[1])
            assert name not in found, f"{name} is pinned twice"
            found[name] = (pin[2], [])
        else:
            pytest.fail(f"{lock}: neither a pin nor a hash: {line}")
    return found


def asked_for(file: str) -> set[str]:
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    return {normalised(line) for line in lines if line.strip() and not line.startswith(("#", "-r"))}


def project_dependencies() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {normalised(dependency) for dependency in project["dependencies"]}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_hashes_and_no_line_is_anything_else(lock: str) -> None:
    for name, (_, hashes) in pins(lock).items():
        assert hashes, f"{lock}: {name} has no hash"


def test_what_is_asked_for_is_locked() -> None:
    run, test = pins(LOCKS[0]), pins(LOCKS[1])
    assert project_dependencies() | asked_for("requirements/run.in") <= run.keys()
    assert asked_for("requirements/test.in") <= test.keys()
    assert asked_for("requirements/web.in") == pins(LOCKS[2]).keys()


def test_tests_run_on_the_very_versions_that_are_served() -> None:
    run, test = pins(LOCKS[0]), pins(LOCKS[1])
    assert run.keys() <= test.keys()
    for name, (pin, hashes) in run.items():
        version, _, marker = test[name][0].partition(" ; ")
        assert (version, test[name][1]) == (pin.partition(" ; ")[0], hashes), name
        # Tests may need everywhere what the server needs on some machines.
        assert marker in ("", pin.partition(" ; ")[2]), name


def test_packages_of_the_web_client_are_pinned_by_hash_and_come_from_wherever() -> None:
    lock = json.loads((ROOT / "web/package-lock.json").read_text(encoding="utf-8"))
    packages = {path: one for path, one in lock["packages"].items() if path}
    assert packages
    for path, package in packages.items():
        assert package["integrity"].startswith("sha512-"), path
        assert "resolved" not in package, path


def test_the_web_client_asks_for_exact_versions() -> None:
    asked = json.loads((ROOT / "web/package.json").read_text(encoding="utf-8"))
    for name, version in (asked["dependencies"] | asked["devDependencies"]).items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version), name

"""PatchObject (RFC 8620 §5.3): what a patch changes, and which patches are none."""

from typing import Any

import pytest

from malleposte.services.jmap.errors import SetError
from malleposte.services.jmap.patching import applied, paths

OBJECT: dict[str, Any] = {
    "name": "old",
    "list": [1, 2],
    "keys": {"a": True, "b": True, "x/y": 1, "t~e": 2},
    "deep": {"er": {"est": 1}},
    "null": None,
}


@pytest.mark.parametrize(
    ("patch", "changed"),
    [
        ({}, {}),
        ({"name": "new"}, {"name": "new"}),
        ({"keys/c": True}, {"keys": OBJECT["keys"] | {"c": True}}),
        ({"keys": {"z": True}}, {"keys": {"z": True}}),
        ({"list": [3]}, {"list": [3]}),
        ({"deep/er/est": 2, "name": "new"}, {"deep": {"er": {"est": 2}}, "name": "new"}),
        ({"keys/x~1y": 5}, {"keys": OBJECT["keys"] | {"x/y": 5}}),
        ({"keys/t~0e": 5}, {"keys": OBJECT["keys"] | {"t~e": 5}}),
        ({"keys/nothing": None}, {}),
    ],
)
def test_applied(patch: dict[str, Any], changed: dict[str, Any]) -> None:
    assert applied(patch, OBJECT) == OBJECT | changed


def test_null_takes_away() -> None:
    found = applied({"keys/a": None, "name": None}, OBJECT)
    assert "name" not in found
    assert sorted(found["keys"]) == ["b", "t~e", "x/y"]
    assert OBJECT["keys"]["a"], "the object itself stays as it is"


@pytest.mark.parametrize(
    "patch",
    [
        {"list/0": 5},
        {"list/-": 5},
        {"nothing/a": 5},
        {"null/a": 5},
        {"name/a": 5},
        {"deep/no/est": 5},
        {"keys": {}, "keys/a": None},
        {"keys/a": 1, "keys": None},
        {"deep/er": {}, "deep/er!": 1, "deep/er/est": 3},
        {"keys/x~1y": 1, "keys/x~1y/z": 1},
        {"a/b/c/d/e/f/g/h/i": 1},
    ],
)
def test_what_is_no_patch(patch: dict[str, Any]) -> None:
    with pytest.raises(SetError) as error:
        applied(patch, OBJECT)
    assert error.value.kind == "invalidPatch"


def test_paths_that_only_look_alike_are_two() -> None:
    assert paths({"keys/a": 1, "keys/ab": 2, "keysa": 3}) == {
        ("keys", "a"): 1,
        ("keys", "ab"): 2,
        ("keysa",): 3,
    }

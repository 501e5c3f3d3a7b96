"""Scripts in scripts: include, return, global (RFC 6609)."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from malleposte.sieve.run import Return, Run
from malleposte.sieve.scope import CommandRule, Does, Scope, TestRule
from malleposte.sieve.signature import STRING, STRINGS, Bound, Signature, TagRule
from malleposte.sieve.tree import Command, Strings


def _include(scope: Scope, node: Command, bound: Bound) -> Does:
    name = scope.constant(bound.positional[0], "the name of a script")
    if not name or len(name) > 200 or not name.isprintable():
        scope.wrong(node.at, "no script can have that name")
    once, optional = "once" in bound.tags, "optional" in bound.tags
    kept = "global" in bound.tags
    included = scope.library.included(kept, name, scope.depth, node.at)
    key = f"{'global' if kept else 'personal'}/{name}"

    def include(run: Run) -> None:
        if once and (included.around or key in run.included):
            return
        script = included.script
        if script is None:
            if not (optional and included.missing):
                run.fail(node.at, included.wrong)
            return
        run.included.add(key)
        around = run.source, run.variables, run.captured
        run.source, run.variables, run.captured = script.source, {}, []
        with suppress(Return):
            script.does(run)
        # A failure leaves the source, which is where it happened.
        run.source, run.variables, run.captured = around

    return include


def _return(scope: Scope, node: Command, bound: Bound) -> Does:
    def leave(run: Run) -> None:
        raise Return

    return leave


def _global(scope: Scope, node: Command, bound: Bound) -> Does:
    scope.need("variables", node.at, "global")
    argument = bound.positional[0]
    items = argument.items if isinstance(argument, Strings) else (argument,)
    for item in items:
        assert item is not None
        name = scope.variable(item, declared=True)
        if name in scope.names and name not in scope.shared:
            scope.wrong(item.at, f"{name} has been set already; global must stand before that")
        scope.shared.add(name)

    def declared(run: Run) -> None:
        """All was done when the script was checked."""

    return declared


COMMANDS: Final = {
    "include": CommandRule(
        Signature(
            (STRING,),
            {
                "personal": TagRule(group="location"),
                "global": TagRule(group="location"),
                "once": TagRule(),
                "optional": TagRule(),
            },
        ),
        _include,
        "include",
    ),
    "return": CommandRule(Signature(), _return, "include"),
    "global": CommandRule(Signature((STRINGS,)), _global, "include"),
}
TESTS: Final[dict[str, TestRule]] = {}

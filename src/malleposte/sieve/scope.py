"""What is known while a script is checked: its extensions, its variables, where it is.

A command or test becomes a function of a `Run`; the functions that make them (`language`) are given
the scope to turn arguments into what runs. Mistakes are raised as `Wrong`; those of commands that
do not depend on each other are gathered, so that all are told at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from .errors import Mistake, Wrong
from .limits import Limits
from .run import Run
from .signature import Bound, Signature, bind
from .source import Source
from .text import NAME, Text, Texts, decode_characters, references
from .tree import Argument, Command, Number, String, Strings, Test

if TYPE_CHECKING:
    from .includes import Library

Does = Callable[[Run], None]
Asks = Callable[[Run], bool]


class CommandRule(NamedTuple):
    """A command: its arguments, how to make it, the extension it belongs to."""

    signature: Signature
    make: Callable[[Scope, Command, Bound], Does]
    capability: str = ""


class TestRule(NamedTuple):
    """A test, in the same way."""

    signature: Signature
    make: Callable[[Scope, Test, Bound], Asks]
    capability: str = ""


class Language(NamedTuple):
    """All commands and tests, and the extensions that a script may require."""

    commands: Mapping[str, CommandRule]
    tests: Mapping[str, TestRule]
    capabilities: frozenset[str]


class Scope:
    """One script while it is checked. `mistakes` gathers what is wrong."""

    def __init__(
        self, source: Source, limits: Limits, language: Language, library: Library, depth: int
    ) -> None:
        self.source = source
        self.limits = limits
        self.language = language
        self.library = library
        self.depth = depth
        self.required: set[str] = set()
        self.mistakes: list[Mistake] = []
        self.shared: set[str] = set()
        self.names: set[str] = set()  # of variables that are set
        self.begun = False  # a command other than require has been seen

    # -- extensions --------------------------------------------------------------------------

    def need(self, capability: str, at: int, what: str) -> None:
        """The extension that `what` belongs to must have been required."""
        if capability not in self.required:
            if capability not in self.language.capabilities:
                self.wrong(at, f"{what} belongs to {capability}, which is not available here")
            self.wrong(at, f'{what} needs a line at the top: require "{capability}";')

    def wrong(self, at: int, text: str) -> NoReturn:
        """Refuses what stands there."""
        raise Wrong(at, text)

    # -- arguments ---------------------------------------------------------------------------

    def text(self, argument: Argument | None) -> Text:
        """A string that may have variables in it."""
        assert isinstance(argument, String)
        text = argument.text
        if "encoded-character" in self.required:
            text = decode_characters(text, argument.at)
        if "variables" not in self.required or "${" not in text:
            return Text((text,), argument.at)
        spaces = "include" in self.required
        pieces = references(text, self.shared, spaces, argument.at)
        return Text(pieces, argument.at)

    def text_or_empty(self, argument: Argument | None) -> Text:
        """The same; an argument that is not there is the empty string."""
        return Text(("",), 0) if argument is None else self.text(argument)

    def texts(self, argument: Argument | None) -> Texts:
        """A list of them."""
        if isinstance(argument, Strings):
            return Texts([self.text(item) for item in argument.items], argument.at)
        assert argument is not None
        return Texts([self.text(argument)], argument.at)

    def constant(self, argument: Argument | None, what: str) -> str:
        """A string that must be known now (RFC 5229 §3)."""
        text = self.text(argument)
        if text.constant is None:
            self.wrong(text.at, f"{what} cannot have variables in it")
        return text.constant

    def number(self, argument: Argument | None) -> int:
        """A number."""
        assert isinstance(argument, Number)
        return argument.value

    # -- variables ---------------------------------------------------------------------------

    def variable(self, argument: Argument | None, declared: bool = False) -> str:
        """The name of a variable to be set, lower case; those of `global.` keep that in front.

        `declared`: it is only named, so as to be one of all scripts.
        """
        assert isinstance(argument, String)
        name = self.constant(argument, "the name of a variable").lower()
        plain = name
        if name.startswith("global.") and "include" in self.required and not declared:
            plain = name.removeprefix("global.")
        if not NAME.match(plain):
            self.wrong(
                argument.at,
                f"{argument.text[:60]!r} is no name for a variable: letters, digits and _,"
                " not a digit first",
            )
        if declared:
            return name
        self.names.add(name)
        if len(self.names) > self.limits.variables:
            most = self.limits.variables
            self.wrong(argument.at, f"the script has more than {most} variables")
        return name

    def place(self, name: str) -> Callable[[Run], dict[str, str]]:
        """Where a variable of that name lies during a run."""
        if name in self.shared or name.startswith("global."):
            return lambda run: run.shared
        return lambda run: run.variables

    # -- commands and tests ------------------------------------------------------------------

    def test(self, node: Test) -> Asks:
        """What a test asks."""
        rule = self.language.tests.get(node.name)
        if rule is None:
            also = " (it is a command)" if node.name in self.language.commands else ""
            self.wrong(node.at, f"there is no test {node.name}{also}")
        if rule.capability:
            self.need(rule.capability, node.at, node.name)
        asks = rule.make(self, node, bind(self, node, rule.signature))
        at = node.at

        def stepped(run: Run) -> bool:
            run.at = at
            run.charge(1)
            return asks(run)

        return stepped

    def command(self, node: Command) -> Does:
        """What a command does."""
        rule = self.language.commands.get(node.name)
        if rule is None:
            also = " (it is a test: if …)" if node.name in self.language.tests else ""
            self.wrong(node.at, f"there is no command {node.name}{also}")
        if rule.capability:
            self.need(rule.capability, node.at, node.name)
        if node.name != "require":
            self.begun = True
        does = rule.make(self, node, bind(self, node, rule.signature))
        at = node.at

        def stepped(run: Run) -> None:
            run.at = at
            run.charge(1)
            does(run)

        return stepped

    def block(self, commands: Sequence[Command]) -> Does:
        """What commands do one after the other."""
        done: list[Does] = []
        number = 0
        while number < len(commands):
            node = commands[number]
            number += 1
            if node.name == "if":
                chain = [node]
                while number < len(commands) and commands[number].name in ("elsif", "else"):
                    chain.append(commands[number])
                    number += 1
                    if chain[-1].name == "else":
                        break
                done += self._tried(chain)
            else:
                done += self._tried([node])
        if len(done) == 1:
            return done[0]
        steps = tuple(done)

        def all_of_them(run: Run) -> None:
            for does in steps:
                does(run)

        return all_of_them

    def _tried(self, chain: list[Command]) -> list[Does]:
        """One command or chain of `if`; a mistake in it does not end the looking for others."""
        try:
            return [self._chain(chain) if chain[0].name == "if" else self.command(chain[0])]
        except Wrong as wrong:
            if "ihave" in self.required:
                # RFC 5463 §4: what is not understood is wrong only once it is come to.
                return [_failing(wrong)]
            self.mistakes.append(self.source.mistake(wrong.at, wrong.text))
            if len(self.mistakes) >= self.limits.mistakes:
                raise Enough from None
            return []

    def _chain(self, chain: Sequence[Command]) -> Does:
        self.begun = True
        branches: list[tuple[Asks, Does]] = []
        otherwise: Does | None = None
        for node in chain:
            bind(self, node, self.language.commands[node.name].signature)
            asks = self.test(node.tests[0]) if node.tests else None
            does = self.block(node.block or ())
            if asks is None:
                otherwise = does
            else:
                branches.append((asks, does))
        pairs = tuple(branches)

        def first_that_holds(run: Run) -> None:
            for asks, does in pairs:
                if asks(run):
                    does(run)
                    return
            if otherwise is not None:
                otherwise(run)

        return first_that_holds


class Enough(Exception):
    """So many mistakes that no more are looked for."""


def _failing(wrong: Wrong) -> Does:
    def fails(run: Run) -> None:
        run.fail(wrong.at, wrong.text)

    return fails

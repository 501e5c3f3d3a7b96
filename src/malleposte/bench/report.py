"""The outcome of a run: figures, ratios within repetitions, and what to know when reading them.

Plain data, written as JSON as it stands. A `Measure` is one figure of one subject over all
repetitions; a `Ratio` compares two subjects repetition by repetition and only then summarises.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from malleposte.bench.measure import Better, Sample
from malleposte.bench.spread import Spread, ratios, spread

# A client that was busy for this share of the time may itself be the limit.
BUSY_CLIENT = 0.4


@dataclass(frozen=True, slots=True)
class SubjectEntry:
    """A subject that took part."""

    name: str
    label: str
    durability: str
    ours: bool


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure of one subject. `values` by repetition; `cpu` server milliseconds an operation."""

    work: str
    what: str
    unit: str
    better: Better
    subject: str
    values: dict[int, float]
    spread: Spread
    cpu: Spread | None
    client_share: Spread | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ratio:
    """`subject` / `baseline` of one figure, and of the CPU an operation."""

    work: str
    what: str
    better: Better
    subject: str
    baseline: str
    spread: Spread
    cpu: Spread | None


@dataclass(slots=True)
class Report:
    """Everything about one run."""

    started: str
    environment: dict[str, str]
    subjects: list[SubjectEntry] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    order: list[list[str]] = field(default_factory=list)
    floor: dict[str, Spread] = field(default_factory=dict)
    measures: list[Measure] = field(default_factory=list)
    ratios: list[Ratio] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def measures_of(subject: str, repetitions: Mapping[int, Sequence[Sample]]) -> list[Measure]:
    """Gather one subject's samples by figure, in the order in which they first came."""
    gathered: dict[tuple[str, str], dict[int, Sample]] = {}
    for repetition, samples in repetitions.items():
        for sample in samples:
            # A figure that came twice in a repetition (a restart in between): the last stands.
            gathered.setdefault((sample.work, sample.what), {})[repetition] = sample
    return [_measure(subject, samples) for samples in gathered.values()]


def _measure(subject: str, samples: Mapping[int, Sample]) -> Measure:
    first = next(iter(samples.values()))
    values = {repetition: sample.value for repetition, sample in samples.items()}
    cpu = [sample.cpu * 1000 for sample in samples.values() if sample.cpu is not None]
    shares = [one.client_share for one in samples.values() if one.client_share is not None]
    notes = dict.fromkeys(sample.note for sample in samples.values() if sample.note)
    return Measure(
        work=first.work,
        what=first.what,
        unit=first.unit,
        better=first.better,
        subject=subject,
        values=values,
        spread=spread(list(values.values())),
        cpu=spread(cpu) if cpu else None,
        client_share=spread(shares) if shares else None,
        notes=tuple(notes),
    )


def pairs(subjects: Iterable[SubjectEntry]) -> list[tuple[str, str]]:
    """Who is compared with whom: each of ours with each peer; without ours, all with the first."""
    every = list(subjects)
    ours = [entry.name for entry in every if entry.ours]
    peers = [entry.name for entry in every if not entry.ours]
    if ours and peers:
        return [(one, peer) for one in ours for peer in peers]
    names = ours or peers
    return [(name, names[0]) for name in names[1:]]


def compare(
    measures: Sequence[Measure],
    cpu: Mapping[tuple[str, str, str], dict[int, float]],
    compared: Sequence[tuple[str, str]],
) -> list[Ratio]:
    """Ratios of all figures that both sides of a pair have.

    `cpu` holds CPU seconds an operation by (subject, work, what) and repetition.
    """
    by_key = {(one.subject, one.work, one.what): one for one in measures}
    found: list[Ratio] = []
    for subject, baseline in compared:
        for (name, work, what), ours in by_key.items():
            theirs = by_key.get((baseline, work, what))
            if name != subject or theirs is None:
                continue
            ratio = ratios(ours.values, theirs.values)
            if ratio is not None:
                other = ratios(
                    cpu.get((subject, work, what), {}), cpu.get((baseline, work, what), {})
                )
                found.append(Ratio(work, what, ours.better, subject, baseline, ratio, other))
    return found


def doubts(measures: Sequence[Measure], repetitions: int, few: int) -> list[str]:
    """What makes figures worth less: few repetitions, a busy client, errors, different hits."""
    said: list[str] = []
    if repetitions < few:
        said.append(f"{repetitions} repetition(s): orientation only, {few} are needed to quote")
    for one in measures:
        if one.client_share is not None and one.client_share.median > BUSY_CLIENT:
            share = one.client_share.median * 100
            said.append(f"{one.work} {one.what}, {one.subject}: the client used {share:.0f} % CPU")
        if one.unit == "errors" and one.spread.greatest:
            said.append(f"{one.work} {one.what}, {one.subject}: {one.spread.greatest:.0f} at most")
    hits: dict[tuple[str, str], dict[str, float]] = {}
    for one in measures:
        if one.unit == "hits":
            hits.setdefault((one.work, one.what), {})[one.subject] = one.spread.median
    for (work, what), found in hits.items():
        if len(set(found.values())) > 1:
            each = ", ".join(f"{name} {value:,.0f}" for name, value in found.items())
            said.append(f"{work} {what} differ ({each}): compare hits, not only times")
    return said


def write_json(report: Report, path: Path) -> None:
    """Write the report, indented."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")

"""The report as text: a table, what was fsynced, doubts. Plain when it does not go to a terminal."""

from collections.abc import Sequence
from typing import TextIO

from rich import box
from rich.console import Console
from rich.table import Table

from malleposte.bench.report import Measure, Ratio, Report
from malleposte.bench.spread import Spread

# Wide enough for two servers and their ratios where there is no terminal to ask.
PLAIN_WIDTH = 170


def figure(value: float) -> str:
    """Three significant digits, thousands marked, never in powers of ten."""
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 100:
        return f"{value:,.0f}"
    if size >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if size >= 0.1 else f"{value:.4f}"


def spread_text(spread: Spread) -> str:
    """`404 (403–429)`, or the value alone when there is only one."""
    if spread.count == 1 or spread.least == spread.greatest:
        return figure(spread.median)
    return f"{figure(spread.median)} ({figure(spread.least)}–{figure(spread.greatest)})"


def show(report: Report, to: TextIO) -> None:
    """Print the whole report."""
    terminal = to.isatty()
    console = Console(
        file=to,
        width=None if terminal else PLAIN_WIDTH,
        highlight=False,
        no_color=None if terminal else True,
    )
    console.print(table(report, plain=not terminal))
    if report.floor:
        console.print("Floor (median, min–max, µs):")
        for what, seconds in report.floor.items():
            scaled = Spread(
                seconds.median * 1e6, seconds.least * 1e6, seconds.greatest * 1e6, seconds.count
            )
            console.print(f"  {what}: {spread_text(scaled)}", markup=False)
    for entry in report.subjects:
        console.print(f"{entry.name} is {entry.label}. {entry.durability}", markup=False)
    for name, reason in report.left_out.items():
        console.print(f"Left out: {name}: {reason}", markup=False)
    for measure in report.measures:
        for note in measure.notes:
            text = f"{measure.work} {measure.what}, {measure.subject}: {note}"
            console.print(f"Note: {text}", markup=False)
    for text in report.failures:
        console.print(f"Failed: {text}", markup=False)
    for text in report.warnings:
        console.print(f"Warning: {text}", markup=False)


def table(report: Report, *, plain: bool) -> Table:
    """A row a figure; a column of figures and one of CPU a subject, one of ratios a pair."""
    made = Table(box=box.ASCII2 if plain else box.SIMPLE_HEAD, title=f"Bench of {report.started}")
    made.add_column("work")
    made.add_column("what")
    made.add_column("unit")
    names = [entry.name for entry in report.subjects]
    for name in names:
        made.add_column(name, justify="right")
        made.add_column("CPU ms", justify="right")
    compared = list(dict.fromkeys((one.subject, one.baseline) for one in report.ratios))
    for subject, baseline in compared:
        made.add_column(f"{subject} / {baseline}", justify="right")
    measures = {(one.work, one.what, one.subject): one for one in report.measures}
    ratios = {(one.work, one.what, one.subject, one.baseline): one for one in report.ratios}
    rows = dict.fromkeys((one.work, one.what, one.unit) for one in report.measures)
    for work, what, unit in rows:
        cells = [work, what, unit]
        for name in names:
            cells += _measure_cells(measures.get((work, what, name)))
        cells += _ratio_cells(work, what, compared, ratios)
        made.add_row(*cells)
    return made


def _measure_cells(measure: Measure | None) -> list[str]:
    if measure is None:
        return ["–", ""]
    return [spread_text(measure.spread), figure(measure.cpu.median) if measure.cpu else ""]


def _ratio_cells(
    work: str,
    what: str,
    compared: Sequence[tuple[str, str]],
    ratios: dict[tuple[str, str, str, str], Ratio],
) -> list[str]:
    found = [ratios.get((work, what, subject, baseline)) for subject, baseline in compared]
    return [spread_text(one.spread) if one else "" for one in found]

"""A bar chart of ratios as SVG, without a library.

Every bar says how many times *better* the first is than the second, whatever better means for the
figure (rates: more, times and bytes: less), on a logarithmic scale around 1: to the right better,
to the left worse. A thin line shows least and greatest ratio. Light background, plain shapes, and
all text from outside is escaped. Colours differ in lightness too and every bar carries its figure,
so nothing rests on colour alone.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from malleposte.bench.report import Report
from malleposte.bench.table import figure

_WIDTH = 980
_LEFT = 330
_RIGHT = 150
_ROW = 24
_TOP = 74
_BOTTOM = 30
_BETTER, _WORSE, _INK, _GRID = "#1a6e5c", "#c0702a", "#222222", "#d8d8d8"
# A ratio further out than this is drawn at the edge; its figure still stands beside the bar.
_FAR = 1000.0


@dataclass(frozen=True, slots=True)
class Bar:
    """One comparison: how many times better (median, least, greatest), and the figures behind.

    Bars of the same `group` stand together under it.
    """

    group: str
    label: str
    times: float
    least: float
    greatest: float
    figures: str


def bars(report: Report) -> list[Bar]:
    """A bar for each ratio that has a better side."""
    medians = {(one.work, one.what, one.subject): one for one in report.measures}
    made: list[Bar] = []
    for one in report.ratios:
        low, high = one.spread.least, one.spread.greatest
        if one.better == "neither" or low <= 0:
            continue
        times = one.spread.median
        if one.better == "less":
            times, low, high = 1 / times, 1 / high, 1 / low
        ours = medians[one.work, one.what, one.subject]
        theirs = medians[one.work, one.what, one.baseline]
        figures = f"{figure(ours.spread.median)} : {figure(theirs.spread.median)} {ours.unit}"
        group = f"{one.subject} against {one.baseline}"
        made.append(Bar(group, f"{one.work} {one.what}", times, low, high, figures))
    return made


def draw(bars: Sequence[Bar], title: str, subtitle: str) -> str:
    """The chart; with no bars it says that there was nothing to compare."""
    rows: list[Bar | str] = []
    group = ""
    for bar in bars:
        if bar.group != group:
            group = bar.group
            rows.append(group)
        rows.append(bar)
    height = _TOP + _ROW * max(1, len(rows)) + _BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'width="{_WIDTH}" height="{height}" role="img" font-family="sans-serif" '
        f'font-size="12" fill="{_INK}">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        _text(16, 26, title, size=17, weight="bold"),
        _text(16, 46, subtitle),
    ]
    if bars:
        scale = _Scale(bars)
        parts += _grid(scale, height)
        for number, row in enumerate(rows):
            y = _TOP + number * _ROW
            if isinstance(row, Bar):
                parts += _bar(row, y, scale)
            else:
                parts.append(_text(16, y + 14, row, weight="bold"))
    else:
        parts.append(_text(16, _TOP + 14, "Nothing to compare: fewer than two servers measured."))
    return "\n".join([*parts, "</svg>"]) + "\n"


class _Scale:
    """Logarithmic, whole powers of ten or parts of them, always with 1 inside."""

    def __init__(self, bars: Sequence[Bar]) -> None:
        least = min(1 / 2, *(max(bar.least, 1 / _FAR) for bar in bars))
        greatest = max(2.0, *(min(bar.greatest, _FAR) for bar in bars))
        self.low, self.high = math.log10(least) - 0.05, math.log10(greatest) + 0.05

    def x(self, value: float) -> float:
        part = (math.log10(max(value, 1e-9)) - self.low) / (self.high - self.low)
        return round(_LEFT + (_WIDTH - _LEFT - _RIGHT) * min(1.0, max(0.0, part)), 1)

    def marks(self) -> list[float]:
        every = [step * 10.0**power for power in range(-3, 4) for step in (1, 2, 5)]
        if self.high - self.low > 2:
            every = [10.0**power for power in range(-3, 4)]
        return [mark for mark in every if self.low <= math.log10(mark) <= self.high]


def _grid(scale: _Scale, height: int) -> list[str]:
    parts: list[str] = []
    for mark in scale.marks():
        x = scale.x(mark)
        stroke, width = (_INK, 1.2) if mark == 1 else (_GRID, 1)
        parts.append(
            f'<line x1="{x}" x2="{x}" y1="{_TOP - 6}" y2="{height - _BOTTOM + 4}" '
            f'stroke="{stroke}" stroke-width="{width}"/>'
        )
        parts.append(_text(x, height - _BOTTOM + 18, f"{mark:g} ×", anchor="middle"))
    return parts


def _bar(bar: Bar, y: int, scale: _Scale) -> list[str]:
    one, end = scale.x(1.0), scale.x(bar.times)
    colour = _BETTER if bar.times >= 1 else _WORSE
    middle = y + _ROW / 2 - 2
    low, high = scale.x(bar.least), scale.x(bar.greatest)
    return [
        _text(_LEFT - 10, y + 14, bar.label, anchor="end"),
        f'<rect x="{min(one, end)}" y="{y + 2}" width="{max(1.0, round(abs(end - one), 1))}" '
        f'height="{_ROW - 8}" fill="{colour}"/>',
        f'<line x1="{low}" x2="{high}" y1="{middle}" y2="{middle}" stroke="{_INK}"/>',
        _text(max(one, end, high) + 6, y + 14, f"{figure(bar.times)} ×", weight="bold"),
        _text(_WIDTH - 8, y + 14, bar.figures, anchor="end", size=10),
    ]


def _text(
    x: float, y: float, text: str, *, size: int = 12, weight: str = "normal", anchor: str = "start"
) -> str:
    return (
        f'<text x="{x}" y="{y}" font-size="{size}" font-weight="{weight}" '
        f'text-anchor="{anchor}">{escape(text)}</text>'
    )

"""The plot is well-formed whatever names it gets, and its bars point the right way."""

from xml.etree import ElementTree

from malleposte.bench.measure import Better, Sample
from malleposte.bench.plot import Bar, bars, draw
from malleposte.bench.report import Report, SubjectEntry, compare, measures_of

SVG = "{http://www.w3.org/2000/svg}"


def report_of(better: Better, ours: float, theirs: float) -> Report:
    report = Report("now", {})
    for name, value, own in (("ours", ours, True), ("sdbox", theirs, False)):
        one = Sample("I2", "flags", "ms", better, value)
        report.measures += measures_of(name, {0: [one]})
        report.subjects.append(SubjectEntry(name, name, "", own))
    report.ratios = compare(report.measures, {}, [("ours", "sdbox")])
    return report


def rectangles(svg: str) -> list[ElementTree.Element]:
    """The bars: every rectangle but the background."""
    return ElementTree.fromstring(svg).findall(f"{SVG}rect")[1:]


def test_better_is_to_the_right_for_rates_and_for_times() -> None:
    assert [bar.times for bar in bars(report_of("more", 300.0, 100.0))] == [3.0]
    assert [bar.times for bar in bars(report_of("less", 50.0, 100.0))] == [2.0]
    assert [bar.times for bar in bars(report_of("less", 400.0, 100.0))] == [0.25]


def test_hits_are_no_bar() -> None:
    assert bars(report_of("neither", 3.0, 2.0)) == []


def test_the_drawing_is_well_formed_with_hostile_names() -> None:
    label = "<script>&\"' ]]> R8"
    svg = draw([Bar("a > b", label, 2.0, 1.5, 3.0, "1 : 2 <ms>")], "a & b", "<c>")
    texts = [element.text for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]
    assert label in texts
    assert "1 : 2 <ms>" in texts
    assert "a & b" in texts
    assert "a > b" in texts


def test_bars_stay_inside_and_meet_at_one() -> None:
    made = [
        Bar("g", "up", 4.0, 3.0, 5.0, ""),
        Bar("g", "down", 0.25, 0.2, 0.3, ""),
        Bar("g", "far", 1e9, 1, 1e9, ""),
    ]
    up, down, far = rectangles(draw(made, "t", "s"))
    one = float(up.attrib["x"])
    assert abs(float(down.attrib["x"]) + float(down.attrib["width"]) - one) < 0.11
    for bar in (up, down, far):
        assert float(bar.attrib["x"]) >= 0
        assert float(bar.attrib["x"]) + float(bar.attrib["width"]) <= 980
    assert up.attrib["fill"] != down.attrib["fill"]


def test_without_a_comparison_it_says_so() -> None:
    svg = draw([], "t", "s")
    assert rectangles(svg) == []
    assert "Nothing to compare" in svg


def test_each_pair_of_servers_has_its_heading_once() -> None:
    made = [Bar("a / p", "x", 2.0, 2.0, 2.0, ""), Bar("a / p", "y", 2.0, 2.0, 2.0, "")]
    svg = draw([*made, Bar("a / q", "x", 2.0, 2.0, 2.0, "")], "t", "s")
    assert (svg.count("a / p<"), svg.count("a / q<")) == (1, 1)
    tops = [float(bar.attrib["y"]) for bar in rectangles(svg)]
    assert tops == sorted(set(tops))

"""Pictures: everything drawn lies on the paper, texts are escaped, and nothing needs an inline style."""

import re
from xml.etree import ElementTree

import pytest

from annotations.reports import charts
from annotations.reports.charts import Mark

SVG = "{http://www.w3.org/2000/svg}"


def parsed(svg: str) -> ElementTree.Element:
    assert "style=" not in svg
    return ElementTree.fromstring(svg)  # noqa: S314 (our own text)


def places(root: ElementTree.Element, name: str) -> list[float]:
    return [float(each.get(name, "nan")) for each in root.iter() if each.get(name)]


MARKS = [
    Mark("narrow", 0.5, 0.4, 0.6, 0.3, 0.9, "0.5"),
    Mark("undefined", None),
    Mark("below <zero> & far", -0.2, -0.4, 0.1),
]


def test_an_interval_plot_keeps_to_its_paper() -> None:
    root = parsed(charts.interval_plot(MARKS, title='"quoted" <title>', references=[(0.8, "ceiling")], axis="score"))

    _, _, width, height = map(float, root.get("viewBox", "").split())
    for name, most in (("x1", width), ("x2", width), ("cx", width), ("y1", height), ("y2", height)):
        assert all(0 <= place <= most for place in places(root, name))
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert "not estimable" in texts
    assert "below <zero> & far" in texts
    assert root.get("aria-label") == '"quoted" <title>'


def test_a_larger_value_lies_further_right() -> None:
    root = parsed(charts.interval_plot(MARKS, title="t"))
    upper, lower = (float(circle.get("cx", "")) for circle in root.iter(f"{SVG}circle"))
    assert upper > lower


@pytest.mark.parametrize("marks", [[], [Mark("only", None)], [Mark("one", 2.0)], [Mark("same", 1.0, 1.0, 1.0)]])
def test_little_or_nothing_can_be_drawn(marks: list[Mark]) -> None:
    parsed(charts.interval_plot(marks, title="t"))


def test_axis_figures_are_round() -> None:
    texts = re.findall(r'class="tick"[^>]*>([^<]+)<', charts.interval_plot([Mark("a", 0.13, 0.07, 0.31)], title="t"))
    assert texts == ["0.05", "0.10", "0.15", "0.20", "0.25", "0.30", "0.35"]


def test_stacked_bars_share_their_row() -> None:
    root = parsed(
        charts.stacked_bars([("a", [1, 0, 3]), ("empty", [0, 0, 0])], levels=["bad", "fair", "good"], title="t")
    )

    widths = [float(rect.get("width", "")) for rect in root.iter(f"{SVG}rect")]
    assert len(widths) == 2
    assert widths[1] / widths[0] == pytest.approx(3, rel=0.02)
    assert "75%" in [text.text for text in root.iter(f"{SVG}text")]


def test_differences_stand_on_their_side_of_zero() -> None:
    root = parsed(charts.difference_plot([[-0.5, 2], [0.0, 3], [1.0, 5]], title="t", axis="a"))

    bars = {rect.get("class"): rect for rect in root.iter(f"{SVG}rect")}
    lost, tied, won = (float(bars[f"bar {kind}"].get("x", "")) for kind in ("loss", "tie", "win"))
    assert lost < tied < won
    assert float(bars["bar win"].get("height", "")) > float(bars["bar loss"].get("height", ""))


def test_nothing_to_compare_draws_nothing() -> None:
    assert charts.difference_plot([], title="t", axis="a") == ""
    assert charts.split_bar([("better", 0, "win")], title="t") == ""

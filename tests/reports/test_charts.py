"""Pictures: everything drawn lies on the paper, texts are escaped, and nothing needs an inline style."""

import re
from xml.etree import ElementTree

import pytest

from annotations.reports import charts
from annotations.reports.charts import Mark
from annotations.reports.pictures.curves import Curve, curve_chart
from annotations.reports.pictures.svg import PAGE, PHONE, Layout

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


@pytest.mark.parametrize("layout", [PAGE, PHONE])
@pytest.mark.parametrize("scale", [(1, 5), (1, 7), (0, 1), (0, 100), (1, 3), (-2, 2), (17.7, 100), (0.5, 4.5), (1, 10)])
def test_no_tick_lies_outside_the_scale_and_each_cut_end_has_an_arrow(
    scale: tuple[float, float], layout: Layout
) -> None:
    low, high = scale
    middle = (low + high) / 2
    marks = [
        Mark("both ends", middle, low - 20, high + 20),
        Mark("inside", middle, (low + middle) / 2, middle),
        Mark("unbounded", middle, middle, high, float("-inf"), high),
    ]
    svg = charts.interval_plot(marks, title="t", limits=scale, shown=scale, layout=layout)

    root = parsed(svg)
    ticks = [float(text.replace("−", "-")) for text in re.findall(r'class="tick"[^>]*>([^<]+)<', svg)]
    assert len(ticks) >= 3
    assert all(low <= tick <= high for tick in ticks)
    arrows = [path.get("d", "") for path in root.iter(f"{SVG}path")]
    assert len(arrows) == 3
    assert len({arrow.split()[0] for arrow in arrows}) == 2, "arrows at both ends of the axis"


def test_an_interval_that_ends_on_the_axis_has_no_arrow() -> None:
    assert "arrow" not in charts.interval_plot([Mark("a", 3, 1, 5)], title="t", limits=(1, 5), shown=(1, 5))


def test_labels_of_lines_do_not_cover_each_other() -> None:
    marks = [Mark("clip", 0.2, 0.0, 0.4)]
    references = [(0.0, "0"), (0.005, "one rater against the rest")]
    svg = charts.interval_plot(marks, title="t", references=references)
    first, second = (float(re.findall(f'y="([0-9.]+)"[^>]*>{label}<', svg)[0]) for _, label in references)
    assert abs(first - second) >= 12


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


def test_differences_are_on_their_side_of_zero() -> None:
    root = parsed(charts.difference_plot([[-0.5, 2], [0.0, 3], [1.0, 5]], title="t", axis="a"))

    bars = {rect.get("class"): rect for rect in root.iter(f"{SVG}rect")}
    lost, tied, won = (float(bars[f"bar {kind}"].get("x", "")) for kind in ("loss", "tie", "win"))
    assert lost < tied < won
    assert float(bars["bar win"].get("height", "")) > float(bars["bar loss"].get("height", ""))


def test_nothing_to_compare_draws_nothing() -> None:
    assert charts.difference_plot([], title="t", axis="a") == ""
    assert charts.split_bar([("better", 0, "win")], title="t") == ""


@pytest.mark.parametrize("layout", [PAGE, PHONE])
@pytest.mark.parametrize("counts", [(2, 1, 1), (12, 0, 1), (1, 0, 120), (500, 1, 1), (0, 0, 3), (1, 1, 1000)])
def test_every_part_of_a_bar_is_named_where_it_can_be_read(counts: tuple[int, int, int], layout: Layout) -> None:
    names = ("better", "equal", "worse")
    parts = list(zip(names, counts, ("win", "tie", "loss"), strict=True))
    root = parsed(charts.split_bar(parts, title="t", layout=layout))

    width = float(root.get("viewBox", "").split()[2])
    texts = [(float(text.get("x", "")), text.text or "") for text in root.iter(f"{SVG}text")]
    assert [text for _, text in texts] == [f"{n:,} {name}" for name, n in zip(names, counts, strict=True) if n]
    ends = [x + 6.6 * len(text) for x, text in texts]
    assert all(end <= next_x for end, (next_x, _) in zip(ends, texts[1:], strict=False))
    assert ends[-1] <= width


def test_names_too_long_for_one_line_have_a_line_each_and_no_line_crosses_them() -> None:
    parts = [("for simulated refined", 246, "win"), ("ties", 61, "tie"), ("for simulated baseline", 53, "loss")]
    root = parsed(charts.split_bar(parts, title="t", layout=PHONE))
    texts = [(float(text.get("x", "")), float(text.get("y", "")), text.text or "") for text in root.iter(f"{SVG}text")]
    assert [words for _, _, words in texts] == ["246 for simulated refined", "61 ties", "53 for simulated baseline"]
    assert len({y for _, y, _ in texts}) == 3
    assert all(x + 6.6 * len(words) <= 360 for x, _, words in texts)
    bar = min(float(rect.get("y", "")) for rect in root.iter(f"{SVG}rect"))
    assert max(y for _, y, _ in texts) < bar
    for line in root.iter(f"{SVG}line"):
        x, top = float(line.get("x1", "")), float(line.get("y1", ""))
        assert not any(left <= x <= left + 6.6 * len(words) and y > top for left, y, words in texts)


@pytest.mark.parametrize("layout", [PAGE, PHONE])
def test_every_picture_keeps_to_its_paper(layout: Layout) -> None:
    long = "a method with a rather long name, longer than its column is wide"
    pictures = [
        charts.interval_plot(
            [Mark(long, 0.5, 0.2, 0.9, text="0.500 [0.200, 0.900]")], title="t", axis=long, layout=layout
        ),
        charts.stacked_bars([(long, [1, 2, 3])], levels=[long, "b", long], title="t", layout=layout),
        charts.share_bars([(long, 3), ("b", 1000)], title="t", layout=layout),
        charts.difference_plot([[-1.0, 3], [2.0, 1]], title="t", axis=long, layout=layout),
    ]
    for picture in pictures:
        root = parsed(picture)
        _, _, width, height = map(float, root.get("viewBox", "").split())
        for text in root.iter(f"{SVG}text"):
            x, y, wide = float(text.get("x", "")), float(text.get("y", "")), 6.6 * len(text.text or "")
            start = x - {"start": 0.0, "middle": wide / 2, "end": wide}[text.get("text-anchor", "")]
            assert start >= -7, text.text
            assert start + wide <= width + 7, text.text
            assert 0 < y < height
        for rect in root.iter(f"{SVG}rect"):
            assert float(rect.get("x", "")) + float(rect.get("width", "")) <= width


def test_values_apart_by_rounding_errors_alone_are_drawn() -> None:
    """Strengths of methods that won equally often: the axis had no width, and the results page broke."""
    marks = [Mark("a", 1e-17, -1e-17, 2e-17), Mark("b", 0.0)]
    assert "mean" in charts.interval_plot(marks, title="t", references=[(0.0, "mean")])


@pytest.mark.parametrize("layout", [PAGE, PHONE])
def test_curves_keep_to_their_paper_and_their_labels_apart(layout: Layout) -> None:
    curves = [
        Curve(f"{n} raters <&>", [(10, 0.5 / n), (40, 0.2 / n), (160, 0.1 / n)], here=(40, 0.2 / n))
        for n in range(2, 9)
    ]
    banded = Curve("band", [(10, 0.1), (160, 0.9)], [(10, -0.4, 0.2), (160, 0.5, 2.0)])
    svg = curve_chart(
        [*curves, banded], title="t", axis="prompts", ticks=[10, 40, 160], limits=(0, 1), is_log=True, layout=layout
    )
    root = parsed(svg)
    _, _, width, height = map(float, root.get("viewBox", "").split())
    corners = [float(number) for d in re.findall(r'd="([^"]*)"', svg) for number in re.findall(r"[\d.]+", d)]
    assert all(0 <= x <= width and 0 <= y <= height for x, y in zip(corners[::2], corners[1::2], strict=True))
    labels = [float(each.get("y", "nan")) for each in root.iter(f"{SVG}text") if each.get("class") == "label"]
    assert len(labels) == 8
    assert min(abs(one - other) for one in labels for other in labels if one != other) >= 14.9
    assert all(0 <= y <= height for y in labels)
    ticks = [float(x) for x in re.findall(r'x="([\d.]+)" y="[\d.]+" text-anchor="middle">(?:10|40|160)<', svg)]
    assert ticks[1] - ticks[0] == pytest.approx(ticks[2] - ticks[1], abs=0.2)  # equal ratios, equally far apart
    assert curve_chart([], title="t", axis="", ticks=[1, 2]) == ""

"""Pictures that stand alone have the colours that the page's style sheet has in light."""

import re

import pytest

from annotations.reports import charts
from annotations.reports.charts import Mark
from annotations.reports.documents.critic import CalibrationBin
from annotations.reports.page import STYLE
from annotations.reports.paper.standalone import LOOK, alone
from annotations.reports.pictures.svg import PAGE


def light(name: str) -> str:
    """A token's light colour in the style sheet."""
    found = re.search(rf"--chart-{name}: var\(.*?light-dark\((#\w+)", STYLE.read_text(encoding="utf-8"))
    assert found is not None
    return found[1]


@pytest.mark.parametrize(
    ("kind", "attribute", "token"),
    [
        ("label", "fill", "ink"),
        ("tick", "fill", "soft"),
        ("grid", "stroke", "line"),
        ("whisker", "stroke", "accent"),
        ("bar win", "fill", "accent"),
        ("bar tie", "fill", "line"),
        ("bar loss", "stroke", "ink"),
    ],
)
def test_colours_are_those_of_the_style_sheet(kind: str, attribute: str, token: str) -> None:
    assert f'{attribute}="{light(token)}"' in LOOK[kind]


def test_wins_ties_and_losses_differ_in_grey() -> None:
    def grey(kind: str) -> float:
        colour = re.search(r'fill="#(\w\w)(\w\w)(\w\w)"', LOOK[kind])
        assert colour is not None
        red, green, blue = (int(part, 16) for part in colour.groups())
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    shades = sorted(grey(kind) for kind in ("bar win", "bar tie", "bar loss"))
    assert min(shades[1] - shades[0], shades[2] - shades[1]) > 30


def test_every_class_of_every_chart_has_a_look() -> None:
    pictures = [
        charts.interval_plot(
            [Mark("a", 0.5, -1.0, 2.0, -2.0, 3.0, "x"), Mark("b", None)],
            title="t",
            limits=(0.0, 1.0),
            references=[(0.0, "0")],
            axis="a",
        ),
        charts.difference_plot([(-1, 2), (0, 1), (1, 3)], title="t", axis="a"),
        charts.reliability_plot(
            [CalibrationBin(low=0.4, high=0.6, n=3, confidence=0.5, accuracy=0.4, interval_low=0.1, interval_high=0.8)],
            title="t",
            axes=("a", "b"),
            ideal="i",
        ),
        charts.stacked_bars([("a", [5, 5])], levels=("x", "y"), title="t"),
        charts.share_bars([("a", 3), ("b", 1)], title="t"),
        charts.split_bar([("better", 3, "win"), ("equal", 1, "tie"), ("worse", 1, "loss")], title="t", layout=PAGE),
    ]
    for picture in pictures:
        assert " class=" not in alone(picture, 6.9)


def test_pictures_other_than_our_own_are_refused() -> None:
    with pytest.raises(ValueError, match="not a picture"):
        alone("<svg></svg>", 6.9)

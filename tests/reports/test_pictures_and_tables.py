"""Every picture of a full report: it has a name, its figures are in a table of its section, and it reads in grey."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from html import unescape
from itertools import combinations
from typing import TypeVar
from xml.etree import ElementTree

import numpy as np
import pytest

from annotations.reports.critic.analysis import analyse_critics
from annotations.reports.critic.data import FIXED, IN_NEITHER, IN_REFINED, Repairs
from annotations.reports.critic.document import critic_document
from annotations.reports.critic.figures import Options as CriticOptions
from annotations.reports.documents.conversion import Document
from annotations.reports.paper.standalone import LOOK, PAGE_INCHES, alone
from annotations.reports.parts import parts_of
from annotations.reports.rendering import grouped
from annotations.reports.view import Block, Figure, Folded, Section, Table
from annotations.reports.votes.document import preference_document
from annotations.stats.critic.audit import RIGHT, WRONG
from annotations.stats.preferences.rankings import Rankings
from annotations.stats.preferences.votes import Facet, Votes
from tests.benchmarks.coverage import demo_critic
from tests.reports.critic.test_figures import audited
from tests.reports.study.documents import study_data, study_document


def study() -> Document:
    methods = ("base", "refined", "third")
    questions = [("alignment", "ordinal"), ("which", "nominal")]
    data = study_data(questions, methods=methods, metrics=("clip", "vqa"), n_prompts=48)
    category = np.array(["color", "counting"], dtype=object)[data.prompt % 2]
    return study_document(replace(data, facets={"category": category}))


def votes(methods: tuple[str, ...], name: str) -> Document:
    rng = np.random.default_rng(1)
    pairs = np.array(list(combinations(range(len(methods)), 2)))
    prompt, rater = (each.ravel() for each in np.meshgrid(np.arange(40), np.arange(4), indexing="ij"))
    pair = pairs[(prompt + rater) % len(pairs)]
    outcome = rng.choice(3, len(prompt), p=[0.5, 0.35, 0.15])
    made = Votes(
        methods,
        *(pair[:, 0], pair[:, 1], outcome),
        rater=rater,
        prompt=prompt,
        side=np.where(prompt % 2, 1, -1),
        facets={"category": Facet(["color", "counting"], prompt // 4 % 2)},
    )
    return preference_document({name: made}, title=name, code_version="1", made_at="now")


def rankings() -> Document:
    rng = np.random.default_rng(2)
    prompt, rater = (each.ravel() for each in np.meshgrid(np.arange(30), np.arange(3), indexing="ij"))
    item = np.tile(np.arange(3), (len(prompt), 1))
    rank = np.argsort(np.argsort(rng.normal([0.6, 0.3, 0.0], 1.0, item.shape), axis=1), axis=1) + 1
    made = Rankings(("a", "b", "c"), item, rank, rater=rater, prompt=prompt)
    return preference_document({"order": made}, title="Rankings", code_version="1", made_at="now")


def demo_of_critics() -> Document:
    """The demo study, audited with controls, searches in both orders and judged repairs."""
    data = demo_critic.demo_data(demo_critic.demo(3, 4), demo_critic.PANEL, 3)
    return critic_document(analyse_critics(data, FAST), title="Demo", code_version="1", made_at="now")


def two_critics() -> Document:
    """Two critics who state their confidence, and what refinement gained."""
    claims = [
        {"image": i % 4, "verdict": (RIGHT, WRONG)[i % 3 == 0], "critic": i % 2, "confidence": 0.3 + 0.05 * i}
        | {"kind": ("count", "colour")[i // 2 % 2], "about": f"e{i % 2}", "group": i}
        for i in range(12)
    ]
    repairs = Repairs(
        pair_image=np.arange(4),
        pair_method=np.full(4, "refined", object),
        pair_is_placebo=np.zeros(4, bool),
        pair=np.arange(4),
        claim=np.arange(4),
        outcome=np.full(4, FIXED),
        on_left=np.full(4, -1),
        element_pair=np.arange(4),
        element=np.array(["e0", "e1", "e0", "e3"], object),
        answer=np.array([IN_REFINED, IN_REFINED, IN_NEITHER, IN_REFINED]),
    )
    data = replace(audited(claims, n_critics=2, searches=[(i, 0, True) for i in range(4)]), repairs=repairs)
    return critic_document(analyse_critics(data, FAST), title="Two", code_version="1", made_at="now")


Kind = TypeVar("Kind", Figure, Table)
FAST = CriticOptions(n_resamples=50, n_permutations=19)
DOCUMENTS = {
    "study": (study, 10),
    "votes of two methods": (lambda: votes(("base", "refined"), "two"), 3),
    "votes of four methods": (lambda: votes(("a", "b", "c", "d"), "four"), 3),
    "rankings": (rankings, 3),
    "critic": (demo_of_critics, 8),
    "two critics": (two_critics, 8),
}
"""What makes the document, and how many pictures it has at least."""


@pytest.fixture(scope="module", params=list(DOCUMENTS))
def drawn(request: pytest.FixtureRequest) -> list[tuple[Section, Figure]]:
    make, least = DOCUMENTS[request.param]
    found = [
        (section, figure)
        for part in parts_of(make())
        for section in part.sections
        for figure in of_kind(section.blocks, Figure)
    ]
    assert len(found) >= least
    return found


def of_kind(blocks: Sequence[Block], kind: type[Kind]) -> Iterator[Kind]:
    for block in blocks:
        if isinstance(block, kind):
            yield block
        elif isinstance(block, Folded):
            yield from of_kind(block.blocks, kind)


def cells_of(section: Section) -> list[str]:
    tables = of_kind(section.blocks, Table)
    return [str(grouped(cell)) for table in tables for row in (table.head, *table.rows) for cell in row]


NUMBER = re.compile(r"(?<![\w.])[−+-]?\d[\d,]*(?:\.\d+)?")


def numbers(text: str) -> list[tuple[float, int]]:
    """Every number in a text, and how many decimals it is written with."""
    found = [each.replace(",", "").replace("−", "-") for each in NUMBER.findall(text)]
    return [(float(each), len(each.partition(".")[2])) for each in found]


def written_in(svg: str) -> Iterator[str]:
    """What a picture says in figures: next to its marks, in its bars, and on hovering; not its axis."""
    kinds = "value|share on-dark|share on-light" + ("|tick" if 'class="leader"' in svg else "")
    yield from re.findall(rf'<text class="(?:{kinds})"[^>]*>(?:<title>.*?</title>)?([^<]*)</text>', svg)
    yield from re.findall(r"<g><title>(.*?)</title>", svg)


def labels_in(svg: str) -> Iterator[str]:
    """What a picture calls its rows, in full where the label is shortened, without their numbers."""
    for whole, words in re.findall(r'<text class="label"[^>]*>(?:<title>(.*?)</title>)?([^<]*)</text>', svg):
        label = unescape(whole or words)
        if not re.fullmatch(r"[\d,]+ \(\d+%\)", label):
            yield re.sub(r"^\d+ |, n [\d,]+$| \([\d,]+\)$", "", label)


def test_every_picture_is_named(drawn: list[tuple[Section, Figure]]) -> None:
    for _, figure in drawn:
        for picture in figure.pictures:
            root = ElementTree.fromstring(picture)  # noqa: S314 (our own picture)
            assert root.attrib["role"] == "img"
            assert root.attrib["aria-label"] == figure.title != ""


def test_a_table_of_the_section_has_the_figures_of_its_pictures(drawn: list[tuple[Section, Figure]]) -> None:
    n_compared = 0
    for section, figure in drawn:
        cells = cells_of(section)
        in_table = [number for cell in cells for number in numbers(cell)]
        for text in map(unescape, written_in(figure.pictures[0])):
            for value, digits in numbers(text):
                close = [
                    number
                    for number, others in in_table
                    if others >= digits and abs(number - value) <= 0.5 * (10**-digits + 10**-others) + 1e-9
                ]
                assert close, f"{section.title}, {figure.title}: {text}"
                n_compared += 1
        for label in labels_in(figure.pictures[0]):
            parts = [label] if any(label in cell for cell in cells) else label.split(": ")
            assert all(any(part in cell for cell in cells) for part in parts), f"{figure.title}: {label}"
    assert n_compared >= 5


def grey(colour: str) -> float:
    """The lightness of #rrggbb on grey paper, 0…1 (Rec. 709 weights)."""
    return sum(
        weight * int(colour[at : at + 2], 16) / 255
        for weight, at in zip((0.2126, 0.7152, 0.0722), (1, 3, 5), strict=True)
    )


def look_of(kind: str) -> dict[str, str]:
    return dict(re.findall(r'([a-z-]+)="([^"]*)"', LOOK[kind]))


@pytest.mark.parametrize(
    "series", [("bar win", "bar tie", "bar loss"), ("whisker", "wide-interval", "reference", "grid")]
)
def test_series_differ_by_more_than_colour(series: tuple[str, ...]) -> None:
    """Filled, pale or hollow with an outline; thick, thin, dashed or pale."""
    for one, other in combinations(map(look_of, series), 2):
        paints = [look.get("fill") or look["stroke"] for look in (one, other)]
        differs = abs(grey(paints[0]) - grey(paints[1])) > 0.2
        for name in ("stroke-dasharray", "stroke-width"):
            differs = differs or one.get(name) != other.get(name)
        assert differs or ("stroke" in one and "fill" in one) != ("stroke" in other and "fill" in other), (one, other)


def test_pictures_use_one_colour_besides_grey(drawn: list[tuple[Section, Figure]]) -> None:
    """With one hue, nothing differs by hue alone; levels differ in lightness, and their shares are written in."""
    for _, figure in drawn:
        colours = set(re.findall(r'(?:fill|stroke)="(#[0-9a-f]{6})"', alone(figure.pictures[0], PAGE_INCHES)))
        assert len([one for one in colours if len({one[1:3], one[3:5], one[5:7]}) > 1]) <= 1

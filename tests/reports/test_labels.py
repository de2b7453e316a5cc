"""Names of a picture's rows: short enough for their place, and never two of them alike."""

from xml.etree import ElementTree

import pytest

from annotations.reports import charts
from annotations.reports.charts import Mark
from annotations.reports.pictures.labels import letters, shortened, without_emoji
from annotations.reports.pictures.matrix_chart import chance_matrix
from annotations.reports.pictures.svg import LETTER, PAGE, PHONE, Layout

ROUNDS = [f"stable-diffusion-xl-base-1.0-refined-with-detailed-scribe-round-{n}-of-many" for n in range(4)]
MIDDLES = [f"a-family-of-models-with-a-long-name-{n}-and-an-ending-that-they-have-in-common" for n in range(12)]
FAMILIES = [f"{family}-large-model-with-a-name-too-long-v{n}" for family in ("first", "second") for n in range(3)]


@pytest.mark.parametrize("room", [13, 20, 30, 50])
@pytest.mark.parametrize("names", [ROUNDS, MIDDLES, FAMILIES, ["short", *ROUNDS], [*ROUNDS, *MIDDLES]])
def test_cut_names_fit_and_differ(names: list[str], room: int) -> None:
    found = shortened(names, room)
    assert len(set(found)) == len(names)
    assert all(letters(words) <= room for words in found)


def test_what_fits_is_left_and_what_differs_early_is_cut_at_its_end() -> None:
    assert shortened(["base", "refined"], 10) == ["base", "refined"]
    assert shortened(["first of two long names", "second of two long names"], 12) == ["first of tw…", "second of t…"]
    assert shortened([ROUNDS[0], ROUNDS[0]], 12) == ["stable-diff…"] * 2  # the same name twice


def test_each_name_of_a_pair_is_cut_by_itself() -> None:
    pairs = [f"{one} − {other}" for i, one in enumerate(ROUNDS) for other in ROUNDS[:i]]
    found = shortened(pairs, 30)
    assert len(set(found)) == 6
    assert all(words.count(" − ") == 1 and letters(words) <= 30 for words in found)
    assert "3-of-many − " in found[-1]
    assert found[-1].endswith("2-of-many")


def test_a_cut_name_is_not_another_s_whole_name() -> None:
    assert len(set(shortened(["abcdefghi…", "abcdefghijkl"], 10))) == 2


def test_wide_signs_take_two_letters_and_arabic_a_wider_face() -> None:
    assert letters("模型") == 4
    assert letters("é") == 1
    assert letters("نموذج") > 5
    (found,) = shortened(["模型数据集很长的名字"], 10)
    assert found == "模型数据…"


@pytest.mark.parametrize("layout", [PAGE, PHONE])
def test_pictures_write_different_words_for_each_row(layout: Layout) -> None:
    marks = [Mark(name, 3.0, 2.0, 4.0, text="3.00 [2.00, 4.00]") for name in ROUNDS]
    shares = [[None if i == j else 0.5 for j in range(4)] for i in range(4)]
    drawn = [
        charts.interval_plot(marks, title="t", layout=layout),
        charts.stacked_bars([(name, [1, 2]) for name in ROUNDS], levels=["a", "b"], title="t", layout=layout),
        charts.share_bars([(name, 2) for name in ROUNDS], title="t", layout=layout),
        chance_matrix(ROUNDS, shares, title="t", layout=layout),
    ]
    for picture in drawn:
        root = ElementTree.fromstring(picture)  # noqa: S314 (our own text)
        # A title within a text is what hovering shows: the words that are seen come after it.
        words = ["".join([each.text or "", *(part.tail or "" for part in each)]) for each in root.iter()]
        names = {text for text in words if "…" in text}
        assert len({text.lstrip("0123456789 ") for text in names}) == 4, names
        assert all(letters(text) * LETTER <= (layout.width if layout.is_stacked else layout.left) for text in names)


def test_names_that_differ_by_an_emoji_differ_where_no_font_has_it() -> None:
    assert without_emoji("🚀 refined") == "[1F680] refined"
    assert without_emoji("👩‍🔬 ⭐") == "[1F469][1F52C] [2B50]"
    plain = "نمو\u200dذج − 基线 × 2 ≤ é"
    assert without_emoji(plain) == plain  # what joins letters is left
    names = ["🚀 a method", "⭐ a method"]
    assert len({without_emoji(words) for words in shortened(names, 12)}) == 2
    assert letters("🚀") == len("[1F680]")


def test_what_follows_a_name_in_arabic_is_shown_right_of_it() -> None:
    names = "نموذج 0", "عربي 50%"
    svg = charts.interval_plot([Mark(" − ".join(names), 0.1), Mark("base − refined", 0.2)], title="t", layout=PAGE)
    words = [each.text for each in ElementTree.fromstring(svg).iter() if each.attrib.get("class") == "label"]  # noqa: S314 (our own file)
    assert words == ["نموذج 0\u200f\u200e − عربي 50%\u200f\u200e", "base − refined"]

"""The workbook: pictures in cells, text that is never a formula, figures next to every image."""

import io

import openpyxl
import pytest

from annotations.models import Study
from annotations.services.formats.registry import FORMATS
from exchange.writing import workbook
from generation.models import Image, Prompt
from tests.factories import make_answer, make_rater, make_study

pytestmark = pytest.mark.django_db


def book_of(study: Study) -> openpyxl.Workbook:
    target = io.BytesIO()
    FORMATS["excel"].write(study, target)
    return openpyxl.load_workbook(io.BytesIO(target.getvalue()))


def test_every_image_has_its_thumbnail_and_its_figures() -> None:
    study = make_study(n_items=3)
    raters = [make_rater(study) for _ in range(2)]
    for at, item in enumerate(study.items.order_by("position")):
        make_answer(item, raters[0], level=at)
        make_answer(item, raters[1], level=at + 1)

    sheet = book_of(study)["Items"]

    assert [cell.value for cell in sheet[1]] == ["image", "item", "prompt", "method", "n alignment", "mean alignment"]
    assert [(row[4].value, row[5].value) for row in sheet.iter_rows(min_row=2)] == [(2, 1.5), (2, 2.5), (2, 3.5)]
    assert [picture.anchor._from.row for picture in sheet._images] == [1, 2, 3]


def test_all_columns_print_on_one_page_below_the_header() -> None:
    study = make_study(n_items=1)
    make_answer(study.items.get(), make_rater(study), level=0)
    for sheet in book_of(study):
        assert sheet.sheet_properties.pageSetUpPr.fitToPage, sheet.title
        assert (sheet.page_setup.orientation, sheet.page_setup.fitToHeight) == ("landscape", 0), sheet.title
        assert sheet.print_title_rows == "$1:$1", sheet.title


def test_text_that_looks_like_a_formula_stays_text() -> None:
    study = make_study(n_items=1)
    Prompt.objects.update(text='=HYPERLINK("http://x")')
    make_answer(study.items.get(), make_rater(study, name="+1"), level=0)
    sheet = book_of(study)["Items"]
    assert (sheet["C2"].value, sheet["C2"].data_type) == ('=HYPERLINK("http://x")', "s")
    assert book_of(study)["Ratings"]["B2"].data_type == "s"


def test_an_image_held_elsewhere_has_no_thumbnail() -> None:
    study = make_study(n_items=2)
    image = study.items.order_by("position")[0].images.get()
    held = {"sha256": "", "file": "", "shown": "", "width": None, "height": None, "n_bytes": None, "key": "far.png"}
    Image.objects.filter(pk=image.pk).update(**held)
    for item in study.items.all():
        make_answer(item, make_rater(study), level=0)
    sheet = book_of(study)["Items"]
    assert [picture.anchor._from.row for picture in sheet._images] == [2]
    assert sheet["B2"].value == "far.png"


def test_characters_that_excel_refuses_and_texts_that_it_cuts_are_marked() -> None:
    book = workbook.Book()
    book.add("Texts", [workbook.Column("text")], [["a\x0bb"], ["x" * 40_000]])
    target = io.BytesIO()
    book.save(target)
    sheet = openpyxl.load_workbook(io.BytesIO(target.getvalue()))["Texts"]
    assert sheet["A2"].value == "a�b"
    assert len(sheet["A3"].value) == 32_767
    assert sheet["A3"].value.endswith(" […]")

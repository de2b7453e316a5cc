"""Answers that are not a single level: counted in the report, its page and its table, and described in the exports."""

import csv
import io

import pytest
from django.test import Client
from django.utils import timezone

from annotations.kinds.registry import KINDS
from annotations.models import Assignment, Dimension, Response, Study
from annotations.questions import ALIGNMENT, Preset
from annotations.services.reports import report_now
from tests.factories import make_rater, make_study

pytestmark = pytest.mark.django_db
MANY = Preset(
    "m", "", "", "faults", "What is wrong?", (("1", "hands"), ("2", "face")), Dimension.Kind.MANY,
    parameters={"is_required": False},
)  # fmt: skip
COMMENT = Preset("c", "", "", "why", "Why?", (), Dimension.Kind.COMMENT, parameters={"is_required": False})


def answer(study: Study, n_raters: int) -> None:
    """Every rater says "hands" of every image of the first method, and is unable once."""
    for number in range(n_raters):
        rater = make_rater(study)
        for sequence, item in enumerate(study.items.all()):
            card = Assignment.objects.create(
                study=study, item=item, rater=rater, sequence=sequence, state="answered", answered_at=timezone.now()
            )
            image = item.images.get()
            for dimension in study.dimensions.all():
                given: dict[str, object] = {"level": number % 5}
                if dimension.kind == Dimension.Kind.MANY:
                    given = {"answer": [0] if sequence % 2 == 0 else []}
                    if number == 0 and sequence == 1:
                        given = {"is_unable": True}
                elif dimension.kind == Dimension.Kind.COMMENT:
                    given = {"answer": {"text": "so" if number else ""}}
                Response.objects.create(
                    assignment=card, dimension=dimension, image=image, answered_at=timezone.now(), **given
                )


def test_counts_and_shares_of_choices_by_method(client: Client) -> None:
    study = make_study(n_items=8, presets=(ALIGNMENT, MANY))
    answer(study, 4)
    snapshot = report_now(study=study, comparisons=())
    (part,) = snapshot.results["counted"]
    assert (part["n_answers"], part["n_raters"], part["n_unable"]) == (31, 4, 1)
    rows = {(row["method"], row["key"]): row for row in part["rows"]}
    hands = rows["", "1"]
    assert (hands["n"], hands["of"], hands["share"]) == (16.0, 31.0, 16 / 31)
    assert hands["covers"] == "prompts and raters"
    assert 0 < hands["low"] < 16 / 31 < hands["high"] < 1
    first, second = snapshot.results["methods"]
    assert [rows[method, "1"]["share"] for method in (first, second)] == [1.0, 0.0]
    assert rows[second, "none"]["share"] == 1.0
    assert [one["name"] for one in snapshot.results["dimensions"]] == ["alignment"]

    client.force_login(study.owner)
    page = client.get(f"/study/{study.token}/results/").content.decode()
    assert "31 answers by 4 raters, 1 time unable to answer" in page
    file = client.get(f"/study/{study.token}/results/{snapshot.pk}/counts.csv?dimension=faults")
    table = list(csv.DictReader(io.StringIO(b"".join(file.streaming_content).decode())))
    assert len(table) == 9
    assert {row["dimension"] for row in table} == {"faults"}


def test_a_study_of_comments_alone_has_results(client: Client) -> None:
    study = make_study(n_items=2, presets=(COMMENT,))
    answer(study, 2)
    report_now(study=study, comparisons=())
    client.force_login(study.owner)
    page = client.get(f"/study/{study.token}/results/").content.decode()
    assert "4 answers by 2 raters" in page
    assert "cannot represent others" in page


def test_the_items_page_draws_what_was_said_of_each_image(client: Client) -> None:
    study = make_study(n_items=2, presets=(MANY,))
    answer(study, 2)
    client.force_login(study.owner)
    page = client.get(f"/study/{study.token}/items/").content.decode()
    assert "1 hands: 2; 2 face: 0; none none of these: 0; unable to answer: 0" in page
    assert "1 hands: 0; 2 face: 0; none none of these: 1; unable to answer: 1" in page


def test_the_dictionary_describes_structures_and_those_without_parts_have_no_rows_of_them(client: Client) -> None:
    study = make_study(n_items=2, presets=(MANY, COMMENT))
    answer(study, 2)
    client.force_login(study.owner)
    address = f"/study/{study.token}/export/"

    dictionary = client.get(f"{address}data-dictionary.md").content.decode()
    for key, kind in KINDS.items():
        assert (f"- {Dimension.Kind(key).label}: {kind.in_files}\n" in dictionary) == (not kind.has_levels)
    assert (
        "Answers with parts are: marks on the words of the prompt, yes or no to each part of the prompt, points and "
        "boxes on the image."
    ) in dictionary
    page = client.get(address).content.decode()
    assert f"{address}answers.csv" in page
    assert f"{address}parts.csv" not in page
    assert len(b"".join(client.get(f"{address}parts.csv").streaming_content).splitlines()) == 1  # the header

"""A study's answers as arrays: units, sides turned back, what does not count, and the same figures as from files."""

import csv
from collections.abc import Callable
from decimal import Decimal
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from django.utils import timezone

from annotations.models import Assignment, Rater, Response, Study
from annotations.queries.provenance import study_design
from annotations.queries.result_units import linked_methods, study_methods
from annotations.queries.results import study_data, study_rows
from annotations.questions import ALIGNMENT, PREFERENCE
from annotations.reports.study.analysis import Options, analyse
from annotations.reports.study.document import document
from annotations.reports.study.files.study import read_study
from annotations.reports.study.scales import Scales
from exchange.rejects import RejectLog
from generation.engines.read_words import words_cut
from generation.models import MetricScore
from tests.dsg_tifa160 import expected as published_figures
from tests.factories import make_answer, make_dimension, make_rater, make_study, make_user

pytestmark = pytest.mark.django_db


def test_units_are_images_with_their_prompt_method_facets_and_scores() -> None:
    study = make_study(n_items=4)
    rater = make_rater(study, name="anna")
    images = [item.images.get() for item in study.items.order_by("position")]
    for i, image in enumerate(images):
        image.key, image.provenance = f"key-{9 - i}", {"facets": {"relation": "above" if i else "below"}, "x": 1}
        image.save()
    for prompt in {image.prompt for image in images}:
        prompt.category = "functional"
        prompt.save()
    MetricScore.objects.create(image=images[0], metric="clip", version="1", value=0.25)
    MetricScore.objects.create(image=images[0], metric="clip", version="2", value=0.5)
    MetricScore.objects.create(image=images[1], metric="vqa", value=-1)
    for item, level in zip(study.items.order_by("position")[:3], (4, 0, None), strict=True):
        make_answer(item, rater, level=level, active_ms=1500)

    rows = study_rows(study)

    data = rows.data
    assert data.units == ["key-7", "key-8", "key-9"]  # by name; the fourth was not rated
    assert rows.image.tolist() == [images[2].pk, images[1].pk, images[0].pk]
    assert [data.methods[code] for code in data.method] == [images[i].method.name for i in (2, 1, 0)]
    assert [data.prompts[code] for code in data.prompt] == [images[i].prompt.text for i in (2, 1, 0)]
    assert {name: list(values) for name, values in data.facets.items()} == {
        "category": ["functional"] * 3,
        "relation": ["above", "above", "below"],
    }
    assert data.metrics == ["clip 1", "clip 2", "vqa"]
    np.testing.assert_array_equal(data.scores, [[np.nan, np.nan, 0.25], [np.nan, np.nan, 0.5], [np.nan, -1, np.nan]])
    (dimension,) = data.dimensions
    assert dimension.n_unable == 1
    assert dimension.ratings.values.tolist() == [1, 2, 3, 4, 5]
    assert sorted(zip(dimension.units[dimension.ratings.unit], dimension.ratings.level, strict=True)) == [
        (1, 0),
        (2, 4),
    ]
    assert dimension.seconds is not None
    assert dimension.seconds.tolist() == [1.5, 1.5]
    assert rows.data.rater_kinds == {"person": 1}


def test_only_the_current_answers_of_answered_cards_count() -> None:
    study = make_study(n_items=2)
    anna, ben = make_rater(study, name="anna"), make_rater(study, name="ben")
    first, second = study.items.order_by("position")
    assignment = make_answer(first, anna, level=0)
    old = assignment.responses.get()
    Response.objects.filter(pk=old.pk).update(is_current=False)
    Response.objects.create(
        assignment=assignment,
        dimension=old.dimension,
        image=old.image,
        revision=2,
        level=3,
        answered_at=timezone.now(),
    )
    returned = make_answer(second, ben, level=1)
    Assignment.objects.filter(pk=returned.pk).update(state=Assignment.State.RETURNED, answered_at=None)

    (dimension,) = study_data(study).dimensions

    assert dimension.ratings.level.tolist() == [3]
    assert dimension.raters == ["anna"]


def test_a_preference_speaks_of_methods_not_of_sides() -> None:
    study = make_study(item_kind=Study.ItemKind.PAIR, n_items=3, presets=(PREFERENCE, ALIGNMENT))
    ((baseline, refined),) = linked_methods(study)
    rater = make_rater(study)
    left, both_bad = 0, 3
    answers = [("0,1", left), ("1,0", left), ("1,0", both_bad)]
    for item, (shown_order, level) in zip(study.items.order_by("position"), answers, strict=True):
        assignment = make_answer(item, rater, level=level)
        Assignment.objects.filter(pk=assignment.pk).update(shown_order=shown_order)

    data = study_data(study)

    preference, alignment = data.dimensions
    assert list(preference.labels) == [baseline, refined, "both good", "both bad", "unsure"]
    # On the left was the baseline, then the refined image; "both bad" has no side.
    assert preference.ratings.level[np.argsort(preference.ratings.unit)].tolist() == [0, 1, 3]
    assert [data.units[unit] for unit in preference.units] == ["item-0", "item-1", "item-2"]
    # Each image is a unit of its own for the question about images, and the level is what was answered.
    assert len(alignment.units) == 6
    assert {data.methods[data.method[unit]] for unit in alignment.units} == {baseline, refined}
    assert {data.methods[data.method[unit]] for unit in preference.units} == {f"{baseline} | {refined}"}
    assert study_methods(study) == sorted([baseline, refined])
    methods = [image.method.name for image in study.items.order_by("position")[0].images.order_by("item_images__slot")]
    assert [baseline, refined] == methods


def test_an_image_in_two_items_is_two_units_with_one_score() -> None:
    study = make_study(item_kind=Study.ItemKind.PAIR, n_items=2, presets=(ALIGNMENT,))
    first, second = study.items.order_by("position")
    shared = first.item_images.get(slot=0).image
    second.item_images.filter(slot=0).update(image=shared)
    MetricScore.objects.create(image=shared, metric="clip", value=0.5)
    rater = make_rater(study)
    make_answer(first, rater, level=1)
    make_answer(second, rater, level=2)

    data = study_data(study)

    assert sorted(name for name in data.units if " in " in name) == [
        f"image {shared.pk} in item-0",
        f"image {shared.pk} in item-1",
    ]
    assert np.isfinite(data.scores).sum() == 2


def test_a_question_about_an_item_of_one_image_is_about_that_image() -> None:
    study = make_study(n_items=2)
    make_dimension(
        study,
        ALIGNMENT,
        name="whole",
        about="item",
        levels=[{"value": "0.5", "label": "half"}] * 1 + [{"value": "0.75", "label": "more"}],
    )
    make_answer(study.items.order_by("position")[0], make_rater(study), level=1)

    data = study_data(study)

    assert len(data.units) == 1
    assert [one.name for one in data.dimensions] == ["alignment", "whole"]
    assert data.dimensions[1].ratings.values.tolist() == [float(Decimal("0.5")), 0.75]


def test_nothing_answered_is_not_a_dimension() -> None:
    data = study_data(make_study())
    assert (data.units, data.dimensions, data.metrics) == ([], [], [])


def test_imported_raters_have_no_pace() -> None:
    study = make_study(n_items=2)
    rater = make_rater(study, kind=Rater.Kind.IMPORTED, name="r1", consented_at=None)
    for item in study.items.all():
        make_answer(item, rater)
    (dimension,) = study_data(study).dimensions
    assert (dimension.seconds, dimension.order) == (None, None)


@pytest.mark.parametrize("n", [3, 30])
def test_queries_do_not_grow_with_the_study(n: int, django_assert_num_queries: Callable[..., Any]) -> None:
    study = make_study(n_items=n, k=n)
    for _ in range(3):
        rater = make_rater(study)
        for item in study.items.all():
            make_answer(item, rater)
    for item in study.items.all():
        MetricScore.objects.create(image=item.images.get(), metric="clip", value=0.5)
    with django_assert_num_queries(9):
        study_data(study)


# --- the same figures as from files ----------------------------------------------------------------------------------
def test_imported_ratings_are_those_of_the_files_and_give_the_published_figures(dsg_tifa160: Path) -> None:
    study = imported(dsg_tifa160)  # once for both: it takes seconds
    what_was_imported_is_what_is_analysed(study, dsg_tifa160)
    they_give_the_published_figures_and_those_of_the_files(study, dsg_tifa160)


def imported(dsg_tifa160: Path) -> Study:
    make_user("rosa", researcher=True)
    call_command(
        "import_ratings",
        str(dsg_tifa160 / "ratings.csv"),
        items=str(dsg_tifa160 / "items.csv"),
        metrics=str(dsg_tifa160 / "metrics.csv"),
        study="DSG",
        owner="rosa",
        scale=["1-5"],
        stdout=StringIO(),
    )
    return Study.objects.get(title="DSG")


def they_give_the_published_figures_and_those_of_the_files(study: Study, folder: Path) -> None:
    options = Options(seed=0, n_resamples=20, n_permutations=20, comparisons=[("sd1dot1", "sd2dot1")])
    ours = document(analyse(study_data(study), options), title="t", code_version="v", made_at="now")
    with RejectLog() as log:
        data = read_study(
            folder / "ratings.csv",
            metrics=folder / "metrics.csv",
            items=folder / "items.csv",
            scales=Scales.parse(["1-5"]),
            on_bad_value="error",
            log=log,
        )
    theirs = document(analyse(data, options), title="t", code_version="v", made_at="now")

    for here, there in zip(ours.dimensions, theirs.dimensions, strict=True):
        # Every figure with every interval: even the random draws are the same.
        for part in ("agreement", "means", "comparisons", "board", "histogram"):
            assert getattr(here, part) == getattr(there, part), part
        assert [(one.rater, one.n, one.severity) for one in here.raters] == [
            (one.rater, one.n, one.severity) for one in there.raters
        ]

    expected = published_figures()
    by_name = {one.name: one for one in ours.dimensions}
    for dimension, key in (("consistency", "agreement_dsg_5raters"), ("consistency_tifa", "agreement_tifa_2raters")):
        found = {one.statistic: one.value for one in by_name[dimension].agreement}
        for level in ("nominal", "ordinal", "interval"):
            assert found[f"krippendorff_alpha_{level}"] == pytest.approx(expected[key][f"alpha_{level}"], abs=1e-6)
    board = by_name["consistency"].board
    assert board is not None
    metrics = {one.metric: {each.statistic: each.value for each in one.estimates} for one in board.metrics}
    for row in expected["correlations_vs_dsg5"]:
        for statistic in ("spearman", "kendall_tau_b", "pearson"):
            assert metrics[row["metric"]][statistic] == pytest.approx(row[statistic], abs=1e-6)


def what_was_imported_is_what_is_analysed(study: Study, folder: Path) -> None:
    with (folder / "ratings.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["dimension"] == "consistency"]
    data = study_data(study)
    dimension = next(one for one in data.dimensions if one.name == "consistency")
    ratings = dimension.ratings
    found = {
        (data.units[dimension.units[unit]], dimension.raters[rater], f"{ratings.values[level]:g}")
        for unit, rater, level in zip(ratings.unit, ratings.rater, ratings.level, strict=True)
    }
    assert found == {(row["item"], row["rater"], row["value"]) for row in rows}


def test_images_of_prompts_that_an_encoder_read_in_part_are_counted_by_method() -> None:
    study = make_study(n_items=4)
    images = [item.images.get() for item in study.items.order_by("position")]

    class Words:
        model_max_length = 3

        def __call__(self, text: str, **_options: bool) -> dict[str, list[str]]:
            return {"input_ids": text.split()}

    pipe = SimpleNamespace(tokenizer=Words(), text_encoder=object())
    texts = ({"the prompt": "one two three"}, {"the prompt": "one two three four"}, {"the negative prompt": "a b c d"})
    for image, said in zip(images, texts, strict=False):
        image.provenance = {"facts": {"notes": words_cut(pipe, said)}}
        image.save()
    assert images[1].provenance["facts"]["notes"] == ["text encoder 1: the prompt has 4 tokens, and 3 were read"]
    assert study_design(study, []).cut_prompts == ((images[1].method.name, 1, 2),)

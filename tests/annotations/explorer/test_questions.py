"""The explorer of other questions than ratings of one image: rankings, best and worst, pairs, and several questions."""

import csv
import html
import io
import re
import zipfile

import pytest
from django.test import Client

from annotations.models import Response, Study
from annotations.queries.results import study_data
from annotations.questions import ALIGNMENT, BEST_WORST, PREFERENCE, RANKING, Preset
from annotations.services.reports import report_now
from annotations.stats.preferences.mean_ranks import mean_ranks
from generation.models import MetricScore
from tests.annotations.explorer.test_wall import wall
from tests.factories import make_answer, make_rater, make_study

pytestmark = pytest.mark.django_db
N_METHODS = 3


def page(client: Client, study: Study, rest: str = "") -> str:
    client.force_login(study.owner)
    response = client.get(f"/study/{study.token}/explore/{rest}")
    assert response.status_code == 200, response.status_code
    return " ".join(html.unescape(response.content.decode()).split())


def ordered(preset: Preset, levels: list[list[int]]) -> Study:
    """A study of cards of three images, put in order by one rater for each row of levels."""
    study = make_study(item_kind=Study.ItemKind.PROMPT, n_items=2, n_methods=N_METHODS, k=4, presets=(preset,))
    for own in levels:
        rater = make_rater(study)
        for item in study.items.all():
            answered = make_answer(item, rater)
            for image, level in zip(item.images.order_by("method__name"), own, strict=True):
                Response.objects.filter(assignment=answered, image=image).update(level=level)
    for item in study.items.all():
        for number, image in enumerate(item.images.order_by("method__name")):
            MetricScore.objects.create(image=image, metric="clip", value=number / 10 + item.position / 100)
    report_now(study=study, comparisons=[])
    return study


def first_method(text: str) -> str:
    found = re.search(r'data-tile> .*?<span class="small" dir="auto">([^<·]*)', text)
    assert found is not None
    return found[1].strip()


def methods_of(study: Study) -> list[str]:
    item = study.items.all()[0]
    return [image.method.name for image in item.images.order_by("method__name")]


def test_of_a_ranking_the_mean_is_a_rank_and_the_best_comes_first(client: Client) -> None:
    study = ordered(RANKING, [[0, 1, 2], [0, 2, 1]])
    text = page(client, study)
    assert "<legend>Mean rank (1 is best)</legend>" in text
    assert "Mean rank (1 is best): 2.00 here, 2.00 overall." in text
    assert "mean rank 1" in text
    assert "Mean rating" not in text
    assert "best first" in text
    assert "worst first" in text
    assert "highest mean" not in text
    assert first_method(page(client, study, "?order=low")) == methods_of(study)[0]
    assert first_method(page(client, study, "?order=high")) != methods_of(study)[0]
    item = study.items.all()[0]
    assert "Mean rank (1 is best)" in page(client, study, f"{item.pk}-{item.images.all()[0].pk}/")


TIES = [[0, 0, 1], [0, 1, 1], [0, 0, 0], [1, 0, 0]]


def test_images_that_tie_share_the_mean_of_their_ranks(client: Client) -> None:
    study = ordered(RANKING, TIES)
    found = wall(study)
    # First method: ranks 1.5, 1, 2 and 3; second: 1.5, 2.5, 2 and 1.5; third: 3, 2.5, 2 and 1.5.
    names = found.table.names["methods"]
    means = {names[code]: mean for code, mean in zip(found.column("method"), found.column("mean"), strict=True)}
    assert [means[name] for name in methods_of(study)] == [1.875, 1.875, 2.25]
    assert "Mean rank (1 is best): 2.00 here, 2.00 overall." in page(client, study)
    assert first_method(page(client, study, "?order=high")) == methods_of(study)[2]


def test_ranks_in_the_explorer_are_those_of_the_results(client: Client) -> None:
    study = ordered(RANKING, TIES)
    data = study_data(study).dimensions[0]
    assert data.rankings is not None
    expected = {one.method: one.mean_rank.value for one in mean_ranks(data.rankings)}
    found = wall(study)
    names = found.table.names["methods"]
    assert {names[code]: mean for code, mean in zip(found.column("method"), found.column("mean"), strict=True)} == (
        expected
    )


def test_points_of_images_that_always_tie_are_in_the_picture(client: Client) -> None:
    text = page(client, ordered(RANKING, [[0, 0, 0], [0, 0, 0]]))
    points = re.findall(r'cy="([0-9.]+)"[^>]*><title>clip [0-9.]+, people ([0-9.]+)', text)
    assert len(points) == 6
    assert all(8 <= float(y) <= 284 for y, _mean in points)


def test_of_best_and_worst_the_mean_is_a_place(client: Client) -> None:
    study = ordered(BEST_WORST, [[0, 1, 2], [0, 1, 2]])
    text = page(client, study)
    assert "<legend>Mean place (1 best, 3 worst)</legend>" in text
    note = "The best image of a card counts 1, the worst 3 and the others 2. The mean rank in the results is another"
    item = study.items.all()[0]
    assert note in text
    assert note in page(client, study, f"{item.pk}-{item.images.all()[0].pk}/")
    assert "best first" in text
    assert first_method(page(client, study, "?order=low")) == methods_of(study)[0]


@pytest.mark.parametrize(("preset", "measure"), [(RANKING, "rank"), (BEST_WORST, "choice")])
def test_tables_older_than_the_kind_are_recognised_by_their_levels(preset: Preset, measure: str) -> None:
    found = wall(ordered(preset, [[0, 1, 2]]))
    found.table.names["kind"] = "ranking"
    assert found.measure == measure


def test_the_best_are_at_the_top_of_the_picture_of_a_ranking(client: Client) -> None:
    study = ordered(RANKING, [[0, 1, 2]])
    points = re.findall(r'cy="([0-9.]+)"[^>]*><title>clip [0-9.]+, people ([0-9.]+)', page(client, study))
    assert len(points) == 6
    heights = {place: float(y) for y, place in points}
    assert heights["1.00"] < heights["2.00"] < heights["3.00"]


def test_captions_and_list_of_a_ranking_say_that_1_is_best(client: Client) -> None:
    study = ordered(RANKING, [[0, 1, 2]])
    item = study.items.all()[0]
    image = item.images.order_by("method__name")[0]
    query = f"unit={item.pk}-{image.pk}"
    assert "mean rank (1 is best)</label>" in page(client, study, f"selection/?{query}")
    base = f"/study/{study.token}/explore/selection"
    with zipfile.ZipFile(io.BytesIO(client.get(f"{base}/figure.zip?{query}").content)) as files:
        assert "mean rank 1.00 (1 is best)" in files.read("figure.tex").decode()
    rows = list(csv.DictReader(io.StringIO(b"".join(client.get(f"{base}/list.csv?{query}")).decode("utf-8-sig"))))
    assert [(row["mean"], row["mean_of"]) for row in rows] == [("1.0", "rank (1 is best)")]


def two_questions() -> Study:
    """A study of pairs with a rating of each image and a preference between the two."""
    study = make_study(item_kind=Study.ItemKind.PAIR, n_items=3, presets=(ALIGNMENT, PREFERENCE))
    rater = make_rater(study)
    for item in study.items.all():
        make_answer(item, rater, level=1)
    report_now(study=study, comparisons=[])
    return study


def test_what_does_not_apply_to_the_new_question_is_dropped(client: Client) -> None:
    study = two_questions()
    name = PREFERENCE.name
    for rest in ("order=low", "low=2", "order=high&high=5"):
        text = page(client, study, f"?question={name}&{rest}")
        assert "3 of 3 pairs" in text
        assert "No pair fits" not in text
        assert "Filters that do not apply to this question were ignored: " in text
    assert "Show first: lowest mean first" in page(client, study, f"?question={name}&order=low")
    assert "Filters that" not in page(client, study, f"?question={name}&order=position&low=&high=&method=")


def test_only_methods_of_the_question_are_offered(client: Client) -> None:
    study = two_questions()

    def offered(question: str) -> list[str]:
        (box,) = re.findall(r'<select id="f-method".*?</select>', page(client, study, f"?question={question}"))
        return re.findall(r"<option[^>]*>([^<]*)", box)

    assert len(offered(ALIGNMENT.name)) == 3
    assert not any("|" in one for one in offered(ALIGNMENT.name))
    # Of the preference there is one pair of methods, and so nothing to choose.
    assert 'id="f-method"' not in page(client, study, f"?question={PREFERENCE.name}")


def test_an_unknown_value_is_named(client: Client) -> None:
    study = two_questions()
    text = page(client, study, "?method=nope&question=what")
    assert "No image fits" not in text
    assert "were ignored: Question: what; Method: nope." in text


def test_pairs_are_called_pairs(client: Client) -> None:
    study = two_questions()
    assert "3 of 3 pairs" in page(client, study, f"?question={PREFERENCE.name}")
    item = study.items.all()[0]
    assert "1 pair chosen" in page(client, study, f"selection/?question={PREFERENCE.name}&unit={item.pk}-0")
    assert "6 of 6 images" in page(client, study, f"?question={ALIGNMENT.name}")
    assert "No image fits" in page(client, study, f"?question={ALIGNMENT.name}&low=5")


def test_where_every_answer_is_unable_no_image_has_a_rating(client: Client) -> None:
    study = make_study(n_items=2)
    make_answer(study.items.get(position=0), make_rater(study), level=None)
    text = page(client, study)
    assert "No image has a rating" in text
    assert "Show all images" not in text


def test_what_is_more_frequent_is_said_of_orders_by_mean_alone(client: Client) -> None:
    study = make_study(n_items=60, k=2)
    raters = [make_rater(study), make_rater(study)]
    for item in study.items.order_by("position"):
        for rater in raters:
            make_answer(item, rater, level=4 if item.position % 2 else 0)
    report_now(study=study, comparisons=[])
    assert "More frequent among the first 48 than among all:" in page(client, study, "?order=low")
    assert "More frequent among the first 48 than among all:" in page(client, study, "?order=high")
    assert "More frequent among the first" not in page(client, study)


def test_the_list_has_every_digit_of_a_mean(client: Client) -> None:
    study = make_study(n_items=1, k=6)
    item = study.items.get()
    for level in (3, 3, 2, 2, 2, 1):  # 4, 4, 3, 3, 3, 2: 19 in six answers
        make_answer(item, make_rater(study), level=level)
    MetricScore.objects.create(image=item.images.get(), metric="clip", value=0.1)
    report_now(study=study, comparisons=[])
    client.force_login(study.owner)
    response = client.get(f"/study/{study.token}/explore/selection/list.csv?unit={item.pk}-{item.images.get().pk}")
    (row,) = csv.DictReader(io.StringIO(b"".join(response).decode("utf-8-sig")))
    assert (row["mean"], row["score"]) == (repr(19 / 6), "0.1")

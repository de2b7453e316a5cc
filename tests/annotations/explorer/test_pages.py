"""The explorer's pages: the wall, an image in full, a selection that becomes a figure or a study."""

import csv
import io
import re
import zipfile

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from PIL import Image

from annotations.models import Assignment, Study
from annotations.services.raters.text_images import add_text_image
from annotations.services.reports import report_now
from generation.models import Claim, Critique, MetricScore
from tests.factories import make_answer, make_rater, make_study, make_user

pytestmark = pytest.mark.django_db


def rated(n_items: int = 4, **fields: object) -> Study:
    study = make_study(n_items=n_items, k=2, **fields)  # type: ignore[arg-type] (passed on)
    raters = [make_rater(study), make_rater(study)]
    for i, item in enumerate(study.items.order_by("position")):
        for j, rater in enumerate(raters):
            make_answer(item, rater, level=(i + j) % 5)
        image = item.images.first()
        assert image is not None
        MetricScore.objects.create(image=image, metric="clip", value=i / 10)
    report_now(study=study, comparisons=[])
    return study


def page(client: Client, study: Study, rest: str = "") -> str:
    client.force_login(study.owner)
    response = client.get(f"/study/{study.token}/explore/{rest}")
    assert response.status_code == 200, response.status_code
    return response.content.decode()


def test_a_wall_shows_image_prompt_histogram_and_how_far_the_metric_parts_from_people(client: Client) -> None:
    study = rated()
    text = page(client, study, "?order=over")
    item = study.items.get(position=3)
    assert item.prompt.text in text
    assert 'aria-label="1 does not match at all: ' in text
    assert "points above people" in text or "metric and people agree" in text
    assert len(re.findall(r"data-tile", text)) == 4


def test_each_point_of_the_picture_leads_to_its_image(client: Client) -> None:
    study = rated()
    text = page(client, study)
    links = re.findall(r'<a href="([^"]+)" tabindex="-1"', text)
    assert len(links) == 4
    client.force_login(study.owner)
    for link in links:
        assert client.get(link).status_code == 200


def test_a_wall_costs_the_same_queries_for_a_larger_study(client: Client) -> None:
    counts = []
    for n_items in (6, 60):
        study = rated(n_items)
        client.force_login(study.owner)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get(f"/study/{study.token}/explore/?order=split").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_an_image_in_full_shows_answers_scores_claims_and_comments(client: Client) -> None:
    study = rated()
    item = study.items.get(position=2)
    image = item.images.get()
    critique = Critique.objects.create(image=image, critic="critic", digest="d" * 64)
    Claim.objects.create(critique=critique, rank=1, text="The fox has five legs.")
    Assignment.objects.filter(item=item).update(flag="the image is black")
    text = page(client, study, f"{item.pk}-{image.pk}/")
    assert item.prompt.text in text
    assert "the image is black" in text
    assert "clip" in text
    for rater in study.raters.all():
        assert rater.name in text


def test_an_image_leads_to_those_next_to_it_on_the_wall(client: Client) -> None:
    study = rated()
    rows = re.findall(r"/explore/(\d+-\d+)/\?order=high", page(client, study, "?order=high"))
    order = list(dict.fromkeys(rows[-8:]))
    text = page(client, study, f"{order[1]}/?order=high")
    assert f'rel="prev" href="/study/{study.token}/explore/{order[0]}/?order=high"' in text
    assert f'rel="next" href="/study/{study.token}/explore/{order[2]}/?order=high"' in text


def test_a_unit_of_another_study_is_not_found(client: Client) -> None:
    study, other = rated(), rated()
    item = other.items.get(position=0)
    client.force_login(study.owner)
    address = f"/study/{study.token}/explore/{item.pk}-{item.images.get().pk}/"
    assert client.get(address).status_code == 404


def test_strangers_see_nothing(client: Client) -> None:
    study = rated()
    client.force_login(make_user(researcher=True))
    for rest in ("", "selection/", "selection/list.csv", "selection/figure.png"):
        assert client.get(f"/study/{study.token}/explore/{rest}").status_code == 403


def units(study: Study) -> str:
    return "&".join(f"unit={item.pk}-{item.images.get().pk}" for item in study.items.order_by("position")[:3])


def test_a_selection_becomes_a_figure_with_its_captions(client: Client) -> None:
    study = rated()
    assert "3 images chosen" in page(client, study, f"selection/?{units(study)}")
    base = f"/study/{study.token}/explore/selection"
    assert client.get(f"{base}/figure.pdf?{units(study)}").content.startswith(b"%PDF")
    with Image.open(io.BytesIO(client.get(f"{base}/figure.png?{units(study)}&columns=2").content)) as image:
        assert image.width > 1000
    with zipfile.ZipFile(io.BytesIO(client.get(f"{base}/figure.zip?{units(study)}&layout=methods").content)) as files:
        text = files.read("figure.tex").decode()
        # Two prompts by two methods: the fourth image comes along, so that each row is whole.
        assert sum(name.endswith(".jpg") for name in files.namelist()) == 4
    for method in {item.images.get().method.name for item in study.items.order_by("position")[:3]}:
        assert method in text


def test_a_selection_becomes_a_list(client: Client) -> None:
    study = rated()
    client.force_login(study.owner)
    response = client.get(f"/study/{study.token}/explore/selection/list.csv?{units(study)}")
    rows = list(csv.DictReader(io.StringIO(b"".join(response).decode("utf-8-sig"))))
    assert [row["item"] for row in rows] == ["item-0", "item-1", "item-2"]
    assert [float(row["mean"]) for row in rows] == [1.5, 2.5, 3.5]


def test_a_selection_becomes_the_draft_of_a_study_with_the_same_questions(client: Client) -> None:
    study = rated()
    client.force_login(study.owner)
    chosen = [f"{item.pk}-{item.images.get().pk}" for item in study.items.order_by("position")[:2]]
    response = client.post(f"/study/{study.token}/explore/selection/study/", {"unit": [*chosen, "x", "9999-1"]})
    made = Study.objects.exclude(pk=study.pk).get()
    assert response["Location"] == made.get_absolute_url()
    assert (made.state, made.items.count(), made.raters.count()) == (Study.State.DRAFT, 2, 0)
    assert {item.images.get().pk for item in made.items.all()} == {int(value.split("-")[1]) for value in chosen}
    assert list(made.dimensions.values_list("question", "levels")) == list(
        study.dimensions.values_list("question", "levels")
    )


def test_such_a_draft_has_the_translations_and_the_images_of_the_texts(client: Client) -> None:
    study = rated()
    question = study.dimensions.get().question
    study.words, study.language = {"de": {question: "Passt das Bild?"}}, "de"
    study.save()
    stream = io.BytesIO()
    Image.new("RGB", (4, 4), "red").save(stream, "PNG")
    add_text_image(study=study, name="hats", content=stream.getvalue(), by=None)
    client.force_login(study.owner)
    item = study.items.all()[0]
    unit = f"{item.pk}-{item.images.get().pk}"
    client.post(f"/study/{study.token}/explore/selection/study/", {"unit": [unit]})
    made = Study.objects.exclude(pk=study.pk).get()
    assert (made.words, made.language) == (study.words, "de")
    assert [image.name for image in made.text_images.all()] == ["hats"]
    assert made.text_images.get().file.name != study.text_images.get().file.name


def test_a_study_without_answers_says_so(client: Client) -> None:
    assert "No answers yet" in page(client, make_study())


def test_a_study_that_nobody_could_answer_has_an_empty_wall(client: Client) -> None:
    study = make_study(n_items=2)
    make_answer(study.items.get(position=0), make_rater(study), level=None)
    assert "No image has a rating" in page(client, study)


def test_a_figure_has_a_labelled_tile_for_an_image_whose_file_is_gone(client: Client) -> None:
    study = rated()
    lost, damaged = (item.images.get() for item in study.items.order_by("position")[:2])
    for image, key in ((lost, "lost-one"), (damaged, "cut-off")):
        image.key = key
        image.save()
        default_storage.delete(str(image.shown.name))
    default_storage.save(str(damaged.shown.name), ContentFile(b"RIFF"))
    base = f"/study/{study.token}/explore/selection"
    text = page(client, study, f"selection/?{units(study)}")
    assert "The file of 1 image is missing on this site." in text
    assert "lost-one" in text
    for layout in ("grid", "methods"):
        query = f"{units(study)}&layout={layout}"
        assert client.get(f"{base}/figure.pdf?{query}").content.startswith(b"%PDF")
        assert client.get(f"{base}/figure.png?{query}").status_code == 200
    with zipfile.ZipFile(io.BytesIO(client.get(f"{base}/figure.zip?{units(study)}").content)) as files:
        assert sum(name.endswith(".jpg") for name in files.namelist()) == 1
        assert files.read("missing-images.txt").decode().splitlines() == [
            "row 1, column 1: File missing: lost-one",
            "row 1, column 2: File damaged: cut-off",
        ]
        assert "File missing: lost-one" in files.read("figure.tex").decode()

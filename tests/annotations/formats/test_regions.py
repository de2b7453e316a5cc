"""Marked errors as COCO and as Web Annotations."""

import io
import json
from typing import Any

import pytest
from django.utils import timezone

from annotations.models import Assignment, Auditor, Dimension, MissedError, Response, Study
from annotations.services.formats.registry import FORMATS
from exchange.ratings.reading import opened_ratings
from exchange.rejects import RejectLog
from generation.models import Image
from tests.factories import make_rater, make_study

pytestmark = pytest.mark.django_db


def said(study: Study, name: str) -> Any:
    target = io.BytesIO()
    FORMATS[name].write(study, target)
    return json.loads(target.getvalue())


@pytest.fixture
def study() -> Study:
    """A box, a point and an error without a place, on an image of 200 by 100 pixels; one more was taken back."""
    study = make_study(n_items=1)
    image = study.items.get().images.get()
    Image.objects.update(width=200, height=100, key="p1.png")
    auditor = Auditor.objects.create(study=study, name="Ann", kind="person")
    now = timezone.now()
    common = {"study": study, "image": image, "auditor": auditor, "answered_at": now}
    MissedError.objects.create(
        text="six fingers", kind="anatomy", severity="major", x=0.25, y=0.5, width=0.5, height=0.25, **common
    )
    MissedError.objects.create(text="a stain", x=0.125, y=1.0, **common)
    MissedError.objects.create(text="too dark", **common)
    MissedError.objects.create(text="no error after all", x=0.5, y=0.5, withdrawn_at=now, **common)
    return study


def test_coco_has_boxes_in_pixels_and_points_as_keypoints(study: Study) -> None:
    made = said(study, "coco")
    box, point = made["annotations"]
    assert made["images"] == [{"id": 1, "file_name": "p1.png", "width": 200, "height": 100}]
    assert (box["bbox"], box["area"]) == ([50.0, 50.0, 100.0, 25.0], 2500.0)
    assert box["segmentation"] == [[50.0, 50.0, 150.0, 50.0, 150.0, 75.0, 50.0, 75.0]]
    assert box["attributes"]["text"] == "six fingers"
    assert (point["bbox"], point["keypoints"], point["num_keypoints"]) == ([25.0, 100.0, 0.0, 0.0], [25.0, 100.0, 2], 1)
    names = {one["id"]: one["name"] for one in made["categories"]}
    assert [names[one["category_id"]] for one in made["annotations"]] == ["anatomy", "error"]
    assert made["info"]["left_out"] == 1  # the error without a place


def test_an_image_of_unknown_size_has_no_pixels(study: Study) -> None:
    held = {"sha256": "", "file": "", "shown": "", "width": None, "height": None, "n_bytes": None}
    Image.objects.update(**held)
    made = said(study, "coco")
    assert (made["images"], made["annotations"], made["info"]["left_out"]) == ([], [], 3)


def test_web_annotations_have_boxes_in_per_cent(study: Study) -> None:
    box, point, whole = said(study, "web-annotations")
    assert box["target"]["selector"]["value"] == "xywh=percent:25,50,50,25"
    assert point["target"]["selector"]["value"] == "xywh=percent:12.5,100,0,0"
    assert whole["target"] == {"source": "p1.png"}
    assert box["body"][0] == {"type": "TextualBody", "purpose": "describing", "value": "six fingers"}
    assert box["creator"] == {"type": "Person", "name": "Ann"}
    assert len({one["id"] for one in (box, point, whole)}) == 3


def test_places_that_raters_marked_come_back_as_they_were_answered() -> None:
    study = make_study(n_items=2)
    study.dimensions.all().delete()
    levels = [{"value": "1", "label": "artefact"}, {"value": "2", "label": "mismatch"}]
    question = Dimension.objects.create(
        study=study, name="faults", question="Where?", position=0, kind="places", about="image", levels=levels
    )
    rater, item, other = make_rater(study), *study.items.order_by("position")
    image = item.images.get()
    Image.objects.filter(pk=image.pk).update(width=640, height=480, key="p1.png")
    marked = [
        {"kind": 1, "x": 0.25, "y": 1.0},
        {"kind": 0, "x": 0.1, "y": 0.1235, "width": 0.5, "height": 0.2},
        {"kind": 1, "x": 0.0, "y": 0.0, "width": 1.0, "height": 0.3333},
    ]
    common = {"study": study, "rater": rater, "state": "answered", "answered_at": timezone.now()}
    for n, (shown, answer) in enumerate(((item, marked), (other, []))):
        card = Assignment.objects.create(item=shown, sequence=n, **common)
        Response.objects.create(
            assignment=card, dimension=question, image=shown.images.get(), answer=answer, answered_at=timezone.now()
        )

    made = said(study, "coco")

    kinds = {one["id"]: one["name"] for one in made["categories"]}
    back = []
    for one in made["annotations"]:
        x, y, width, height = (size / whole for size, whole in zip(one["bbox"], (640, 480, 640, 480), strict=True))
        place = {"kind": ["artefact", "mismatch"].index(kinds[one["category_id"]]), "x": x, "y": y}
        back.append(place if "keypoints" in one else {**place, "width": width, "height": height})
    assert back == [pytest.approx(place) for place in marked]
    assert [one["id"] for one in made["annotations"]] == [1, 2, 3]
    assert {one["attributes"]["annotator"] for one in made["annotations"]} == {rater.name}
    notes = [note for note in said(study, "web-annotations") if "selector" in note["target"]]
    assert [note["body"][1]["value"] for note in notes] == ["mismatch", "artefact", "mismatch"]
    for note, place in zip(notes, marked, strict=True):
        said_there = note["target"]["selector"]["value"].removeprefix("xywh=percent:").split(",")
        expected = [100 * place.get(part, 0.0) for part in ("x", "y", "width", "height")]
        assert [float(number) for number in said_there] == pytest.approx(expected)
    assert len({note["id"] for note in notes}) == 3


def test_regions_are_not_read_as_ratings(study: Study) -> None:
    target = io.BytesIO()
    FORMATS["web-annotations"].write(study, target)
    log = RejectLog()
    target.seek(0)
    with opened_ratings([("notes.json", target)], log=log) as given:
        assert list(given.rows(log)) == []
        assert given.tally.n_skipped >= 3

"""Rows that are added by the thousand are the rows that `bulk_create` would have added."""

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, transaction
from django.forms.models import model_to_dict

from generation.models import Image, MetricScore
from generation.models.bulk import add_to, insert_objects, insert_rows, new_ids, set_column
from tests.factories import make_image, make_method, make_prompt

pytestmark = pytest.mark.django_db


def test_objects_are_as_bulk_create_leaves_them() -> None:
    prompt, method = make_prompt(), make_method()

    def image(number: int) -> Image:
        provenance = {"facets": {"ünit": [1, None, "a\tb\\n"]}, "n": 1.5}
        return Image(prompt=prompt, method=method, key=f"k{number}", digest=f"d{number}", provenance=provenance, seed=7)

    plain, fast = image(1), image(2)
    Image.objects.bulk_create([plain])
    insert_objects(Image, [fast])

    first, second = (Image.objects.get(digest=f"d{number}") for number in (1, 2))
    assert second.pk == fast.pk
    differing = {"id", "key", "digest"}
    assert {k: v for k, v in model_to_dict(first).items() if k not in differing} == {
        k: v for k, v in model_to_dict(second).items() if k not in differing
    }
    assert (first.created_at.tzinfo, second.created_at.tzinfo) == (UTC, UTC)
    assert abs((second.created_at - first.created_at).total_seconds()) < 60
    fast.seed = 8
    fast.save()
    assert Image.objects.count() == 2


def test_numbers_are_new_and_stay_free_for_nobody_else() -> None:
    image = make_image()
    with transaction.atomic():
        ids = new_ids(MetricScore, 3)
        insert_rows(MetricScore, ("id", "image_id", "metric", "value"), [(pk, image.pk, f"m{pk}", 0.5) for pk in ids])
    later = MetricScore.objects.create(image=image, metric="later", value=1)
    assert len({*ids, later.pk}) == 4
    assert MetricScore.objects.get(pk=ids[1]).version == ""
    assert new_ids(MetricScore, 0) == []


def test_constraints_hold() -> None:
    image = make_image()
    rows = [(image.pk, "m", 0.5), (image.pk, "m", 0.6)]
    with pytest.raises(IntegrityError), transaction.atomic():
        insert_rows(MetricScore, ("image_id", "metric", "value"), rows)
    assert not MetricScore.objects.exists()


def test_a_time_that_is_given_is_kept_to_the_microsecond() -> None:
    at = datetime(2026, 5, 1, 12, 30, 15, 123456, tzinfo=UTC)
    image = make_image()
    insert_rows(MetricScore, ("image_id", "metric", "value", "created_at"), [(image.pk, "m", 1.0, at)])
    assert MetricScore.objects.get().created_at == at


def test_columns_are_raised_and_set_by_row() -> None:
    first, second, third = (make_image() for _ in range(3))
    add_to(Image, ("round",), {second.pk: 2, first.pk: 1})
    set_column(Image, "seed", {third.pk: 9})
    set_column(Image, "seed", {})
    assert list(Image.objects.order_by("pk").values_list("round", "seed")) == [(1, None), (2, None), (0, 9)]

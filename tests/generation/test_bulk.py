"""Rows that are added by the thousand are the rows that `bulk_create` would have added."""

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, transaction
from django.forms.models import model_to_dict

from generation.models import Image, MetricScore
from generation.models.bulk import Same, add_to, insert_columns, new_ids, set_column
from tests.factories import make_image, make_method, make_prompt

pytestmark = pytest.mark.django_db


def test_rows_are_as_bulk_create_leaves_them() -> None:
    prompt, method = make_prompt(), make_method()
    provenance = {"facets": {"ünit": [1, None, "a\tb\\n"]}, "n": 1.5}
    key = 'it\'s 100 %s\\ "é"\t\n{}'
    Image.objects.bulk_create(
        Image(prompt=prompt, method=method, key=key, digest=f"d{number}", provenance=p, seed=seed)
        for number, p, seed in ((1, provenance, 7), (2, {}, None))
    )
    insert_columns(
        Image,
        {
            "prompt_id": Same(prompt.pk),
            "method_id": [method.pk, method.pk],
            "key": Same(key),
            "digest": ["d3", "d4"],
            "provenance": [provenance, {}],
            "seed": [7, None],
        },
        2,
    )
    insert_columns(Image, {"digest": [], "prompt_id": []}, 0)

    kept = {"id", "digest"}
    first, second, third, fourth = (
        {name: value for name, value in model_to_dict(image).items() if name not in kept}
        for image in Image.objects.order_by("digest")
    )
    assert (first, second) == (third, fourth)
    earlier, later = Image.objects.get(digest="d1").created_at, Image.objects.get(digest="d3").created_at
    assert (earlier.tzinfo, later.tzinfo) == (UTC, UTC)
    assert abs((later - earlier).total_seconds()) < 60


@pytest.mark.parametrize(
    "value", ["", "plain", "it's", "100 %", "%s", "a\\b", "tab\t", "é", "\u2028", "'; DROP TABLE x; --"]
)
def test_a_value_that_all_rows_share_is_kept_to_the_letter(value: str) -> None:
    image = make_image()
    columns = {"image_id": Same(image.pk), "metric": ["a", "b"], "value": Same(0.5), "version": Same(value)}
    insert_columns(MetricScore, columns, 2)
    assert list(MetricScore.objects.order_by("metric").values_list("metric", "value", "version")) == [
        ("a", 0.5, value),
        ("b", 0.5, value),
    ]


def test_numbers_are_new_and_stay_free_for_nobody_else() -> None:
    image = make_image()
    with transaction.atomic():
        ids = new_ids(MetricScore, 3)
        columns = {"id": ids, "image_id": Same(image.pk), "metric": [f"m{pk}" for pk in ids], "value": Same(0.5)}
        insert_columns(MetricScore, columns, len(ids))
    later = MetricScore.objects.create(image=image, metric="later", value=1)
    assert len({*ids, later.pk}) == 4
    assert MetricScore.objects.get(pk=ids[1]).version == ""
    assert new_ids(MetricScore, 0) == []


def test_constraints_hold() -> None:
    image = make_image()
    columns = {"image_id": Same(image.pk), "metric": Same("m"), "value": [0.5, 0.6]}
    with pytest.raises(IntegrityError), transaction.atomic():
        insert_columns(MetricScore, columns, 2)
    assert not MetricScore.objects.exists()


def test_a_time_that_is_given_is_kept_to_the_microsecond() -> None:
    at = datetime(2026, 5, 1, 12, 30, 15, 123456, tzinfo=UTC)
    image = make_image()
    columns = {"image_id": [image.pk], "metric": ["m"], "value": [1.0], "created_at": [at]}
    insert_columns(MetricScore, columns, 1)
    assert MetricScore.objects.get().created_at == at


def test_columns_are_raised_and_set_by_row() -> None:
    first, second, third = (make_image() for _ in range(3))
    add_to(Image, ("round",), {second.pk: 2, first.pk: 1})
    set_column(Image, "seed", {third.pk: 9})
    set_column(Image, "seed", {})
    assert list(Image.objects.order_by("pk").values_list("round", "seed")) == [(1, None), (2, None), (0, 9)]

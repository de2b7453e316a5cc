"""The gallery of items, and the files of images for people with a right to them."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from annotations.models import Assignment, Membership, Study
from annotations.queries.items import Histogram, histograms
from annotations.questions import ACCEPTANCE, ALIGNMENT
from generation.models import Image, Prompt
from tests.factories import make_answer, make_image, make_member, make_rater, make_study, make_user, tiny_png

pytestmark = pytest.mark.django_db


def gallery(client: Client, study: Study, query: str = "") -> str:
    client.force_login(study.owner)
    response = client.get(f"/study/{study.token}/items/{query}")
    assert response.status_code == 200
    return response.content.decode()


def keys(text: str) -> list[str]:
    return re.findall(r"\bitem-\d+(?= ·)", text)


def test_an_item_shows_image_prompt_method_and_the_histogram_of_its_ratings(client: Client) -> None:
    study = make_study(n_items=2, k=4)
    item = study.items.all()[0]
    for level in (4, 4, 0, None):
        make_answer(item, make_rater(study), level=level)
    image = item.images.get()

    text = gallery(client, study)

    assert item.prompt.text in text
    assert image.method.name in text
    assert f'src="/image/{image.pk}/file"' in text
    (label,) = re.findall(r'role="img" aria-label="([^"]+)"', text)
    assert label == (
        "1 does not match at all: 1; 2 significant discrepancies: 0; 3 several minor discrepancies: 0; "
        "4 a few minor discrepancies: 0; 5 matches exactly: 2; unable to answer: 1"
    )


def test_a_preference_is_counted_for_the_image_not_for_the_side_it_was_on() -> None:
    study = make_study(n_items=1, k=3, item_kind=Study.ItemKind.PAIR)
    item, dimension = study.items.get(), study.dimensions.get()
    for shown_order, level in (("0,1", 0), ("1,0", 1), ("1,0", 2)):
        assignment = make_answer(item, make_rater(study), level=level)
        Assignment.objects.filter(pk=assignment.pk).update(shown_order=shown_order)

    # Left as shown 0,1 and right as shown 1,0 are both the first image.
    assert histograms([item], dimension) == {(item.pk, None): Histogram((2, 0, 1, 0, 0), 0, 3)}


def test_only_the_current_revision_counts(client: Client) -> None:
    study = make_study(n_items=1)
    assignment = make_answer(study.items.get(), make_rater(study), level=0)
    old = assignment.responses.get()
    assignment.responses.update(is_current=False)
    old.pk, old.revision, old.level, old.is_current = None, 2, 3, True
    old.save()

    ((_key, histogram),) = histograms([study.items.get()], study.dimensions.get()).items()

    assert histogram == Histogram((0, 0, 0, 1, 0), 0, 1)


def test_filters(client: Client) -> None:
    study = make_study(n_items=4, k=1)
    items = list(study.items.all())
    Prompt.objects.filter(pk=items[0].prompt_id).update(category="functional", text="A fox stirs a stew.")
    make_answer(items[2], make_rater(study))
    method = items[1].images.get().method_id

    assert keys(gallery(client, study)) == ["item-0", "item-1", "item-2", "item-3"]
    assert keys(gallery(client, study, "?category=functional")) == ["item-0", "item-1"]
    assert keys(gallery(client, study, "?q=STEW")) == ["item-0", "item-1"]
    assert keys(gallery(client, study, f"?method={method}")) == ["item-1", "item-3"]
    assert keys(gallery(client, study, "?progress=complete")) == ["item-2"]
    assert keys(gallery(client, study, "?progress=incomplete")) == ["item-0", "item-1", "item-3"]
    assert "No item fits" in gallery(client, study, "?q=nothing+like+it")


@pytest.mark.parametrize("query", ["?method=x", "?method=99999999999999999999", "?page=x", "?page=99", "?sort=x"])
def test_an_address_that_makes_no_sense_is_not_an_error(client: Client, query: str) -> None:
    gallery(client, make_study(n_items=1), query)


def test_the_greatest_disagreement_comes_first_and_the_unanswered_last(client: Client) -> None:
    study = make_study(n_items=3, k=2)
    items = list(study.items.all())
    for item, levels in ((items[1], (2, 2)), (items[2], (0, 4))):
        for level in levels:
            make_answer(item, make_rater(study), level=level)

    assert keys(gallery(client, study, "?sort=disagreement")) == ["item-2", "item-1", "item-0"]


def test_another_question_can_be_looked_at(client: Client) -> None:
    study = make_study(n_items=1, presets=(ALIGNMENT, ACCEPTANCE))
    make_answer(study.items.get(), make_rater(study), level=1)

    assert 'aria-label="0 no: 0; 1 yes: 1; unable to answer: 0"' in gallery(client, study, "?dimension=acceptance")


@pytest.mark.parametrize("item_kind", ["image", "pair", "prompt"])
def test_queries_do_not_grow_with_the_items(
    client: Client, django_assert_num_queries: Callable[..., Any], item_kind: str
) -> None:
    counts = []
    for n in (3, 30):
        study = make_study(n_items=n, item_kind=item_kind)
        rater = make_rater(study)
        for item in study.items.all():
            make_answer(item, rater)
        client.force_login(study.owner)
        # session, user, study, right, 2 for the head (rights), dimensions, count, items, their images, histograms,
        # methods, categories
        with django_assert_num_queries(13) as queries:
            client.get(f"/study/{study.token}/items/")
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_the_file_is_the_original_and_may_be_kept_by_one_browser_alone(client: Client) -> None:
    image = make_image()
    client.force_login(make_user(researcher=True))

    response = client.get(f"/image/{image.pk}/file")

    content = b"".join(response.streaming_content)  # type: ignore[attr-defined]
    with image.file.open() as file:
        assert content == file.read()
    assert content.startswith(tiny_png(1)[:8])
    assert response.headers["Content-Type"] == "image/png"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "private" in response.headers["Cache-Control"]


def test_who_may_have_the_file(client: Client) -> None:
    study = make_study(n_items=1)
    image = study.items.get().images.get()
    rater, owner_without_right = make_rater(study), make_user()
    own = make_study(n_items=1, owner=owner_without_right)
    address = f"/image/{image.pk}/file"

    assert client.get(address).status_code == 302
    for user, image_id, status in (
        (make_member(study), image.pk, 200),
        (make_member(study, role=Membership.Role.AUDITOR), image.pk, 403),
        (owner_without_right, own.items.get().images.get().pk, 200),
        (owner_without_right, image.pk, 403),
        (rater.user, image.pk, 403),
        (make_user(), image.pk, 403),
    ):
        client.force_login(user)  # type: ignore[arg-type]
        assert client.get(f"/image/{image_id}/file").status_code == status


def test_an_image_without_file_or_of_an_unknown_kind_is_not_found(client: Client) -> None:
    image = make_image(format="SVG")
    elsewhere = Image.objects.create(prompt=image.prompt, method=image.method, key="x", digest="x")
    client.force_login(make_user(researcher=True))

    for image_id in (image.pk, elsewhere.pk, 10**6):
        assert client.get(f"/image/{image_id}/file").status_code == 404

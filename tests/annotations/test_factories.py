"""The factories make what their names say: other tests rely on them."""

import pytest
from django.contrib.auth.models import Group
from PIL import Image as PillowImage

from annotations.models import Assignment, Response, Study
from tests.factories import make_answer, make_image, make_rater, make_study, make_user

pytestmark = pytest.mark.django_db


def test_an_image_has_a_real_file() -> None:
    image = make_image(size=(12, 9))

    with image.file.open() as file, PillowImage.open(file) as picture:
        assert picture.size == (12, 9) == (image.width, image.height)


def test_researchers_may_add_studies_and_others_may_not() -> None:
    assert Group.objects.filter(name="Researchers").count() == 1
    assert make_user(researcher=True).has_perm("annotations.add_study")
    assert not make_user().has_perm("annotations.add_study")


@pytest.mark.parametrize(("item_kind", "per_item"), [("image", 1), ("pair", 2), ("prompt", 3)])
def test_items_hold_as_many_images_as_their_kind_shows(item_kind: str, per_item: int) -> None:
    study = make_study(n_items=5, k=2, item_kind=item_kind, n_methods=3)

    items = list(study.items.all())
    assert [item.position for item in items] == [0, 1, 2, 3, 4]
    for item in items:
        images = [row.image for row in item.item_images.all()]
        assert len(images) == per_item
        assert {image.prompt_id for image in images} == {item.prompt_id}
        assert len({image.method_id for image in images}) == per_item
        if item_kind == Study.ItemKind.PAIR:
            assert images[1].parent == images[0]


def test_an_answer_fills_one_place_of_its_item() -> None:
    study = make_study(n_items=1)
    item = study.items.get()

    assignment = make_answer(item, make_rater(study), level=3)

    assert assignment.state == Assignment.State.ANSWERED
    assert Response.objects.get().level == 3
    assert study.items.get().taken == 1

"""Images with fewer pixels, for screens that cannot show them all: as bare and as lossless, whatever made the image."""

import hashlib
import io

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse
from PIL import Image as Picture

from annotations.models import Assignment, Item, Study
from annotations.services.renditions import WIDTHS, make_ahead, rendition_name, studies_to_prepare
from exchange.images import narrowed, shown_rendition
from generation.models import Image
from tests.annotations.raters.test_before import make_exercise
from tests.factories import make_rater, make_study, stored_png, tiny_png

pytestmark = pytest.mark.django_db
SIZE = (1000, 600)


@pytest.fixture
def seen() -> tuple[Client, str]:
    """A rater's browser, and the address of a card's image."""
    study = make_study(n_items=1)
    Image.objects.update(**stored_png(1, SIZE))
    rater = make_rater(study)
    client = Client()
    client.force_login(rater.user, backend="django.contrib.auth.backends.ModelBackend")
    client.get(f"/rate/{study.token}/")
    return client, reverse("rate-image", args=[Assignment.objects.get().token, 0])


def fetched(seen: tuple[Client, str], width: object = None) -> bytes:
    client, address = seen
    response = client.get(address, {} if width is None else {"width": width})
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "image/webp"
    assert response.headers["Content-Disposition"] == 'inline; filename="image.webp"'
    return b"".join(response.streaming_content)  # type: ignore[attr-defined]


def size_of(content: bytes) -> tuple[int, int]:
    with Picture.open(io.BytesIO(content)) as picture:
        assert not picture.info.keys() & {"exif", "icc_profile", "xmp", "comment"}
        return picture.size


@pytest.mark.parametrize("width", [width for width in WIDTHS if width < SIZE[0]])
def test_every_width_below_the_image_s_own_is_available(width: int, seen: tuple[Client, str]) -> None:
    assert size_of(fetched(seen, width)) == (width, round(SIZE[1] * width / SIZE[0]))


@pytest.mark.parametrize("width", [None, 1024, 2048, 500, 0, -256, "256px", "", "٢٥٦"])
def test_any_other_gives_the_whole_image(width: object, seen: tuple[Client, str]) -> None:
    assert fetched(seen, width) == Image.objects.get().shown.open("rb").read()


def test_what_another_request_has_half_written_is_not_handed_out(seen: tuple[Client, str]) -> None:
    whole = fetched(seen, 256)
    digest = hashlib.sha256(Image.objects.get().shown.name.encode()).hexdigest()
    name = f"narrow/256/{digest[:2]}/{digest}.webp"
    assert default_storage.open(name).read() == whole
    default_storage.delete(name)
    default_storage.save(name, ContentFile(whole[:-1]))

    assert fetched(seen, 256) == whole


def test_one_colour_stays_that_colour_and_a_second_encoding_changes_nothing() -> None:
    rendition = shown_rendition(tiny_png(7, SIZE))
    narrow = narrowed(rendition, 256)
    with Picture.open(io.BytesIO(rendition)) as whole, Picture.open(io.BytesIO(narrow)) as part:
        assert part.convert("RGB").getcolors() == [(256 * 154, whole.convert("RGB").getpixel((0, 0)))]
    assert narrowed(narrow, 256) == narrow


def test_no_method_has_sizes_of_its_own() -> None:
    study = make_study(n_items=2, item_kind=Study.ItemKind.PAIR)
    for number, image in enumerate(Image.objects.order_by("pk")):
        Image.objects.filter(pk=image.pk).update(**stored_png(number, SIZE))
    rater = make_rater(study)
    client = Client()
    client.force_login(rater.user, backend="django.contrib.auth.backends.ModelBackend")
    client.get(f"/rate/{study.token}/")
    token = Assignment.objects.order_by("sequence")[0].token
    sizes = {size_of(fetched((client, reverse("rate-image", args=[token, slot])), 512)) for slot in (0, 1)}
    assert sizes == {(512, 307)}


def test_renditions_of_open_studies_are_made_ahead_a_few_seconds_worth_at_a_time() -> None:
    """The first rater then waits as little for an ordinary item as for a check that others have seen."""
    study, draft = make_study(n_items=4), make_study(n_items=1, state=Study.State.DRAFT)
    for number, image in enumerate(Image.objects.order_by("pk")):
        Image.objects.filter(pk=image.pk).update(**stored_png(number, (300 + number, 200)))
    damaged = study.items.order_by("position")[1].images.get()
    Image.objects.filter(pk=damaged.pk).update(shown="images/gone.webp")
    make_exercise(study, Item.Role.GOLD, [0])

    assert studies_to_prepare() == [study.pk]
    assert make_ahead(study_id=study.pk, seconds=0)
    assert len(default_storage.listdir("narrow/256")[1] + default_storage.listdir("narrow/256")[0]) == 2
    assert not make_ahead(study_id=study.pk)
    assert not make_ahead(study_id=draft.pk)

    images = Image.objects.filter(items__study=study).exclude(pk=damaged.pk)
    assert len(images) == 3
    assert all(default_storage.exists(rendition_name(image, 256)) for image in images)
    assert studies_to_prepare() == []
    make_exercise(study, Item.Role.GOLD, [0])
    assert studies_to_prepare() == [study.pk]

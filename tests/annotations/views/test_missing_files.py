"""An image whose file is gone from the storage: its address answers 404, and what holds many goes on without it."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from annotations.models import Assignment, Rater, Study
from annotations.services.formats.registry import FORMATS
from annotations.services.raters.text_images import add_text_image
from annotations.services.release import write_release
from annotations.services.reports import report_now
from generation.models import Image, Reference
from tests.evalsite.test_s3 import KEYS, endpoint, run_with_bucket  # noqa: F401 (a fixture)
from tests.factories import make_answer, make_rater, make_reference, make_study, make_token, stored_png, tiny_png

pytestmark = pytest.mark.django_db
Address = Callable[[Study, Image], str]


def lose(*rows: Image | Reference) -> None:
    for row in rows:
        default_storage.delete(str(row.file.name))
        default_storage.delete(str(row.shown.name))


def rated() -> tuple[Study, Image]:
    """A study of three answered items, and the first item's image, whose file is gone."""
    study = make_study(n_items=3)
    rater = make_rater(study)
    for item in study.items.order_by("position"):
        make_answer(item, rater, level=3)
    report_now(study=study, comparisons=[])
    image = study.items.order_by("position")[0].images.get()
    Image.objects.filter(pk=image.pk).update(key="the-lost-one")
    lose(image)
    return study, Image.objects.get(pk=image.pk)


@pytest.mark.parametrize(
    "address",
    [
        lambda _study, image: reverse("image-file", args=[image.pk]),
        lambda _study, image: reverse("image-shown", args=[image.pk]),
        lambda _study, image: reverse("image-small", args=[image.pk]),
        lambda _study, image: reverse("prompt-reference", args=[image.prompt_id]),
        lambda study, _image: reverse("study-preview-image", args=[f"{study.token}.0", 0]),
        lambda study, _image: reverse("text-image", args=[study.text_images.get().token]),
    ],
)
def test_the_address_of_a_file_that_is_gone_is_not_found(address: Address, client: Client) -> None:
    study, image = rated()
    lose(make_reference(image.prompt))
    text_image = add_text_image(study=study, name="hat", content=tiny_png(5), by=None)
    default_storage.delete(str(text_image.file.name))
    client.force_login(study.owner)
    response = client.get(address(study, image))
    assert response.status_code == 404
    assert "Cache-Control" not in response.headers or "immutable" not in response.headers["Cache-Control"]


@pytest.mark.parametrize("width", ["", "?width=256"])
def test_a_card_s_image_that_is_gone_is_not_found(width: str, client: Client) -> None:
    study = make_study(n_items=1)
    Image.objects.update(**stored_png(1, (500, 400)))
    rater = make_rater(study)
    client.force_login(rater.user, backend="django.contrib.auth.backends.ModelBackend")
    client.get(f"/rate/{study.token}/")
    lose(Image.objects.get())
    assert Rater.objects.count() == 1
    assert client.get(reverse("rate-image", args=[Assignment.objects.get().token, 0]) + width).status_code == 404


@pytest.mark.parametrize("name", ["api-image-file", "api-image-shown"])
def test_the_api_says_that_the_file_is_gone(name: str, client: Client) -> None:
    study, image = rated()
    token = make_token(study.owner)
    response = client.get(reverse(name, args=[image.pk]), headers={"authorization": f"Token {token}"})
    assert response.status_code == 404
    assert "its file is not on this site" in response.content.decode()


def test_a_release_lists_the_images_whose_files_are_gone_and_is_still_equal(tmp_path: Path) -> None:
    study, image = rated()
    with (tmp_path / "bundle.zip").open("w+b") as file:
        write_release(study=study, target=file, with_images=True)
        with zipfile.ZipFile(file) as bundle:
            listed = bundle.read("missing-images.txt").decode()
            names = [name for name in bundle.namelist() if name.startswith("images/")]
            readme = bundle.read("README.md").decode()
    assert listed.splitlines()[1:] == [f"images/{image.sha256}.png"]
    assert len(names) == 2
    assert "missing-images.txt" in readme
    told = io.StringIO()
    call_command("verify", str(tmp_path / "bundle.zip"), stdout=told)
    assert told.getvalue().startswith("equal: all ")


def test_a_release_whose_files_are_all_there_lists_none() -> None:
    study, image = rated()
    Image.objects.filter(pk=image.pk).update(**stored_png(99))
    target = io.BytesIO()
    write_release(study=study, target=target, with_images=True)
    assert "missing-images.txt" not in zipfile.ZipFile(target).namelist()


def test_the_release_page_and_command_go_on_too(client: Client, tmp_path: Path) -> None:
    study, _image = rated()
    client.force_login(study.owner)
    response = client.get(f"{reverse('study-release', args=[study.token])}?images=1")
    assert response.status_code == 200
    said = io.StringIO()
    call_command("release", study.token, out=tmp_path / "a.zip", images=True, stdout=said)
    assert "the files of 1 image are missing" in said.getvalue()


def test_a_data_set_lists_them_and_its_table_leaves_them_out() -> None:
    study, _image = rated()
    target = io.BytesIO()
    FORMATS["dataset"].write(study, target)
    with zipfile.ZipFile(target) as folder:
        assert folder.read("missing-images.txt").decode().splitlines()[1:] == ["the-lost-one"]
        assert "the-lost-one" not in folder.read("images/metadata.csv").decode()
        assert "missing-images.txt" in folder.read("README.md").decode()
        assert sum(name.endswith(".png") for name in folder.namelist()) == 2


def test_a_workbook_says_where_a_thumbnail_would_be() -> None:
    study, _image = rated()
    target = io.BytesIO()
    FORMATS["excel"].write(study, target)
    sheet = openpyxl.load_workbook(io.BytesIO(target.getvalue()))["Items"]
    assert sheet["A2"].value == "file missing"
    assert [picture.anchor._from.row for picture in sheet._images] == [2, 3]


PROGRAM = """
import django
django.setup()
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from generation.models import Image
from generation.queries.stored_files import FileGone, opened, without_file
default_storage.save("images/ab/here.png", ContentFile(b"x"))
here, gone = Image(pk=1, shown="images/ab/here.png"), Image(pk=2, shown="images/ab/gone.png")
with opened(here.shown) as file:
    assert file.read() == b"x"
try:
    opened(gone.shown)
except FileGone:
    print(type(default_storage._wrapped).__name__, "gone", [image.pk for image in without_file([here, gone])])
"""


def test_an_object_that_is_not_in_the_bucket_is_a_file_that_is_gone(
    endpoint: str,  # noqa: F811 (the fixture)
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import boto3  # here: slow to import

    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1").create_bucket(Bucket="evalsite")

    done = run_with_bucket(PROGRAM, endpoint, tmp_path)

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "S3Storage gone [2]"

"""Reference images in a bundle: one for each prompt, next to its images or alone, by the importer and by the API."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from rest_framework.test import APIClient

from exchange.rejects import RejectLog
from generation.models import Image, Prompt, Reference
from generation.services.imports.images import import_images
from tests.factories import make_prompt, make_reference, make_token, make_user, tiny_png
from tests.generation.conftest import Bundle

pytestmark = pytest.mark.django_db
FILES = {f"{name}.png": tiny_png(number) for number, name in enumerate(("a", "b", "photo", "other"))}


def test_a_column_names_each_prompt_s_reference_and_may_come_again(bundle: Bundle, log: RejectLog) -> None:
    manifest = (
        "image,prompt,method,reference,reference_licence\n"
        "a.png,a fox,one,photo.png,CC0\n"
        "b.png,a fox,two,photo.png,CC0\n"
        ",a bear,,other.png,\n"
    )
    source = bundle(FILES | {"manifest.csv": manifest})

    counts = import_images(source, prompt_set="p", log=log)

    assert not log
    assert (counts.n_created, counts.made["images"], counts.made["references"]) == (3, 2, 2)
    fox, bear = Reference.objects.order_by("prompt__text").values_list("prompt__text", "provenance")[::-1]
    assert fox[0] == "a fox"
    assert fox[1] == {"reference_licence": "CC0", "source": {"bundle": source.name, "file": "photo.png"}}
    assert bear[0] == "a bear"
    row = Reference.objects.get(prompt__text="a fox")
    assert row.file.open("rb").read() == FILES["photo.png"]
    assert (row.width, row.height) == (8, 8)
    assert row.sha256 not in str(row.shown.name)

    again = import_images(source, prompt_set="p", log=log)
    assert (again.n_created, again.n_unchanged) == (0, 3)
    assert Reference.objects.count() == 2


def test_a_manifest_of_references_alone_needs_no_images(bundle: Bundle, log: RejectLog) -> None:
    manifest = "prompt,reference,photographer\na fox,photo.png,Rosa\n"
    counts = import_images(bundle({"manifest.csv": manifest, "photo.png": FILES["photo.png"]}), prompt_set="p", log=log)
    assert not log
    assert counts.n_created == 1
    assert Reference.objects.get().provenance["photographer"] == "Rosa"
    assert not Image.objects.exists()


def test_pairs_may_have_one(bundle: Bundle, log: RejectLog) -> None:
    files = {"pairs.csv": "prompt,baseline,refined,reference\na fox,a.png,b.png,photo.png\n"}
    import_images(bundle(FILES | files), prompt_set="p", log=log)
    assert Image.objects.count() == 2
    assert Reference.objects.get().prompt.text == "a fox"


def test_another_reference_for_a_prompt_is_refused_with_its_row(bundle: Bundle, log: RejectLog) -> None:
    manifest = "image,prompt,method,reference\na.png,a fox,one,photo.png\nb.png,a fox,two,other.png\n"
    for dry_run in (True, False):
        found = RejectLog(keep=10)
        counts = import_images(bundle(FILES | {"m.csv": manifest}), prompt_set="p", dry_run=dry_run, log=found)
        assert [(one.row, one.field, one.problem) for one in found.first] == [
            (3, "reference", "the prompt has another reference image")
        ]
        assert counts.n_created == 1
        assert Reference.objects.count() == (0 if dry_run else 1)
    assert Image.objects.get().method.name == "one"


def test_a_damaged_or_missing_reference_is_refused(bundle: Bundle, log: RejectLog) -> None:
    manifest = "image,prompt,reference\na.png,a fox,cut.png\nb.png,a bear,nowhere.png\n,a cat,\n"
    import_images(bundle(FILES | {"cut.png": tiny_png(9)[:30], "m.csv": manifest}), prompt_set="p", log=log)
    assert {(one.row, one.field) for one in log.first if one.row} == {(2, "reference"), (3, "reference"), (4, "image")}
    assert not Reference.objects.exists()
    assert not Image.objects.exists()


def test_the_api_takes_it_as_one_of_the_files() -> None:
    user = make_user(researcher=True)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {make_token(user)}")
    files = [SimpleUploadedFile(name, FILES[name]) for name in ("a.png", "photo.png")]
    rows = [{"file": "a.png", "prompt": "a fox", "reference": "photo.png"}]

    response = client.post("/api/v1/images/", {"prompt_set": "p", "images": json.dumps(rows), "files": files})

    assert response.status_code == 200, response.content
    assert Reference.objects.get().prompt == Image.objects.get().prompt
    alone = [{"prompt": "a bear", "reference": "photo.png"}]
    files = [SimpleUploadedFile("photo.png", FILES["photo.png"])]
    response = client.post("/api/v1/images/", {"prompt_set": "p", "images": json.dumps(alone), "files": files})
    assert response.status_code == 422


def test_its_prompt_s_page_shows_it(client: Client) -> None:
    prompt = make_prompt("a fox")
    client.force_login(make_user(researcher=True))
    address = f"/prompt/{prompt.pk}/reference"
    assert address not in client.get(f"/prompt/{prompt.pk}/").content.decode()
    assert client.get(address).status_code == 404
    make_reference(prompt, provenance={"source": {"file": "photo.png"}})
    page = client.get(f"/prompt/{prompt.pk}/").content.decode()
    assert address in page
    assert "photo.png" in page
    assert client.get(address).headers["Content-Type"] == "image/webp"
    assert Prompt.objects.count() == 1

"""Images in the instructions: the study's own, re-encoded, on every page with these texts, and gone with the study."""

import io
import re

import pytest
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image as PillowImage

from annotations.models import Item, Study, TextImage
from annotations.queries.planning.present import present_plan
from annotations.reports.registration.deviations import Outcome, deviations
from annotations.reports.registration.documents import answers
from annotations.reports.registration.plan import Plan
from annotations.services.deletion import ask_deletion, delete_study
from annotations.services.raters import text_images
from annotations.services.raters.text_images import add_text_image, copy_text_images, name_for
from annotations.templatetags.formatted import formatted
from tests.annotations.raters.test_before import join, make_exercise
from tests.factories import make_study, tiny_png

pytestmark = pytest.mark.django_db


def add(study: Study, name: str = "hat", content: bytes = b"") -> TextImage:
    return add_text_image(study=study, name=name, content=content or tiny_png(3), by=study.owner)


def test_a_name_becomes_the_studys_own_image_and_nothing_else_becomes_one() -> None:
    study, other = make_study(), make_study()
    image = add(study)
    add(other, "theirs")

    html = formatted('Look at *this*: ![a hat "and" a <b>](hat), twice', study)

    assert html == (
        f'<p>Look at <em>this</em>: <img src="/text-image/{image.token}/" width="8" height="8" '
        'alt="a hat &quot;and&quot; a &lt;b&gt;" loading="lazy">, twice</p>\n'
    )
    for text in ("![x](theirs)", "![x](https://elsewhere.example/a.png)", "![x](//a.example/hat)", "\\![x](hat)"):
        assert "<img" not in formatted(text, study), text
    assert formatted("See ![a *blue* hat](theirs) and ![](gone).", study) == "<p>See a *blue* hat and .</p>\n"
    assert formatted("![<b>](hat)") == "<p>&lt;b&gt;</p>\n"
    assert "![x](https://elsewhere.example/a.png)" in formatted("![x](https://elsewhere.example/a.png)", study)


def test_an_upload_is_checked_and_only_its_pixels_are_kept() -> None:
    study = make_study()
    file = io.BytesIO()
    PillowImage.effect_noise((2_000, 40), 50).save(file, "JPEG", comment=b"by the secret method")

    image = add(study, content=file.getvalue())

    stored = image.file.open("rb").read()
    assert (stored[8:12], image.width, image.height) == (b"WEBP", 1_600, 32)
    assert b"secret" not in stored
    for name, content, field in (
        ("svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "file"),
        ("cut", file.getvalue()[:500], "file"),
        ("large", b"0" * (text_images.MOST_BYTES + 1), "file"),
        ("hat", tiny_png(1), "name"),
        ("a b", tiny_png(1), "name"),
        ("", tiny_png(1), "name"),
    ):
        with pytest.raises(ValidationError) as problem:
            add_text_image(study=study, name=name, content=content, by=None)
        assert field in problem.value.message_dict, name
    assert study.text_images.count() == 1
    assert name_for("C:\\my files\\Good example (1).png") == "Good-example-1"


@pytest.mark.parametrize(
    ("file_name", "name"),
    [
        ("好的例子 (1).png", "好的例子-1"),
        ("مثال جيد.png", "مثال-جيد"),
        ("नीली टोपी.png", "नीली-टोपी"),
        ("Größe.png".encode().decode(), "Größe"),
        ("Gro\u0308ße.png", "Größe"),  # as macOS writes it
        ("🎩.png", "image"),
    ],
)
def test_names_of_all_scripts_stay_recognisable(client: Client, file_name: str, name: str) -> None:
    study = make_study(instructions=f"See ![a hat]({name}).", state=Study.State.DRAFT)
    client.force_login(study.owner)

    client.post(
        f"/study/{study.token}/raters/images/", {"file": SimpleUploadedFile(file_name, tiny_png(2))}, follow=True
    )

    image = study.text_images.get()
    assert (image.name, image.line) == (name, f"![]({name})")
    assert f'src="/text-image/{image.token}/"' in formatted(study.instructions, study)


def test_files_without_a_letter_in_their_names_are_kept_apart(client: Client) -> None:
    study = make_study(state=Study.State.DRAFT)
    client.force_login(study.owner)
    for number, file_name in enumerate(("🎩.png", "👟.png", "🧣.png")):
        file = SimpleUploadedFile(file_name, tiny_png(number))
        assert client.post(f"/study/{study.token}/raters/images/", {"file": file}).status_code == 302
    assert list(study.text_images.values_list("name", flat=True)) == ["image", "image-2", "image-3"]


def test_removing_an_image_that_a_text_names_warns_and_leaves_its_words(client: Client) -> None:
    study = make_study(instructions="Like this: ![a hat](hat)", state=Study.State.DRAFT)
    image = add(study)
    client.force_login(study.owner)
    url = f"/study/{study.token}/raters/images/"
    assert "If you remove it, raters see the words" in client.get(url).content.decode()

    after = client.post(f"{url}{image.pk}/remove/", follow=True).content.decode()

    assert "Removed. A text still names it" in after
    assert re.search(r"Texts name images that the study does not have.*<li dir=\"auto\">hat</li>", after, re.DOTALL)
    Study.objects.update(state=Study.State.OPEN)
    invitation = client.get(f"/join/{study.invitation}/").content.decode()
    assert "Like this: a hat</p>" in invitation
    assert "![" not in invitation


def test_it_is_shown_before_and_while_people_rate(client: Client) -> None:
    study = make_study(instructions="Like this: ![a hat](hat)")
    make_exercise(study, Item.Role.EXAMPLE, [0], reason="See ![a hat](hat)")
    source = f'src="/text-image/{add(study).token}/"'

    invitation = client.get(f"/join/{study.invitation}/").content.decode()
    shown = client.get(re.findall(r'src="(/text-image/[^"]+)"', invitation)[0])
    join(client, study)
    examples = client.get(f"/rate/{study.token}/before/").content.decode()
    card = client.post(f"/rate/{study.token}/before/", {"seen": "1"}, follow=True).content.decode()

    assert source in invitation
    assert shown.headers["Content-Type"] == "image/webp"
    assert {"ETag", "Last-Modified"}.isdisjoint(shown.headers)
    assert examples.count(source) == 2
    assert card.count(source) == 1


def test_researchers_add_and_remove_them_on_a_page(client: Client) -> None:
    study = make_study(state=Study.State.DRAFT)
    client.force_login(study.owner)
    url = f"/study/{study.token}/raters/images/"

    sent = client.post(url, {"file": SimpleUploadedFile("Blue hat.png", tiny_png(2))}, follow=True).content.decode()
    refused = client.post(url, {"file": SimpleUploadedFile("a.png", b"<html>")})

    image = study.text_images.get()
    assert "![](Blue-hat)" in sent
    assert refused.status_code == 422
    assert "Save it as PNG, JPEG or WebP" in refused.content.decode()
    elsewhere = make_study(owner=study.owner)
    assert client.post(f"/study/{elsewhere.token}/raters/images/{image.pk}/remove/").status_code == 404
    client.post(f"{url}{image.pk}/remove/")
    assert not study.text_images.exists()
    assert client.get(f"/text-image/{image.token}/").status_code == 404


def test_a_copied_study_has_its_own(client: Client) -> None:
    study, copied = make_study(), make_study()
    image = add(study)
    copy_text_images(source=study, target=copied)

    own = copied.text_images.get()

    assert (own.name, own.sha256) == (image.name, image.sha256)
    assert own.token != image.token
    assert own.file.name != image.file.name


def test_a_copy_goes_on_without_an_image_whose_file_is_gone() -> None:
    study, copied = make_study(), make_study()
    lost, held = add(study), add_text_image(study=study, name="scarf", content=tiny_png(4), by=None)
    default_storage.delete(str(lost.file.name))

    assert copy_text_images(source=study, target=copied) == [lost.name]

    assert [one.name for one in copied.text_images.all()] == [held.name]


def test_the_design_page_gives_a_copy_the_originals_images(client: Client) -> None:
    study = make_study(instructions="![a hat](hat)")
    image = add(study)
    client.force_login(study.owner)
    page = client.get("/study/new/", {"copy": study.token})
    form, questions = page.context["form"], page.context["questions"]
    sent = {field.html_name: field.value() for field in form}
    sent |= {field.html_name: field.value() for field in questions[0] if field.value() not in (None, False)}
    sent |= {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "0", "copy": study.token, "action": "create"}
    client.post("/study/new/", {name: "" if value is None else value for name, value in sent.items()})

    assert f"/text-image/{image.token}/" in page.content.decode()
    assert [one.name for one in Study.objects.exclude(pk=study.pk).get().text_images.all()] == ["hat"]


def test_files_go_with_the_study(django_capture_on_commit_callbacks: object) -> None:
    study = make_study(title="Hats")
    name = str(add(study).file.name)
    assert default_storage.exists(name)
    ask_deletion(study=study)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        delete_study(study=study, typed_title="Hats")

    assert not default_storage.exists(name)


def test_a_registration_names_them_by_their_hashes() -> None:
    study = make_study(instructions="Like this: ![a hat](hat)")
    image = add(study)

    plan = Plan.from_json(present_plan(study).to_json())
    procedure = dict(answers(plan, "osf"))["Data collection procedures"]
    text_images.remove_text_image(image=image, by=None)
    add(study, content=tiny_png(9))

    assert f"Image “hat” in these texts: SHA-256 {image.sha256}." in procedure
    found = deviations(plan, present_plan(study), Outcome(n_answered=0))
    assert [line for line in found if line.startswith("Images in the instructions: registered “hat ")]


def test_a_file_as_large_as_the_page_says_is_taken(client: Client) -> None:
    study = make_study()
    client.force_login(study.owner)
    file = io.BytesIO()
    PillowImage.effect_noise((3_000, 2_800), 50).save(file, "PNG")
    assert 7e6 < file.tell() < 10e6
    upload = SimpleUploadedFile("hat.png", file.getvalue(), "image/png")

    answer = client.post(f"/study/{study.token}/raters/images/", {"file": upload, "name": "hat"})

    assert answer.status_code == 302, answer.content.decode()[:500]
    assert study.text_images.get().width == 1_600

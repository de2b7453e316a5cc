"""An image's page: where it comes from, what became of it, and how it is made again."""

import io
import re
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse
from PIL import Image as Picture
from pytest_django import DjangoAssertNumQueries

from generation.models import Decomposition, Image
from generation.recipes.matrix.methods import BASELINE, BEST_OF_FOUR, renoised, switched
from tests.factories import make_image, make_user
from tests.generation.runs.run_rows import ADDED, TEXT, criticise, make_family, method_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def researcher() -> User:
    return make_user("ruth", researcher=True)


@pytest.fixture
def page(client: Client, researcher: User) -> Client:
    client.force_login(researcher)
    return client


def test_the_picture_is_the_rendition_kept_by_this_browser_alone(page: Client) -> None:
    image = make_image()
    response = page.get(reverse("image-shown", args=[image.pk]))
    with image.shown.open("rb") as file:
        assert b"".join(response.streaming_content) == file.read()  # type: ignore[attr-defined]
    assert response.headers["Content-Type"] == "image/webp"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "private, max-age=86400, immutable"


def test_an_image_whose_file_is_elsewhere_has_no_picture(page: Client) -> None:
    image = make_image(sha256="", file="", shown="", width=None, height=None, n_bytes=None, key="k1")
    assert page.get(reverse("image-shown", args=[image.pk])).status_code == 404


def test_a_small_picture_is_made_once_and_is_small(page: Client) -> None:
    image = make_image(size=(900, 300))
    first = page.get(reverse("image-small", args=[image.pk]))
    with Picture.open(io.BytesIO(first.content)) as picture:
        assert (picture.format, picture.size) == ("WEBP", (384, 128))
    assert page.get(reverse("image-small", args=[image.pk])).content == first.content
    assert first.headers["Cache-Control"] == "private, max-age=86400, immutable"
    (name,) = [
        f"small/{folder}/{file}"
        for folder in default_storage.listdir("small")[0]
        for file in default_storage.listdir(f"small/{folder}")[1]
    ]
    default_storage.delete(name)
    default_storage.save(name, ContentFile(first.content[:50]))  # as another request may have it, half written
    assert page.get(reverse("image-small", args=[image.pk])).content == first.content


def text_of(page: Client, image: Image, query: str = "") -> str:
    response = page.get(reverse("image", args=[image.pk]) + query)
    assert response.status_code == 200
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


def markup_of(page: Client, image: Image, query: str = "") -> str:
    return page.get(reverse("image", args=[image.pk]) + query).content.decode()


class TestLine:
    def test_it_goes_from_the_baseline_over_what_the_critic_said_to_the_image(self, page: Client) -> None:
        family = make_family(renoised(2), BASELINE)
        text = text_of(page, family.refined)
        order = [text.index(words) for words in ("First drawing", "The ladle floats.", "Refined prompt", "Round 1")]
        assert order == sorted(order)
        for words in (
            "gpt-vision",
            "relation",
            "major",
            "about: the fox stirs the stew",
            "the prompt of the next image",
        ):
            assert words in text
        assert f"<ins> {ADDED}</ins>" in markup_of(page, family.refined)

    def test_what_a_claim_is_about_comes_from_the_decomposition_that_its_critic_saw(self, page: Client) -> None:
        family = make_family(renoised(2), BASELINE)
        later = {"entities": [{"id": "r1", "text": "lighthouse"}], "relations": []}
        Decomposition.objects.create(prompt=family.prompt, graph=later, digest="later")
        text = text_of(page, family.refined)
        assert "about: the fox stirs the stew" in text
        assert "lighthouse" not in text

    def test_rounds_are_in_order(self, page: Client) -> None:
        family = make_family(renoised(2), BASELINE)
        criticise(family.refined, f"{TEXT} {ADDED} Steam rises.")
        second = make_image(parent=family.refined, method=method_of(renoised(2, rounds=2)), seed=7)
        text = text_of(page, second)
        order = [text.index(words) for words in ("First drawing", "Round 1", "Steam rises.", "Round 2")]
        assert order == sorted(order)

    def test_the_critique_that_led_on_is_distinguished_and_controls_are_left_out(self, page: Client) -> None:
        family = make_family(renoised(2), BASELINE)
        criticise(family.baseline, f"{TEXT} Other words.", critic="another critic")
        criticise(family.baseline, "", critic="planted by hand", source="planted")
        text = text_of(page, family.refined)
        before, after = text.index("gpt-vision"), text.index("another critic: 1 claim")
        assert before < after
        assert "planted by hand" not in text
        assert "1 control for audits is left out." in text

    def test_relatives_are_one_click_away(self, page: Client) -> None:
        family = make_family(renoised(2), BASELINE)
        sibling = make_image(parent=family.baseline, method=method_of(switched(1)), seed=7)
        of_refined, of_baseline = markup_of(page, family.refined), markup_of(page, family.baseline)
        assert f'href="{reverse("image", args=[sibling.pk])}"' in of_refined.split("Generated from the same parent")[1]
        children = of_baseline.split("Refined from it")[1]
        assert all(f'href="{reverse("image", args=[one.pk])}"' in children for one in (sibling, family.refined))

    def test_neither_rounds_nor_relatives_cost_queries(
        self, page: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        family = make_family(renoised(2), BASELINE)
        last = family.refined
        for round_ in range(2, 6):
            criticise(last, f"{TEXT} Round {round_}.")
            last = make_image(parent=last, seed=7)
        for _ in range(30):
            make_image(parent=family.baseline)
        with django_assert_max_num_queries(18):
            text_of(page, last)
        with django_assert_max_num_queries(18):
            assert "Generated from the same parent 30" in text_of(page, family.refined)


class TestSideBySide:
    def test_an_image_is_shown_next_to_its_parent_or_the_one_that_the_address_names(self, page: Client) -> None:
        family = make_family(renoised(2), BASELINE)
        other = make_image(parent=family.baseline, method=method_of(switched(1)))
        for query, beside in (("", family.baseline), (f"?with={other.pk}", other), ("?with=soup", family.baseline)):
            markup = markup_of(page, family.refined, query)
            compared = markup.split("data-compare")[1].split("compare-control")[0]
            sources = re.findall(r'<img src="([^"]+)"', compared)
            assert sources == [reverse("image-shown", args=[one.pk]) for one in (beside, family.refined)]

    def test_a_baseline_is_shown_alone(self, page: Client) -> None:
        assert "data-compare" not in markup_of(page, make_image())

    def test_scores_are_next_to_the_parents(self, page: Client) -> None:
        family = make_family(renoised(2), BASELINE)
        assert "clip-score 0.500 0.750 +0.250" in text_of(page, family.refined)


class TestRecord:
    def test_parameters_are_shown_and_the_raw_record_is_there(self, page: Client) -> None:
        family = make_family(renoised(2), BASELINE)
        text = text_of(page, family.refined)
        for words in ("Seed 7", "Steps 28", "Guidance 4.5", "t′ = T − 2 = 26", "Engine sd3", "Torch 2.13.0"):
            assert words in text
        assert '"torch": "2.13.0"' in text
        assert family.refined.digest in text

    def test_switch_says_how_many_steps_used_the_old_prompt(self, page: Client) -> None:
        family = make_family(switched(1, swap_pooled=False), BASELINE)
        assert "2 steps with the old prompt · old pooled embedding" in text_of(page, family.refined)

    def test_what_was_made_here_can_be_made_again_and_what_came_from_elsewhere_cannot(self, page: Client) -> None:
        family = make_family(renoised(2), BASELINE)
        assert f"python manage.py reproduce --image {family.refined.pk}" in markup_of(page, family.refined)
        imported = make_image(provenance={"source": {"bundle": "pairs.zip", "file": "a.png"}})
        text = text_of(page, imported)
        assert "reproduce" not in text
        assert "came from elsewhere" in text
        assert "Imported from pairs.zip · a.png" in text

    def test_a_choice_after_looking_is_seen_as_one(self, page: Client) -> None:
        family = make_family(renoised(2), BASELINE)
        candidates = [make_image(parent=family.baseline, method=method_of(switched(k))) for k in (0, 1, 2, 4)]
        among = [image.pk for image in candidates]
        record = {"chosen": among[2], "among": among, "by": "clip-score", "values": [0.1, 0.2, 0.4, 0.3]}
        chosen = make_family(BEST_OF_FOUR, BASELINE, prompt=family.prompt, record=record).refined
        text = text_of(page, chosen)
        assert "Chosen after looking: the best of 4 by clip-score." in text
        assert "0.100 0.200 0.400 ✓ taken 0.300" in text
        assert "clip-score chosen by it" in text
        notice = markup_of(page, chosen).split("notice warning choice")[1].split("</ul>")[0]
        assert all(reverse("image", args=[image.pk]) in notice for image in candidates)
        assert "Chosen after looking" not in text_of(page, candidates[0])
        refined_further = make_image(parent=chosen)
        assert "Round 1 chosen by clip-score" in text_of(page, refined_further)

    def test_a_choice_whose_candidates_are_gone_is_still_seen(self, page: Client) -> None:
        image = make_image(provenance={"chosen": 999_999, "among": [999_999, 999_998], "by": "blip-vqa"})
        assert "Chosen after looking: the best of 2 by blip-vqa." in text_of(page, image)

    def test_an_image_that_a_critic_found_nothing_wrong_with_says_so(self, page: Client) -> None:
        kept = {"copied_from": 1, "stopped": "The critic finds nothing wrong."}
        family = make_family(renoised(2), BASELINE, record=kept)
        assert "Kept as it was: The critic finds nothing wrong." in text_of(page, family.refined)

    def test_an_image_without_a_file_says_where_it_is(self, page: Client) -> None:
        image = make_image(sha256="", file="", shown="", width=None, height=None, n_bytes=None, key="s3://far/away")
        assert "held elsewhere" in text_of(page, image)
        assert "s3://far/away" in text_of(page, image)

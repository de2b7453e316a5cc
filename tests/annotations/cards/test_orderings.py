"""Questions that put the images of a card in order: what is shown, what is taken, what is stored."""

import re
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from annotations.forms.dimensions import DimensionForm
from annotations.forms.rating import parse_submission
from annotations.kinds.base import BadAnswers, field_name
from annotations.models import Assignment, Dimension, Rater, Response, Study
from annotations.queries.candidates import Selection, example, n_items
from annotations.questions import BEST_WORST, MOST_RANKED, PREFERENCE, PRESETS, RANKING, Preset
from annotations.services.rating import reserve
from annotations.services.studies import create_study
from generation.models import Image, Method
from tests.annotations.looking import fetch_images
from tests.annotations.test_pairs import images
from tests.factories import make_image, make_method, make_prompt, make_rater, make_study, make_user

pytestmark = pytest.mark.django_db
PROMPT = Study.ItemKind.PROMPT


def everything() -> Selection:
    rows = Image.objects.all()
    return Selection(
        tuple(rows.values_list("prompt__prompt_set", flat=True).distinct()),
        tuple(rows.values_list("method", flat=True).distinct()),
        one_per_method=True,
    )


def made(preset: Preset = RANKING, **fields: Any) -> Study:
    study = Study(**{"title": "Order", "owner": make_user(), "seed": 7, "item_kind": PROMPT} | fields)
    return create_study(study=study, dimensions=[Dimension(**preset.fields())], selection=everything())


class TestCards:
    def test_one_image_of_each_method_and_as_many_places_as_images(self) -> None:
        prompts, methods = images(4, 3)

        study = made()

        assert n_items(PROMPT, everything()) == 4 == study.items.count()
        for item in study.items.all():
            assert sorted(image.method_id for image in item.images.all()) == [method.pk for method in methods]
        assert [level["value"] for level in study.dimensions.get().levels] == ["1", "2", "3"]
        assert {item.key for item in study.items.all()} == {
            f"prompt-{prompt.pk}-{prompt.images.order_by('method').first().pk}" for prompt in prompts
        }

    def test_several_seeds_give_several_cards(self) -> None:
        prompt, one, other, third = make_prompt(), make_method(), make_method(), make_method()
        for method, seeds in ((one, (2, 1)), (other, (1, 2, 3)), (third, (1,))):
            for seed in seeds:
                make_image(prompt=prompt, method=method, seed=seed)
        make_image(method=one)  # alone with its prompt: nothing to put in order

        study = made()

        found = sorted(
            sorted((image.method_id, image.seed) for image in item.images.all()) for item in study.items.all()
        )
        assert found == [[(one.pk, 1), (other.pk, 1), (third.pk, 1)], [(one.pk, 2), (other.pk, 2)]]
        assert n_items(PROMPT, everything()) == 2
        assert [image.seed for image in example(PROMPT, everything())] == [1, 1, 1]

    def test_other_cards_are_refused(self) -> None:
        images(2, 2)
        with pytest.raises(ValidationError, match="show all images of a prompt together"):
            made(item_kind=Study.ItemKind.PAIR)

    def test_more_images_than_can_be_put_in_order_are_refused(self) -> None:
        images(1, MOST_RANKED + 1)
        with pytest.raises(ValidationError, match="13 images"):
            made()
        assert not Study.objects.exists()

    def test_the_form_needs_no_words_for_places_and_three_for_best_and_worst(self) -> None:
        def form(**data: Any) -> DimensionForm:
            return DimensionForm({"question": "Which?", "about": "item"} | data)

        ranking = form(kind="ranking", levels="")
        assert ranking.is_valid(), ranking.errors
        assert (ranking.dimension().about, len(ranking.dimension().levels)) == ("image", MOST_RANKED)
        assert form(kind="best_worst", levels="1 = top\n2 = middling\n3 = bottom").is_valid()
        assert "three levels" in str(form(kind="best_worst", levels="1 = top\n2 = bottom").errors)
        assert "required" in str(form(kind="ordinal", levels=" ").errors)

    def test_every_preset_can_be_made(self) -> None:
        images(1, 3)
        for preset in PRESETS.values():
            kind = preset.only_for or PROMPT
            assert made(preset, item_kind=kind).dimensions.get().name == preset.name

    @pytest.mark.parametrize("preset", [RANKING, BEST_WORST])
    def test_the_design_page_shows_the_card(self, client: Client, preset: Preset) -> None:
        from tests.annotations.views.test_design import NEW, form_data, text_of

        client.force_login(make_user(researcher=True))
        images(2, 3)

        text = text_of(client.post(NEW, form_data(preset, item_kind="prompt")))

        assert "<b>2</b> items" in text
        assert re.findall(r"<kbd>(\w)</kbd>", text) == ["A", "B", "C"]
        assert client.post(NEW, form_data(preset, item_kind="prompt", action="create")).status_code == 302
        assert client.post(NEW, form_data(preset, item_kind="image", action="create")).status_code == 200


class TestAnswers:
    def parsed(self, dimension: Dimension, *codes: str, **more: str) -> list[int | None]:
        data = {field_name(dimension, place): code for place, code in enumerate(codes)} | more
        answers = parse_submission(
            data, [dimension], [70 + place for place in range(len(codes))], timezone.now()
        ).answers
        assert [answer.image_id for answer in answers] == [70 + place for place in range(len(codes))]
        return [answer.level for answer in answers]

    def dimension(self, preset: Preset) -> Dimension:
        return Dimension(pk=5, **preset.fields())

    @pytest.mark.parametrize(
        ("codes", "levels"),
        [("102", [1, 0, 2]), ("001", [0, 0, 1]), ("000", [0, 0, 0]), ("022", [0, 1, 1]), ("311", [1, 0, 0])],
    )
    def test_places_without_gaps(self, codes: str, levels: list[int]) -> None:
        assert self.parsed(self.dimension(RANKING), *codes) == levels

    @pytest.mark.parametrize(("codes", "levels"), [("021", [0, 2, 1]), (("", "2", "0"), [1, 2, 0]), ("20", [2, 0])])
    def test_best_and_worst(self, codes: Any, levels: list[int]) -> None:
        assert self.parsed(self.dimension(BEST_WORST), *codes) == levels

    def test_unable_is_said_once_for_all(self) -> None:
        for preset in (RANKING, BEST_WORST):
            assert self.parsed(self.dimension(preset), "", "", "", d5="u") == [None, None, None]

    @pytest.mark.parametrize(
        ("preset", "codes", "words"),
        [
            (RANKING, ("0", "", "1"), "not answered yet"),
            (RANKING, ("0", "12", "1"), "no such answer"),
            (RANKING, ("0", "-1", "1"), "no such answer"),
            (BEST_WORST, ("", "", ""), "not answered yet"),
            (BEST_WORST, ("0", "0", "2"), "one best and one worst"),
            (BEST_WORST, ("0", "", ""), "one best and one worst"),
            (BEST_WORST, ("0", "3", "2"), "no such answer"),
        ],
    )
    def test_what_is_not_an_order_is_refused(self, preset: Preset, codes: tuple[str, ...], words: str) -> None:
        with pytest.raises(BadAnswers, match=words):
            self.parsed(self.dimension(preset), *codes)


class TestByForm:
    """Without a script: a list at each image."""

    def card(self, client: Client, *presets: Preset) -> tuple[Rater, Assignment, str]:
        rater = make_rater(make_study(n_items=2, item_kind=PROMPT, n_methods=3, presets=presets))
        assert rater.user
        client.force_login(rater.user)
        text = client.get(f"/rate/{rater.study.token}/").content.decode()
        return rater, rater.assignments.order_by("sequence")[0], text

    def answer(self, client: Client, card: Assignment, **fields: str) -> Any:
        fetch_images(client, card.token, 3)
        return client.post(f"/rate/{card.study.token}/answer/{card.token}/", fields)

    def test_a_ranking_is_stored_by_image_as_it_was_shown(self, client: Client) -> None:
        rater, card, text = self.card(client, RANKING)
        name = f"d{rater.study.dimensions.get().pk}"
        assert text.count("<select") == 3

        assert self.answer(client, card, **{f"{name}-0": "2", f"{name}-1": "0", f"{name}-2": "0"}).status_code == 302

        slots = [int(slot) for slot in card.shown_order.split(",")]
        by_slot = [image.pk for image in card.item.images.order_by("item_images__slot")]
        given = dict(Response.objects.values_list("image", "level"))
        assert [given[by_slot[slot]] for slot in slots] == [1, 0, 0]

    def test_it_is_shown_again_as_given_and_a_change_is_a_revision(self, client: Client) -> None:
        rater, card, _text = self.card(client, RANKING)
        name = f"d{rater.study.dimensions.get().pk}"
        self.answer(client, card, **{f"{name}-0": "2", f"{name}-1": "0", f"{name}-2": "1"})

        shown = client.get(f"/rate/{rater.study.token}/card/{card.token}/").content.decode()
        assert re.findall(r'value="(\d)" selected', shown) == ["2", "0", "1"]
        self.answer(client, card, **{name: "u"})

        assert Response.objects.filter(is_current=True, is_unable=True).count() == 3
        assert Response.objects.count() == 6
        again = client.get(f"/rate/{rater.study.token}/card/{card.token}/").content.decode()
        assert re.search(r'type="checkbox"[^>]*value="u"[^>]*checked', again)

    def test_half_an_order_is_sent_back_with_what_was_chosen(self, client: Client) -> None:
        rater, card, _text = self.card(client, RANKING)
        name = f"d{rater.study.dimensions.get().pk}"

        refused = self.answer(client, card, **{f"{name}-0": "2", f"{name}-1": "", f"{name}-2": "1"})

        assert refused.status_code == 400
        assert "not answered yet" in refused.content.decode()
        assert re.findall(r'value="(\d)" selected', refused.content.decode()) == ["2", "1"]
        assert not Response.objects.exists()


def test_an_answer_costs_no_more_queries_for_an_order(client: Client, django_assert_max_num_queries: Any) -> None:
    rater = make_rater(make_study(n_items=6, item_kind=PROMPT, n_methods=4, presets=(RANKING,)))
    assert rater.user
    client.force_login(rater.user)
    reserve(rater=rater)
    card = rater.assignments.order_by("sequence")[0]
    name = f"d{rater.study.dimensions.get().pk}"
    places = {f"{name}-{place}": str(place) for place in range(4)}
    with django_assert_max_num_queries(13):
        client.post(f"/rate/{rater.study.token}/answer/{card.token}/", places, headers={"Accept": "application/json"})
    assert Response.objects.count() == 4


def test_left_and_right_are_for_pairs_alone() -> None:
    assert PREFERENCE.only_for == Study.ItemKind.PAIR
    assert Method.objects.count() == 0

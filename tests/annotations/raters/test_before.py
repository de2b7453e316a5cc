"""Consent, examples, practice, quiz and screen-out: what comes before the first card."""

import re

import pytest
from django.test import Client
from django.utils import timezone

from annotations.models import Assignment, Dimension, Item, Rater, RaterPlan, Response, Study, Trial
from annotations.queries.candidates import Selection
from annotations.queries.pairs import Pairing
from annotations.questions import PREFERENCE
from annotations.services.rating import reserve
from annotations.services.studies import change_draft
from annotations.services.taking_part.exercises import add_exercise, remove_exercise, remove_from_rated
from generation.models import Method
from tests.annotations.looking import fetch_exercise
from tests.factories import make_image, make_prompt, make_rater, make_study

pytestmark = pytest.mark.django_db


def make_exercise(study: Study, role: str, accepted: list[int], *, reason: str = "Because of the hat.") -> Item:
    """The study's first rated item in another role, right at these levels."""
    item = study.items.order_by("position")[0]
    dimension, images = (
        study.dimensions.get(),
        list(item.item_images.order_by("slot").values_list("image_id", flat=True)),
    )
    about = None if study.item_kind == Study.ItemKind.PAIR else images[0]
    made = add_exercise(
        study=study,
        role=role,
        prompt_id=item.prompt_id,
        images=images,
        accepted={(dimension.pk, about): accepted},
        reason=reason,
    )
    assert remove_from_rated(item=item)
    return made


def leave_out_prompts(study: Study, n: int) -> None:
    """Further prompts of the study's set, with images by its methods: it does not rate them, so checks show them."""
    methods = list(Method.objects.filter(images__item_images__item__study=study).distinct().order_by("pk"))
    prompt_set = study.items.all()[0].prompt.prompt_set
    for _ in range(n):
        prompt = make_prompt(prompt_set=prompt_set)
        for method in methods:
            make_image(prompt=prompt, method=method)


def join(client: Client, study: Study) -> Rater:
    client.post(f"/join/{study.invitation}/", {"consent": "on"})
    return study.raters.get()


def answer(client: Client, study: Study, level: int) -> str:
    """Answer the exercise in view; the address that follows."""
    trial = Trial.objects.filter(rater__study=study, answered_at=None).latest("pk")
    name = f"d{study.dimensions.get().pk}" + ("" if study.item_kind == Study.ItemKind.PAIR else "-0")
    fetch_exercise(client, study.token)
    return client.post(f"/rate/{study.token}/before/", {"trial": trial.token, name: level}).headers["Location"]


def test_a_rater_keeps_the_version_of_the_consent_that_they_agreed_to(client: Client) -> None:
    study = make_study(consent="We keep your answers.")
    join(client, study)
    Study.objects.filter(pk=study.pk).update(consent="We keep your answers for a year.")
    for _ in range(2):
        Client().post(f"/join/{study.invitation}/", {"consent": "on"})

    agreed = list(study.raters.order_by("pk").values_list("consent__number", "consent__text"))

    assert agreed == [
        (1, "We keep your answers."),
        (2, "We keep your answers for a year."),
        (2, "We keep your answers for a year."),
    ]


def test_declining_stores_nothing_and_ends_kindly(client: Client) -> None:
    study = make_study()
    assert f"/join/{study.invitation}/declined/" in client.get(f"/join/{study.invitation}/").content.decode()

    page = client.get(f"/join/{study.invitation}/declined/").content.decode()

    assert "perfectly fine" in page
    assert not Rater.objects.exists()


def test_examples_practice_and_quiz_come_in_turn_and_lead_to_the_first_card(client: Client) -> None:
    study = make_study(n_items=6)
    for role in (Item.Role.EXAMPLE, Item.Role.PRACTICE, Item.Role.QUIZ):
        make_exercise(study, role, [3, 4])
    before = f"/rate/{study.token}/before/"
    rater = join(client, study)

    assert client.get(f"/rate/{study.token}/").headers["Location"] == before
    page = client.get(before).content.decode()
    assert "Because of the hat." in page
    client.post(before, {"seen": "1"})

    assert "Practice 1 of 1" in client.get(before).content.decode()
    feedback = client.get(answer(client, study, 0)).content.decode()
    assert "Not quite" in feedback
    assert "Because of the hat." in feedback
    assert study.dimensions.get().levels[3]["label"] in feedback

    assert "Quiz 1 of 1" in client.get(before).content.decode()
    assert answer(client, study, 4) == before
    assert client.get(before).headers["Location"] == f"/rate/{study.token}/"
    assert client.get(f"/rate/{study.token}/").status_code == 200
    rater.refresh_from_db()
    assert not rater.must_prepare
    assert list(rater.trials.values_list("is_right", flat=True)) == [False, True]
    assert not Response.objects.exists()  # practice and quiz are not answers


def test_no_card_is_given_out_before_the_quiz_is_passed(client: Client) -> None:
    study = make_study()
    make_exercise(study, Item.Role.QUIZ, [0])
    rater = join(client, study)

    assert reserve(rater=rater) == 0
    assert not Assignment.with_checks.exists()


def test_failing_the_quiz_leaves_another_try_and_then_ends_with_the_reason(client: Client) -> None:
    study = make_study(n_items=6)
    RaterPlan.objects.create(study=study, quiz_tries=2)
    make_exercise(study, Item.Role.QUIZ, [0])
    before = f"/rate/{study.token}/before/"
    rater = join(client, study)

    client.get(before)
    answer(client, study, 4)
    assert "You have 1 more try." in client.get(before).content.decode()
    client.post(before, {"again": "1"})
    client.get(before)
    answer(client, study, 3)
    page = client.get(before).content.decode()

    rater.refresh_from_db()
    assert rater.screened_out_at is not None
    assert "0 right answers of 1 in the quiz" in page
    assert client.get(f"/rate/{study.token}/").headers["Location"] == before
    assert rater.trials.count() == 2


def test_a_pass_mark_below_all_lets_one_mistake_pass(client: Client) -> None:
    study = make_study(n_items=6)
    RaterPlan.objects.create(study=study, quiz_pass_mark=1)
    for _ in range(2):
        make_exercise(study, Item.Role.QUIZ, [0])
    before = f"/rate/{study.token}/before/"
    join(client, study)

    for level in (0, 4):
        client.get(before)
        answer(client, study, level)

    assert client.get(before).headers["Location"] == f"/rate/{study.token}/"


def test_the_first_answer_to_an_exercise_counts(client: Client) -> None:
    study = make_study(n_items=6)
    make_exercise(study, Item.Role.PRACTICE, [0])
    join(client, study)
    client.get(f"/rate/{study.token}/before/")
    trial = Trial.objects.get()
    answer(client, study, 4)

    name = f"d{study.dimensions.get().pk}-0"
    client.post(f"/rate/{study.token}/before/", {"trial": trial.token, name: 0})

    trial.refresh_from_db()
    assert trial.is_right is False


@pytest.mark.parametrize("role", [Item.Role.PRACTICE, Item.Role.QUIZ])
def test_a_page_whose_images_were_blocked_takes_no_answer_and_asks_for_them_again(client: Client, role: str) -> None:
    study = make_study(n_items=6)
    make_exercise(study, role, [0])
    join(client, study)
    before = f"/rate/{study.token}/before/"
    first = client.get(before).content.decode()
    trial = Trial.objects.get()
    sent = {"trial": trial.token, f"d{study.dimensions.get().pk}-0": 0}

    refused = client.post(before, sent)

    assert refused.status_code == 400
    assert "had not loaded" in refused.content.decode()
    trial.refresh_from_db()
    assert trial.answered_at is None
    old, new = (re.search(r'<img src="([^"]+)"', page)[1] for page in (first, refused.content.decode()))  # type: ignore[index]
    assert old.split("?")[0] == new.split("?")[0]
    assert old != new
    assert client.get(new).status_code == 200
    assert client.post(before, sent).status_code == 302
    trial.refresh_from_db()
    assert trial.is_right


def test_an_answer_without_a_choice_is_refused_with_the_reason(client: Client) -> None:
    study = make_study(n_items=6)
    make_exercise(study, Item.Role.PRACTICE, [0])
    join(client, study)
    client.get(f"/rate/{study.token}/before/")
    trial = Trial.objects.get()

    response = client.post(f"/rate/{study.token}/before/", {"trial": trial.token})

    assert response.status_code == 400
    assert "not answered yet" in response.content.decode()


@pytest.mark.parametrize("chosen", [0, 1])
def test_in_a_pair_the_right_image_is_right_on_either_side(client: Client, chosen: int) -> None:
    study = make_study(n_items=6, item_kind=Study.ItemKind.PAIR, presets=(PREFERENCE,))
    make_exercise(study, Item.Role.PRACTICE, [0])
    rater = join(client, study)
    client.get(f"/rate/{study.token}/before/")
    Trial.objects.update(shown_order="1,0" if chosen == 1 else "0,1")

    answer(client, study, chosen)

    assert rater.trials.get().is_right is True


def test_the_pictures_of_an_exercise_are_for_its_rater_alone(client: Client) -> None:
    study = make_study(n_items=6)
    make_exercise(study, Item.Role.PRACTICE, [0])
    join(client, study)
    client.get(f"/rate/{study.token}/before/")
    address = f"/rate/{study.token}/exercise/{Trial.objects.get().token}/0/"
    other = Client()
    other.force_login(make_rater(study).user)  # type: ignore[arg-type]  # a person's rater has a user

    assert client.get(address).status_code == 200
    assert other.get(address).status_code == 404


def test_a_content_warning_is_read_before_the_first_card(client: Client) -> None:
    study = make_study()
    RaterPlan.objects.create(study=study, content_warning="Some images show wounds.")
    join(client, study)
    before = f"/rate/{study.token}/before/"

    assert client.get(f"/rate/{study.token}/").headers["Location"] == before
    assert "Some images show wounds." in client.get(before).content.decode()
    client.post(before, {"agree": "1"})

    assert client.get(f"/rate/{study.token}/").status_code == 200


def test_an_item_becomes_an_exercise_and_positions_stay_without_gaps() -> None:
    study = make_study(n_items=4)
    made = make_exercise(study, Item.Role.GOLD, [0])

    assert sorted(study.items.values_list("position", flat=True)) == [0, 1, 2]
    assert made.wanted == 0


def test_an_item_that_somebody_has_seen_stays_in_what_is_rated() -> None:
    study = make_study(n_items=1)
    reserve(rater=make_rater(study), now=timezone.now())

    assert not remove_from_rated(item=study.items.get())
    assert study.items.count() == 1


def test_an_exercise_that_a_rater_has_met_cannot_be_removed(client: Client) -> None:
    study = make_study(n_items=6)
    met, unmet = (make_exercise(study, Item.Role.PRACTICE, [0]) for _ in range(2))
    join(client, study)
    client.get(f"/rate/{study.token}/before/")

    assert not remove_exercise(item=met)
    assert remove_exercise(item=unmet)


def test_changing_a_drafts_design_keeps_its_exercises_and_their_answers() -> None:
    study = make_study(n_items=6, state=Study.State.DRAFT)
    made = make_exercise(study, Item.Role.GOLD, [3, 4])
    question = study.dimensions.get()
    methods = set(study.items.values_list("images__method", flat=True))
    sets = set(study.items.values_list("prompt__prompt_set", flat=True))

    change_draft(
        study=study,
        fields=["title"],
        dimensions=[Dimension(name=question.name, question="Reworded?", levels=question.levels)],
        selection=Selection(
            prompt_sets=tuple(sets), methods=tuple(methods), pairing=Pairing(Study.Pairing.ALL, None, 1)
        ),
        seen=study.revision,
        by=None,
    )

    assert made.known_answers.get().accepted == [3, 4]
    assert made.known_answers.get().dimension.question == "Reworded?"
    assert made.item_images.count() == 1
    assert study.items.count() == 5  # the gold item's image is not rated as well
    assert sorted(study.items.values_list("position", flat=True)) == list(range(5))

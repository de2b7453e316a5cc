"""Exercises and checks with a slider: a range of its values is right, and both are said in its own units."""

from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from django.utils import timezone

from annotations.kinds.base import Answer
from annotations.models import Assignment, Dimension, Item, KnownAnswer, RaterPlan, Study, Trial
from annotations.queries.candidates import Selection
from annotations.queries.pairs import Pairing
from annotations.queries.raters.quality import work_of
from annotations.questions import ALIGNMENT, Preset
from annotations.services.rating import reserve, submit
from annotations.services.studies import change_draft
from annotations.services.taking_part.exercises import add_exercise
from tests.annotations.looking import fetch_exercise
from tests.factories import make_rater, make_study

pytestmark = pytest.mark.django_db
LIGHT = Preset(
    key="",
    title="",
    source="",
    name="light",
    question="How photographic is the light?",
    levels=(("-1", "painted"), ("1", "photographic")),
    kind=Dimension.Kind.SLIDER,
    parameters={"step": "0.1", "shows_value": True},
)
"""21 levels with two labels."""


def field(study: Study) -> str:
    return f"d{study.dimensions.get(kind='slider').pk}-0"


def add(client: Client, study: Study, role: str, low: str, high: str, **more: Any) -> Any:
    """The form of the page of items, sent by the study's owner."""
    client.force_login(study.owner)
    name = field(study)
    address = f"/study/{study.token}/raters/exercises/new/?item={study.items.order_by('position')[0].pk}"
    assert f'name="{name}-from"' in client.get(address).content.decode()
    return client.post(address, {"role": role, "reason": "", f"{name}-from": low, f"{name}-to": high} | more)


def practise(study: Study, value: str) -> str:
    """What a new rater reads after they have set the slider of the exercise to this value."""
    client = Client()
    rater = make_rater(study)
    type(rater).objects.filter(pk=rater.pk).update(must_prepare=True)
    client.force_login(rater.user)  # type: ignore[arg-type]  # a person's rater has a user
    client.get(f"/rate/{study.token}/before/")
    fetch_exercise(client, study.token)
    trial = Trial.objects.get(rater=rater)
    sent = client.post(f"/rate/{study.token}/before/", {"trial": trial.token, field(study): value})
    page = client.get(sent.headers["Location"])
    assert page.status_code == 200
    return page.content.decode().replace("\u2066", "").replace("\u2069", "")


@pytest.mark.parametrize("role", [Item.Role.PRACTICE, Item.Role.QUIZ, Item.Role.GOLD, Item.Role.CHECK])
def test_the_form_keeps_a_range_of_values_for_every_use(client: Client, role: str) -> None:
    study = make_study(n_items=3, presets=(LIGHT,))

    assert add(client, study, role, "0.8", "1").status_code == 302

    known = KnownAnswer.objects.get()
    assert [str(known.dimension.value_of(level)) for level in known.right] == ["0.8", "0.9", "1.0"]
    page = client.get(f"/study/{study.token}/raters/exercises/").content.decode()
    assert "0.8 to 1 (\u2066-1\u2069 = painted, 1 = photographic)" in page


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        ("0.8", "", "Give both values, or none."),
        ("", "0.8", "Give both values, or none."),
        ("0.8", "0.2", "The highest right value is below the lowest."),
        ("0.85", "1", "step"),
        ("0.8", "1.1", "less than or equal to 1"),
        ("much", "1", "Enter a number."),
        ("", "", "Mark at least one answer as right."),
    ],
)
def test_a_range_that_cannot_be_is_refused_with_the_reason(client: Client, low: str, high: str, said: str) -> None:
    response = add(client, make_study(n_items=3, presets=(LIGHT,)), "practice", low, high)

    assert response.status_code == 422
    assert said in response.content.decode()
    assert not KnownAnswer.objects.exists()


@pytest.mark.parametrize(
    ("value", "is_right", "answered"),
    [("1", True, "1"), ("0.8", True, "0.8"), ("0.7", False, "0.7"), ("-0.9", False, "-0.9"), ("-1", False, "-1")],
)
def test_practice_is_judged_and_explained_in_the_sliders_own_units(
    client: Client, value: str, is_right: bool, answered: str
) -> None:
    study = make_study(n_items=3, presets=(LIGHT,))
    add(client, study, "practice", "0.8", "1")

    page = practise(study, value)

    assert Trial.objects.get().is_right is is_right
    assert f'<strong dir="auto">{answered} (-1 = painted, 1 = photographic)</strong>' in page
    assert ('<strong dir="auto">0.8 to 1 (-1 = painted, 1 = photographic)</strong>' in page) is not is_right


def test_each_question_of_a_mixed_card_is_judged_by_its_own_scale(client: Client) -> None:
    study = make_study(n_items=3, presets=(ALIGNMENT, replace(LIGHT, name="light")))
    scale = f"d{study.dimensions.get(kind='ordinal').pk}-0"
    add(client, study, "practice", "-1", "-0.5", **{scale: ["3", "4"]})

    assert sorted(KnownAnswer.objects.values_list("accepted", flat=True)) == [[0, 1, 2, 3, 4, 5], [3, 4]]


@pytest.mark.parametrize("stored", [[1], [0, 1], [99], [-1], ["1"], [True], [None], [1.5], {}, "1", []])
def test_no_stored_exercise_breaks_a_page(client: Client, stored: Any) -> None:
    study = make_study(n_items=3, presets=(LIGHT,))
    for role in ("practice", "example"):
        add(client, study, role, "0.8", "1")
    KnownAnswer.objects.update(accepted=stored)

    assert client.get(f"/study/{study.token}/raters/exercises/").status_code == 200
    rater = make_rater(study)
    type(rater).objects.filter(pk=rater.pk).update(must_prepare=True)
    client.force_login(rater.user)  # type: ignore[arg-type]  # a person's rater has a user
    before = f"/rate/{study.token}/before/"
    assert client.get(before).status_code == 200
    client.post(before, {"seen": "1"})
    for _time in range(2):
        client.get(before)
    fetch_exercise(client, study.token)
    trial = Trial.objects.get()
    assert (
        client.get(client.post(before, {"trial": trial.token, field(study): "1"}).headers["Location"]).status_code
        == 200
    )


def test_an_answer_that_the_scale_no_longer_has_breaks_no_page(client: Client) -> None:
    study = make_study(n_items=3, presets=(LIGHT,))
    add(client, study, "practice", "0.8", "1")
    practise(study, "1")
    Dimension.objects.update(parameters={"step": "1", "shows_value": True})  # 3 levels; stored is 20
    trial = Trial.objects.get()
    client.force_login(trial.rater.user)  # type: ignore[arg-type]  # a person's rater has a user

    assert client.get(f"/rate/{study.token}/before/?done={trial.token}").status_code == 200


def test_a_level_without_a_label_is_said_by_its_value(client: Client) -> None:
    ends = replace(ALIGNMENT, levels=(("1", "not at all"), ("2", ""), ("3", ""), ("4", "exactly")))
    study = make_study(n_items=3, presets=(ends,))
    item = study.items.order_by("position")[0]
    key = (study.dimensions.get().pk, item.images.get().pk)
    add_exercise(
        study=study, role="gold", prompt_id=item.prompt_id, images=[key[1]], accepted={key: [1, 2, 3]}, reason=""
    )
    client.force_login(study.owner)

    assert "2 or 3 or exactly" in client.get(f"/study/{study.token}/raters/exercises/").content.decode()
    page = client.get(f"/study/{study.token}/raters/exercises/new/?item={item.pk}").content.decode()
    choices = page.split('type="checkbox"')[1:]
    assert [choice.split(">", 1)[1].split("<")[0].strip() for choice in choices] == ["not at all", "2", "3", "exactly"]


@pytest.mark.parametrize(("level", "hit"), [(20, True), (18, True), (17, False), (1, False)])
def test_gold_items_are_judged_by_the_range(client: Client, level: int, hit: bool) -> None:
    study = make_study(n_items=21, presets=(LIGHT,))
    RaterPlan.objects.create(study=study, gold_share=10)
    add(client, study, "gold", "0.8", "1")
    rater = make_rater(study)
    reserve(rater=rater)
    while card := Assignment.with_checks.filter(rater=rater, state="leased").order_by("sequence").first():
        (image,) = card.item.images.values_list("pk", flat=True)
        answer = Answer(study.dimensions.get().pk, image, level)
        submit(assignment=card, answers=[answer], answered_at=timezone.now(), active_ms=2000)
        reserve(rater=rater)

    assert work_of(study, [rater])[rater.pk].gold == [hit]


@pytest.mark.parametrize(("step", "is_kept"), [("0.1", True), ("0.2", False)])
def test_a_draft_keeps_a_range_only_while_its_steps_mean_the_same(client: Client, step: str, is_kept: bool) -> None:
    study = make_study(n_items=6, presets=(LIGHT,), state=Study.State.DRAFT)
    add(client, study, "gold", "0.8", "1")
    question = study.dimensions.get()
    methods, sets = (set(study.items.values_list(of, flat=True)) for of in ("images__method", "prompt__prompt_set"))

    change_draft(
        study=study,
        fields=["title"],
        dimensions=[
            Dimension(
                name=question.name,
                question="Reworded?",
                kind="slider",
                levels=question.levels,
                parameters={"step": step, "shows_value": True},
            )
        ],
        selection=Selection(
            prompt_sets=tuple(sets), methods=tuple(methods), pairing=Pairing(Study.Pairing.ALL, None, 1)
        ),
        seen=study.revision,
        by=None,
    )

    assert list(KnownAnswer.objects.values_list("accepted", flat=True)) == ([[18, 19, 20]] if is_kept else [])


@pytest.mark.django_db(transaction=True)
def test_what_was_ticked_at_an_end_is_that_end_after_the_change() -> None:
    study = make_study(n_items=6, presets=(LIGHT, ALIGNMENT))
    slider, scale = study.dimensions.get(kind="slider"), study.dimensions.get(kind="ordinal")
    stored = ([1], [0], [0, 1], [], {}, ["1", 7])
    items = list(study.items.order_by("position"))
    migrate("0026_close_pairs")
    try:
        for item, accepted in zip(items, stored, strict=True):
            KnownAnswer.objects.create(item=item, dimension=slider, accepted=accepted)
        KnownAnswer.objects.create(item=items[0], dimension=scale, accepted=[1, 3])
    finally:
        migrate()

    of_slider = KnownAnswer.objects.filter(dimension=slider).order_by("pk").values_list("accepted", flat=True)
    assert list(of_slider) == [[20], [0], [0, 20], [], [], []]
    assert KnownAnswer.objects.get(dimension=scale).accepted == [1, 3]


def migrate(name: str = "") -> None:
    """To this migration; without a name, to the latest."""
    executor = MigrationExecutor(connection)
    executor.migrate([("annotations", name)] if name else executor.loader.graph.leaf_nodes("annotations"))

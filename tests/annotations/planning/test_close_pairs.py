"""Further prompts while a comparison is undecided: laid out by looks, released by the clock, recorded and reported."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from annotations.kinds.base import Answer
from annotations.models import Assignment, Dimension, Item, ItemImage, PromptLook, Rater, Response, Study
from annotations.queries import rating as queries
from annotations.queries.candidates import Selection
from annotations.queries.exports import RESPONSES, response_rows
from annotations.queries.pairs import Pairing
from annotations.queries.planning.close_pairs import compared, compared_methods, rule_text, said_in_report, said_live
from annotations.queries.planning.looks import LOOKS as COLUMNS
from annotations.queries.planning.looks import look_rows
from annotations.queries.planning.present import present_plan
from annotations.queries.provenance import study_design
from annotations.queries.results import study_rows
from annotations.questions import ALIGNMENT, PREFERENCE, Preset
from annotations.reports.registration.documents import answers
from annotations.services.planning.close_pairs import take_looks
from annotations.services.rating import reserve, submit
from annotations.services.studies import create_study
from annotations.services.taking_part.exercises import remove_from_rated
from annotations.tasks import tend_studies
from generation.models import Image, Method, Prompt
from tests.factories import make_answer, make_image, make_method, make_prompt, make_prompt_set, make_rater, make_user

pytestmark = pytest.mark.django_db
LOOKS = "6,12,18"


def make_compared(
    *, item_kind: str = "pair", n_prompts: int = 20, n_methods: int = 2, preset: Preset | None = None, **fields: str
) -> Study:
    prompt_set = make_prompt_set()
    methods = [make_method(f"m{n}", kind=Method.Kind.OTHER) for n in range(n_methods)]
    for _ in range(n_prompts):
        prompt = make_prompt(prompt_set=prompt_set)
        for method in methods:
            make_image(prompt=prompt, method=method)
    chosen = preset or (PREFERENCE if item_kind == "pair" else ALIGNMENT)
    study = Study(title="close", owner=make_user(), item_kind=item_kind, seed=3, raters_per_item=2, batch_size=50)
    study.prompt_looks = LOOKS
    for name, value in fields.items():
        setattr(study, name, value)
    create_study(
        study=study,
        dimensions=[Dimension(**chosen.fields())],
        selection=Selection((prompt_set.pk,), tuple(method.pk for method in methods), pairing=Pairing()),
    )
    Study.objects.filter(pk=study.pk).update(state=Study.State.OPEN)
    return Study.objects.get(pk=study.pk)


def rate(study: Study, chooses: Callable[[Item], int]) -> int:
    """Two raters answer all that is given out; how many cards. chooses: the image (0, 1), 2 and more: neither."""
    n = 0
    for rater in Rater.objects.filter(study=study) or [make_rater(study) for _ in range(2)]:
        while reserve(rater=Rater.objects.get(pk=rater.pk)):
            while cards := queries.reserved(rater):
                for card in cards:
                    level = chooses(card.item)
                    is_turned = level < 2 and card.shown_order.startswith("1")
                    image = card.item.images.get().pk if study.item_kind == "image" else None
                    given = Answer(study.dimensions.get().pk, image, 1 - level if is_turned else level)
                    submit(assignment=card, answers=[given], answered_at=timezone.now())
                    n += 1
    return n


def looks(study: Study) -> list[tuple[int, int, str]]:
    return list(study.looks.values_list("number", "n_prompts", "decision"))


def test_a_close_comparison_gets_further_prompts_up_to_the_most() -> None:
    study = make_compared()
    assert (study.n_released, study.items.count()) == (6, 18)
    assert list(study.items.order_by("position").values_list("look", flat=True)) == [1] * 6 + [2] * 6 + [3] * 6
    assert take_looks(now=timezone.now()) == 0  # nobody has answered yet

    for number in (1, 2, 3):
        assert rate(study, lambda item: item.position % 2) == 12
        tend_studies()
        assert study.looks.count() == number
        assert take_looks(now=timezone.now()) == 0  # the prompts that were released are to be answered first

    assert looks(study) == [(1, 6, "further"), (2, 12, "further"), (3, 18, "most")]
    assert rate(study, lambda _item: 0) == 0
    last = study.looks.last()
    assert last is not None
    assert last.low is not None
    assert last.mean is not None
    assert last.low < 0 < (last.high or 0)
    assert last.p is not None
    assert last.p > last.bound
    assert Study.objects.get().completed_at is not None


def test_a_decided_comparison_stops_and_leaves_the_reserve_alone(client: Client) -> None:
    study = make_compared(prompt_spending="pocock")
    rate(study, lambda item: 0 if item.position == 2 else 1)
    tend_studies()
    rate(study, lambda _item: 1)
    tend_studies()

    assert looks(study)[-1] == (2, 12, "decided")
    assert rate(study, lambda _item: 1) == 0
    assert set(study.items.filter(look=3).values_list("wanted", "taken")) == {(0, 0)}
    study = Study.objects.get()
    assert study.completed_at is not None  # every answer that is wanted is there
    said = said_live(study)
    assert said.startswith("After 12 prompts, “m1” minus “m0” is +0.83 (")
    assert said.endswith("decided, so no further prompts are given out.")
    client.force_login(study.owner)
    assert "decided, so no further prompts" in client.get(f"/study/{study.token}/live/").content.decode()
    assert "decided, so no further prompts were given out" in said_in_report(study)
    assert said_in_report(study) == study_design(study, study_rows(study).data.dimensions).further_prompts
    (first_look, second_look) = look_rows(study)
    at = dict(zip([column.name for column in COLUMNS], second_look, strict=True))
    assert (first_look[0], at["look"], at["n_prompts"], at["decision"]) == (1, 2, 12, "decided")
    assert (at["first_method"], at["second_method"]) == ("m0", "m1")
    assert at["mean_difference"] == pytest.approx(10 / 12)
    assert at["p"] <= at["bound"]
    assert 0 < at["low"] < at["mean_difference"] < at["high"]
    exported = client.get(f"/study/{study.token}/export/looks.csv").getvalue().decode()
    assert exported.count("decided") == 1
    assert exported.count("further") == 1
    assert "looks.csv" in client.get(f"/study/{study.token}/export/").content.decode()
    columns = [column.name for column in RESPONSES]
    rows = [dict(zip(columns, row, strict=True)) for row in response_rows(study, all_revisions=False)]
    assert sorted({(row["look"], row["probability"]) for row in rows}) == [(1, 1.0), (2, 1.0)]


def test_ratings_of_two_methods_are_compared_by_prompt() -> None:
    study = make_compared(item_kind="image")
    assert study.n_released == 12
    first = Method.objects.get(name="m0")
    rate(study, lambda item: 1 if item.images.get().method_id == first.pk else 2 + item.prompt_id % 2)

    found = compared(study, 1)

    assert (found.first, found.second) == ("m0", "m1")
    assert len(found.differences) == 6
    assert set(found.differences) <= {1.0, 2.0}
    assert take_looks(now=timezone.now()) == 1


@pytest.mark.parametrize("item_kind", ["pair", "image"])
def test_differences_are_those_of_a_loop_over_all_answers(
    item_kind: str, django_assert_num_queries: Callable[..., Any]
) -> None:
    """Several items per prompt and images per method, unequal numbers of answers, turned sides and ties."""
    study = make_compared(item_kind=item_kind, n_prompts=18)
    prompts = list(Prompt.objects.filter(items__study=study).distinct())
    for method in Method.objects.filter(images__prompt__in=prompts[:5]).distinct():
        for prompt in prompts[:5]:
            make_image(prompt=prompt, method=method)
    for number, item in enumerate(study.items.filter(prompt__in=prompts[:5])):
        # Another item of the prompt: its second image, or the other pair.
        images = [
            Image.objects.filter(prompt=item.prompt, method=one.method).order_by("-pk")[0] for one in item.images.all()
        ]
        more = Item.objects.create(
            study=study, position=500 + number, key=f"more-{number}", prompt=item.prompt, wanted=2
        )
        for slot, image in enumerate(images):
            ItemImage.objects.create(item=more, image=image, slot=slot)
    Item.objects.filter(study=study).update(wanted=3)
    rng = np.random.default_rng(8)
    raters = [make_rater(study) for _ in range(3)]
    for item in Item.objects.filter(study=study):
        for rater in raters[: 1 + int(rng.integers(3))]:
            card = make_answer(item, rater, level=int(rng.integers(len(study.dimensions.get().levels))))
            shown = ["0,1", "1,0"][int(rng.integers(2))] if item_kind == "pair" else ""
            Assignment.objects.filter(pk=card.pk).update(shown_order=shown)

    methods = [one.pk for one in compared_methods(study) or ()]
    sums: dict[int, dict[tuple[int, int], list[float]]] = {}
    for one in Response.objects.select_related("assignment__item", "image", "dimension"):
        card = one.assignment
        if item_kind == "pair":
            side = 1 - one.level if card.shown_order == "1,0" and one.level < 2 else one.level
            key, value = (0, card.item_id), {0: -1.0, 1: 1.0}.get(side, 0.0)
        else:
            key = (methods.index(one.image.method_id), one.image_id)
            value = float(one.dimension.levels[one.level]["value"])
        sums.setdefault(card.item.prompt_id, {}).setdefault(key, []).append(value)
    expected = []
    for _prompt, by_key in sorted(sums.items()):
        side_means = [[sum(given) / len(given) for (of, _), given in by_key.items() if of == side] for side in (0, 1)]
        first, second = (sum(means) / len(means) if means else None for means in side_means)
        if item_kind == "pair":
            expected.append(first)
        elif first is not None and second is not None:
            expected.append(second - first)

    with django_assert_num_queries(6 if item_kind == "pair" else 4):
        found = compared(Study.objects.get(), 3)

    assert len(expected) == 18
    assert found.differences == pytest.approx(np.array(expected, float), abs=1e-12)


@pytest.mark.parametrize("item_kind", ["pair", "image"])
def test_without_an_answer_there_are_no_differences(item_kind: str) -> None:
    assert compared(make_compared(item_kind=item_kind), 1).differences.shape == (0,)


def test_raters_see_the_released_cards_as_their_total_and_wait_for_a_look() -> None:
    study = make_compared()
    rater, _other = make_rater(study), make_rater(study)
    assert queries.progress(rater).total == 6
    rate(study, lambda item: item.position % 2)
    assert queries.may_come_free(rater)
    take_looks(now=timezone.now())
    assert queries.progress(Rater.objects.select_related("study").get(pk=rater.pk)).total == 12


def test_the_rule_is_in_the_plan() -> None:
    study = make_compared()
    plan = present_plan(study)
    assert plan.further_prompts == rule_text(study)
    assert "looks after 6, 12, 18 prompts (O’Brien–Fleming bounds" in plan.further_prompts
    assert f"Further prompts: {plan.further_prompts}." in dict(answers(plan, "osf"))["Study design"]


def test_an_item_that_becomes_an_exercise_leaves_its_look_and_no_gap() -> None:
    study = make_compared()
    Study.objects.update(state=Study.State.DRAFT)
    assert remove_from_rated(item=study.items.get(position=1))

    rows = list(study.items.order_by("position").values_list("position", "look"))
    assert [position for position, _look in rows] == list(range(17))
    assert [look for _position, look in rows] == [1] * 5 + [2] * 6 + [3] * 6
    assert Study.objects.get().n_released == 5


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"prompt_looks": "6,6"}, "ascending"),
        ({"prompt_looks": "10"}, "at least two numbers"),
        ({"prompt_looks": "3,6"}, "at least 5"),
        ({"prompt_looks": "6,60"}, "only 20 prompts"),
        ({"n_methods": 3}, "exactly two methods"),
        ({"preset": ALIGNMENT, "item_kind": "prompt"}, "exactly two methods"),
    ],
)
def test_a_rule_that_cannot_be_kept_is_refused(changes: dict[str, str], problem: str) -> None:
    with pytest.raises(ValidationError) as refused:
        make_compared(**changes)  # type: ignore[arg-type]  # each of the kinds that the function takes
    assert problem in " ".join(refused.value.message_dict["prompt_looks"])


def test_a_look_without_variation_decides_nothing() -> None:
    study = make_compared()
    rate(study, lambda _item: 1)
    take_looks(now=timezone.now())
    look = study.looks.get()
    assert (look.decision, look.p, look.low, look.mean) == (PromptLook.Decision.FURTHER, None, None, 1.0)
    assert not np.isnan(look.bound)
    assert Assignment.objects.filter(item__look=2).count() == 0

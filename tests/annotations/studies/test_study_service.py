"""Building a study's items, its states, its members and its end."""

import pytest
from django.core.exceptions import ValidationError

from annotations.models import Dimension, Item, Membership, Study
from annotations.queries.candidates import Selection, n_items
from annotations.questions import ALIGNMENT, PREFERENCE, Preset
from annotations.services import studies as services
from annotations.services.studies import create_study
from generation.models import Image, Method, Prompt
from tests.factories import (
    make_image,
    make_method,
    make_prompt,
    make_prompt_set,
    make_study,
    make_user,
)

pytestmark = pytest.mark.django_db


def everything() -> Selection:
    images = Image.objects.all()
    return Selection(
        prompt_sets=tuple(images.values_list("prompt__prompt_set", flat=True).distinct()),
        methods=tuple(images.values_list("method", flat=True).distinct()),
    )


def made(
    *, preset: Preset = ALIGNMENT, selection: Selection | None = None, rows_at_once: int = 2_000, **fields: object
) -> Study:
    study = Study(**{"title": "A study", "owner": make_user(), "seed": 7} | fields)
    dimensions = [Dimension(**preset.fields())]
    chosen = selection or everything()
    return create_study(study=study, dimensions=dimensions, selection=chosen, rows_at_once=rows_at_once)


def some_images(n_prompts: int = 6, n_methods: int = 3) -> tuple[list[Prompt], list[Method]]:
    prompt_set = make_prompt_set()
    prompts = [make_prompt(prompt_set=prompt_set) for _ in range(n_prompts)]
    methods = [make_method() for _ in range(n_methods)]
    for prompt in prompts:
        for method in methods:
            make_image(prompt=prompt, method=method)
    return prompts, methods


def test_every_image_comes_once_and_wanted_is_the_number_of_raters() -> None:
    some_images()

    study = made(raters_per_item=4)

    items = list(study.items.all())
    assert [item.position for item in items] == list(range(18))
    assert {item.wanted for item in items} == {4}
    assert sorted(item.images.get().pk for item in items) == sorted(Image.objects.values_list("pk", flat=True))
    assert all(item.images.get().prompt_id == item.prompt_id for item in items)
    assert n_items(Study.ItemKind.IMAGE, everything()) == 18


def test_the_order_is_the_seeds_and_balanced_over_methods_and_prompts() -> None:
    _prompts, methods = some_images()

    one, again, other = made(), made(), made(seed=8)

    def order(study: Study) -> list[int]:
        return [item.images.get().pk for item in study.items.all()]

    assert order(one) == order(again)
    assert order(one) != order(other)
    first_round = [item.images.get() for item in one.items.all()[:6]]
    assert len({image.prompt_id for image in first_round}) == 6
    assert [sum(image.method == method for image in first_round) for method in methods] == [2, 2, 2]


def test_a_pair_is_a_baseline_and_what_was_refined_from_it() -> None:
    baseline, refined, other = make_method(), make_method(), make_method()
    first = make_image(method=baseline)
    second = make_image(method=refined, parent=first)
    make_image(method=other, parent=first)
    make_image(method=baseline)  # refined by nobody
    selection = Selection(everything().prompt_sets, (baseline.pk, refined.pk))

    study = made(item_kind=Study.ItemKind.PAIR, preset=PREFERENCE, selection=selection)

    item = study.items.get()
    assert [row.image for row in item.item_images.all()] == [first, second]
    assert n_items(Study.ItemKind.PAIR, selection) == 1


def test_a_prompt_shows_all_its_images_at_once() -> None:
    prompts, _methods = some_images(n_prompts=4, n_methods=3)

    study = made(item_kind=Study.ItemKind.PROMPT)

    assert {item.prompt for item in study.items.all()} == set(prompts)
    for item in study.items.all():
        assert {image.prompt_id for image in item.images.all()} == {item.prompt_id}
        assert [row.slot for row in item.item_images.all()] == [0, 1, 2]
    assert n_items(Study.ItemKind.PROMPT, everything()) == 4


def test_images_without_a_file_and_of_other_sets_or_methods_stay_out() -> None:
    wanted = make_image()
    make_image(prompt=wanted.prompt, method=make_method())
    make_image(method=wanted.method)
    Image.objects.create(prompt=wanted.prompt, method=wanted.method, key="elsewhere", digest="d")

    study = made(selection=Selection((wanted.prompt.prompt_set_id,), (wanted.method_id,)))

    assert [item.images.get() for item in study.items.all()] == [wanted]


def test_items_are_called_by_their_sources_keys_when_these_are_unique() -> None:
    first, second = make_image(key="b17"), make_image(key="b18")
    assert set(made().items.values_list("key", flat=True)) == {"b17", "b18"}

    Image.objects.filter(pk=second.pk).update(key="b17")
    assert set(made().items.values_list("key", flat=True)) == {f"image-{first.pk}", f"image-{second.pk}"}


def test_more_items_than_one_batch_holds() -> None:
    some_images(n_prompts=6, n_methods=2)

    study = made(rows_at_once=5)

    assert list(study.items.values_list("position", flat=True)) == list(range(12))
    assert study.items.values("images").distinct().count() == 12


def test_nothing_is_left_of_a_study_that_cannot_be_made() -> None:
    make_image()
    with pytest.raises(ValidationError, match="nothing to show"):
        made(selection=Selection((), ()))
    with pytest.raises(ValidationError, match="at least one question"):
        create_study(study=Study(title="A", owner=make_user()), dimensions=[], selection=everything())
    twice = [Dimension(**ALIGNMENT.fields()), Dimension(**ALIGNMENT.fields())]
    with pytest.raises(ValidationError):
        create_study(study=Study(title="A", owner=make_user()), dimensions=twice, selection=everything())
    assert not Study.objects.exists()
    assert not Item.objects.exists()


def test_a_study_without_items_does_not_open() -> None:
    study = make_study(n_items=0, state=Study.State.DRAFT)

    with pytest.raises(ValidationError):
        services.open_study(study=study)
    study.refresh_from_db()
    assert study.state == Study.State.DRAFT


def test_members_are_people_with_an_account_once_each() -> None:
    study, ben = make_study(), make_user("ben")

    services.add_member(study=study, username="ben", role=Membership.Role.AUDITOR)
    services.add_member(study=study, username="ben", role=Membership.Role.AUDITOR)

    assert study.memberships.get().user == ben
    with pytest.raises(ValidationError, match="nobody-here"):
        services.add_member(study=study, username="nobody-here", role=Membership.Role.AUDITOR)

"""Two studies of the same images: agreement between panels, people in both, whether the winner holds."""

import numpy as np
import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client

from annotations.models import Study
from annotations.queries.replication.panels import compared, studies_of_same_images
from annotations.questions import ACCEPTANCE
from annotations.services.explorer.studies import study_of_items
from generation.models import Method
from tests.factories import make_answer, make_dimension, make_rater, make_study, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh_cache() -> None:
    cache.clear()


def twins(n_items: int = 12) -> tuple[Study, Study]:
    """A study whose second method refines the first, and a copy of it."""
    study = make_study(n_items=n_items, k=3)
    items = list(study.items.order_by("position"))
    for baseline, refined in zip(items[::2], items[1::2], strict=True):
        image, parent = refined.images.get(), baseline.images.get()
        image.parent, image.round = parent, 1
        image.save()
    return study, study_of_items(study=study, item_ids=[item.pk for item in items], owner=study.owner)


def rate(study: Study, levels: list[int], *, raters: int = 2, noise: int = 0, users: tuple[object, ...] = ()) -> None:
    rng = np.random.default_rng(noise)
    people = [make_rater(study, users[i] if i < len(users) else None) for i in range(raters)]
    by_key = {item.key: item for item in study.items.all()}
    for place, level in enumerate(levels):
        for person in people:
            given = level + (int(rng.integers(-1, 2)) if noise else 0)
            make_answer(by_key[f"item-{place}"], person, level=min(max(given, 0), 4))


LEVELS = [0, 3, 1, 4, 0, 2, 1, 3, 2, 4, 1, 4]


def test_panels_that_answer_alike_agree_wholly_and_the_winner_holds() -> None:
    first, second = twins()
    rate(first, LEVELS)
    rate(second, LEVELS)
    found = compared(first, second)
    assert found is not None
    assert found.kappa is not None
    assert (found.n_shared, found.n_first, found.n_second) == (12, 0, 0)
    assert found.kappa.value == pytest.approx(1.0)
    assert found.normalised == pytest.approx(1.0)
    assert found.shift == 0.0
    (held,) = found.comparisons
    assert held.verdict.startswith("holds")
    assert held.first.mean_diff.value == held.second.mean_diff.value == pytest.approx(2.5)
    assert held.pooled is not None
    assert held.pooled.mean_diff.value == pytest.approx(2.5)


def test_a_panel_that_answers_the_other_way_reverses_the_winner() -> None:
    first, second = twins()
    rate(first, LEVELS)
    rate(second, [4 - level for level in LEVELS])
    found = compared(first, second)
    assert found is not None
    assert found.kappa is not None
    assert found.kappa.value < 0
    assert found.correlation == pytest.approx(-1.0)
    assert found.comparisons[0].verdict.startswith("is reversed")


def test_a_shift_of_one_level_keeps_the_order() -> None:
    first, second = twins()
    rate(first, [min(level, 3) for level in LEVELS])
    rate(second, [min(level, 3) + 1 for level in LEVELS])
    found = compared(first, second)
    assert found is not None
    assert found.shift == pytest.approx(1.0)
    assert found.correlation == pytest.approx(1.0)
    assert found.normalised < 1.0


def test_people_in_both_studies_are_compared_with_themselves() -> None:
    first, second = twins()
    twice = make_user()
    rate(first, LEVELS, users=(twice,))
    rate(second, [*LEVELS[:11], 0], users=(twice,))
    found = compared(first, second)
    assert found is not None
    assert found.retest is not None
    assert found.n_retested == 1
    assert found.retest.same.value == pytest.approx(11 / 12)


def test_other_scales_leave_the_order_alone() -> None:
    first, second = twins()
    second.dimensions.all().delete()
    make_dimension(second, ACCEPTANCE)
    rate(first, LEVELS)
    rate(second, [0 if level < 2 else 1 for level in LEVELS])
    found = compared(first, second)
    assert found is not None
    assert found.kappa is None
    assert "scales differ" in found.sentence
    assert found.correlation > 0.5 or np.isnan(found.correlation)


def test_images_of_one_study_alone_are_counted_and_left_out() -> None:
    first, second = twins()
    second.items.filter(key__in=["item-0", "item-1"]).delete()
    rate(first, LEVELS)
    by_key = {item.key: item for item in second.items.all()}
    rater = make_rater(second)
    for place in range(2, 10):
        make_answer(by_key[f"item-{place}"], rater, level=LEVELS[place])
    found = compared(first, second)
    assert found is not None
    assert (found.n_shared, found.n_first, found.n_second) == (8, 4, 0)


def test_without_a_prompt_of_both_methods_the_winner_is_unknown() -> None:
    first, second = twins()
    second.items.filter(key__in=[f"item-{place}" for place in range(1, 12, 2)]).delete()
    other = second.items.get(key="item-0")
    other.item_images.update(image=first.items.get(key="item-1").images.get())
    rate(first, LEVELS)
    rater = make_rater(second)
    for item in second.items.all():
        make_answer(item, rater, level=LEVELS[int(item.key.removeprefix("item-"))])
    found = compared(first, second)
    assert found is not None
    assert found.comparisons[0].verdict.startswith("undecided: in the second study")


def test_only_studies_of_the_same_images_that_one_runs_are_offered() -> None:
    first, second = twins(4)
    make_study(owner=first.owner, n_items=4)
    assert list(studies_of_same_images(first, first.owner)) == [second]
    assert list(studies_of_same_images(first, make_user(researcher=True))) == []


def test_the_page_and_the_command_say_the_same(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = twins()
    rate(first, LEVELS, noise=1)
    rate(second, LEVELS, noise=2, raters=3)
    client.force_login(first.owner)
    page = f"/study/{first.token}/side-by-side/"
    assert second.title in client.get(page).content.decode()
    text = client.get(f"{page}?other={second.token}").content.decode()
    found = compared(first, second)
    assert found is not None
    assert found.sentence in text.replace("&#x27;", "'")
    assert "Does the winner hold?" in text
    call_command("compare_studies", first.token, second.token)
    assert found.sentence.replace("−", "-") in capsys.readouterr().out


def test_a_study_that_is_not_ones_own_is_not_found(client: Client) -> None:
    first, _second = twins(4)
    stranger = make_study(n_items=1)
    client.force_login(first.owner)
    assert client.get(f"/study/{first.token}/side-by-side/?other={stranger.token}").status_code == 404
    assert Method.objects.exists()


def test_without_answers_the_page_says_so(client: Client) -> None:
    first, second = twins(4)
    client.force_login(first.owner)
    text = client.get(f"/study/{first.token}/side-by-side/?other={second.token}").content.decode()
    assert "no answers yet" in text


def test_without_refinements_the_winner_is_held_against_each_other_method() -> None:
    first = make_study(n_items=36, k=3, n_methods=3)
    items = list(first.items.order_by("position"))
    second = study_of_items(study=first, item_ids=[item.pk for item in items], owner=first.owner)
    levels = [level for prompt in range(12) for level in (prompt % 2, 3 + prompt // 2 % 2, 1 + prompt % 3)]
    rate(first, levels, raters=3)
    rate(second, levels, raters=3)
    found = compared(first, second)
    assert found is not None
    names = [item.images.get().method.name for item in items[:3]]
    assert [(one.baseline, one.refined) for one in found.comparisons] == [(names[2], names[1]), (names[0], names[1])]
    assert [one.verdict.split(":")[0] for one in found.comparisons] == ["holds", "holds"]

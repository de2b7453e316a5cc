"""Pairs of any two methods: which there are, how often each occurs, and which method is on the left."""

from collections import Counter
from itertools import combinations

import numpy as np
import pytest

from annotations.allocation import global_order, sample_pairs, turned_sides
from annotations.models import Assignment, Dimension, Rater, Study
from annotations.queries.candidates import Selection, example, n_items
from annotations.queries.pairs import Pairing
from annotations.questions import PREFERENCE
from annotations.services.rating import reserve
from annotations.services.studies import create_study, open_study
from generation.models import Image, Method, Prompt
from tests.factories import make_image, make_method, make_prompt, make_prompt_set, make_rater, make_user

PAIR = Study.ItemKind.PAIR


def images(n_prompts: int, n_methods: int) -> tuple[list[Prompt], list[Method]]:
    prompt_set = make_prompt_set()
    prompts = [make_prompt(prompt_set=prompt_set) for _ in range(n_prompts)]
    methods = [make_method() for _ in range(n_methods)]
    for prompt in prompts:
        for method in methods:
            make_image(prompt=prompt, method=method)
    return prompts, methods


def selection(*methods: Method, **pairing: object) -> Selection:
    sets = tuple(Image.objects.values_list("prompt__prompt_set", flat=True).distinct())
    return Selection(sets, tuple(method.pk for method in methods), pairing=Pairing(**pairing))  # type: ignore[arg-type]


def made(chosen: Selection, **fields: object) -> Study:
    study = Study(**{"title": "Pairs", "owner": make_user(), "seed": 7, "item_kind": PAIR} | fields)
    create_study(study=study, dimensions=[Dimension(**PREFERENCE.fields())], selection=chosen)
    open_study(study=study)
    return study


def met(study: Study) -> Counter[tuple[int, ...]]:
    """How often each two methods meet, by slot."""
    return Counter(tuple(image.method_id for image in slots(item)) for item in study.items.all())


def slots(item: object) -> list[Image]:
    return list(item.images.order_by("item_images__slot"))  # type: ignore[attr-defined]


@pytest.mark.django_db
class TestWhichPairs:
    def test_any_two_methods_neither_made_from_the_other(self) -> None:
        _prompts, methods = images(4, 3)

        study = made(selection(*methods))

        expected = {(one.pk, other.pk): 4 for one, other in combinations(methods, 2)}
        assert met(study) == expected
        assert n_items(PAIR, selection(*methods)) == 12
        for item in study.items.all():
            assert {image.prompt_id for image in slots(item)} == {item.prompt_id}

    def test_a_baseline_meets_each_other_method_and_comes_first(self) -> None:
        _prompts, methods = images(4, 4)
        chosen = selection(*methods, rule="baseline", baseline=methods[2].pk)

        assert met(made(chosen)) == {(methods[2].pk, other.pk): 4 for other in (methods[0], methods[1], methods[3])}
        assert n_items(PAIR, chosen) == 12

    def test_a_prompt_that_a_method_lacks_gives_no_pair_with_it(self) -> None:
        prompts, methods = images(3, 3)
        Image.objects.filter(prompt=prompts[0], method=methods[0]).delete()

        assert n_items(PAIR, selection(*methods)) == 7 == sum(met(made(selection(*methods))).values())
        assert n_items(PAIR, selection(methods[0])) == 0

    def test_of_several_images_those_made_from_each_other_or_of_one_seed_meet(self) -> None:
        prompt = make_prompt()
        one, other = make_method(), make_method()
        first = [make_image(prompt=prompt, method=one, seed=seed) for seed in (1, 2, None)]
        second = [make_image(prompt=prompt, method=other, seed=9, parent=first[2])]
        second += [make_image(prompt=prompt, method=other, seed=seed) for seed in (2, 5, 6)]
        chosen = selection(one, other)

        pairs = {tuple(image.pk for image in slots(item)) for item in made(chosen).items.all()}

        expected = [(first[0], second[2]), (first[1], second[1]), (first[2], second[0])]
        assert pairs == {(left.pk, right.pk) for left, right in expected}
        assert n_items(PAIR, chosen) == 3

    def test_a_refined_image_with_its_own_baseline_is_a_choice_too(self) -> None:
        baseline, refined, other = make_method(), make_method(), make_method()
        first = make_image(method=baseline)
        second = make_image(method=refined, parent=first)
        make_image(method=other, prompt=first.prompt)
        chosen = selection(baseline, refined, other, rule="refined")

        study = made(chosen)

        assert slots(study.items.get()) == [first, second] == example(PAIR, chosen)
        assert n_items(PAIR, chosen) == 1

    def test_a_balanced_sample_has_each_pair_equally_often(self) -> None:
        _prompts, methods = images(12, 4)
        chosen = selection(*methods, rule="sample", per_prompt=2)

        study = made(chosen)

        assert set(met(study).values()) == {4}  # 12 prompts × 2 over 6 pairs
        assert set(Counter(study.items.values_list("prompt", flat=True)).values()) == {2}
        assert n_items(PAIR, chosen) == 24
        assert (study.pairing, study.pairs_per_prompt) == ("sample", 2)

    def test_the_example_is_one_of_the_pairs(self) -> None:
        _prompts, methods = images(2, 3)
        chosen = selection(*methods, rule="baseline", baseline=methods[1].pk)

        left, right = example(PAIR, chosen)

        assert left.method == methods[1] != right.method
        assert left.prompt == right.prompt


@pytest.mark.django_db
class TestSixtyPromptsAndThreeMethods:
    def test_each_pair_equally_often_and_sides_balanced_per_rater_and_per_pair(self) -> None:
        _prompts, methods = images(60, 3)
        study = made(selection(*methods), raters_per_item=4, batch_size=7)
        raters = [make_rater(study) for _ in range(4)]
        assert set(met(study).values()) == {60}

        while sum(reserve(rater=rater) for rater in raters):  # in turns, as if they worked at once
            for rater in raters:
                self.assert_balanced(rater, at_most=1)

        assert study.assignments.count() == 180 * 4
        for rater in raters:
            self.assert_balanced(rater, at_most=0)
        by_item = Counter(study.assignments.filter(shown_order="1,0").values_list("item", flat=True))
        assert sum(by_item.values()) == 360
        assert {by_item[item] for item in study.items.values_list("pk", flat=True)} <= {1, 2, 3}
        assert sum(by_item[item] == 2 for item in study.items.values_list("pk", flat=True)) > 120

    def assert_balanced(self, rater: Rater, *, at_most: int) -> None:
        excess: Counter[tuple[int, ...]] = Counter()
        for card in rater.assignments.select_related("item").prefetch_related("item__images"):
            methods = tuple(image.method_id for image in sorted(card.item.images.all(), key=lambda one: one.method_id))
            excess[methods] += 1 if card.shown_order == "1,0" else -1
        assert max(map(abs, excess.values()), default=0) <= at_most
        rater.refresh_from_db()
        assert {kind: n for kind, n in rater.side_excess.items() if n} == {
            f"{one}-{other}": n for (one, other), n in excess.items() if n
        }

    def test_a_sample_of_one_pair_per_prompt(self) -> None:
        _prompts, methods = images(60, 3)

        study = made(selection(*methods, rule="sample"))

        assert set(met(study).values()) == {20}
        kinds = [tuple(image.method_id for image in slots(item)) for item in study.items.order_by("position")]
        for end in range(1, 61):  # wherever raters stop
            counts = Counter(kinds[:end])
            assert max(counts.values()) - min(counts[pair] for pair in set(kinds)) <= 1


@pytest.mark.django_db
def test_the_same_sides_for_all_where_the_study_says_so() -> None:
    _prompts, methods = images(8, 2)
    study = made(selection(*methods), order=Study.Order.FIXED, raters_per_item=3)

    for _ in range(3):
        reserve(rater=make_rater(study))

    by_item: dict[int, set[str]] = {}
    for item, order in Assignment.objects.values_list("item", "shown_order"):
        by_item.setdefault(item, set()).add(order)
    assert all(len(orders) == 1 for orders in by_item.values())
    assert Counter(order for orders in by_item.values() for order in orders) == {"0,1": 4, "1,0": 4}


@pytest.mark.django_db
def test_sides_cost_two_queries_a_batch(django_assert_num_queries: object) -> None:
    from annotations.services.shown_orders import shown_orders

    _prompts, methods = images(8, 2)
    study = made(selection(*methods))
    rater = make_rater(study)
    items = list(study.items.values_list("pk", flat=True))
    with django_assert_num_queries(2):  # type: ignore[operator]
        assert len(shown_orders(rater, study, items)) == 8


class TestSamplePairs:
    def test_what_some_prompts_lack_others_make_up_for(self) -> None:
        """Ten prompts have all three kinds, ten only the first: of twenty, each kind as near to a third as can be."""
        kinds = np.r_[np.tile([0, 1, 2], 10), np.zeros(10, int)]
        prompts = np.r_[np.repeat(np.arange(10), 3), np.arange(10, 20)]

        chosen = sample_pairs(kinds, prompts, per_prompt=1, seed=3)

        assert sorted(prompts[chosen]) == list(range(20))
        counts = np.bincount(kinds[chosen])
        assert counts[0] >= 10
        assert abs(counts[1] - counts[2]) <= 1

    def test_the_seed_decides(self) -> None:
        kinds, prompts = np.tile([0, 1, 2], 9), np.repeat(np.arange(9), 3)
        draws = [tuple(sample_pairs(kinds, prompts, per_prompt=1, seed=seed)) for seed in (1, 1, 2)]
        assert draws[0] == draws[1] != draws[2]

    def test_more_than_there_are_takes_all_and_nothing_gives_nothing(self) -> None:
        assert list(sample_pairs([0, 1], [0, 0], per_prompt=5, seed=1)) == [0, 1]
        assert len(sample_pairs([], [], per_prompt=1, seed=1)) == 0

    def test_the_sample_is_balanced_in_the_order_in_which_it_is_shown(self) -> None:
        kinds, prompts = np.tile(np.arange(6), 30), np.repeat(np.arange(30), 6)
        chosen = sample_pairs(kinds, prompts, per_prompt=1, seed=5)
        shown = kinds[chosen][global_order(kinds[chosen], prompts[chosen], 5)]
        assert all(set(shown[first : first + 6]) == set(range(6)) for first in range(0, 30, 6))


class TestTurnedSides:
    def test_half_of_each_kind(self) -> None:
        turned = turned_sides(["a", "b"] * 4, rater_excess={}, item_excess=[0] * 8, key=[1])
        assert sum(turned[::2]) == sum(turned[1::2]) == 2

    def test_an_excess_is_made_up_for(self) -> None:
        assert turned_sides(["a"], rater_excess={"a": 1}, item_excess=[-9], key=[1]) == [False]
        assert turned_sides(["a"], rater_excess={"a": -1}, item_excess=[9], key=[1]) == [True]

    def test_what_was_turned_least_is_turned(self) -> None:
        turned = turned_sides(["a"] * 4, rater_excess={}, item_excess=[2, -1, 0, -3], key=[1])
        assert turned == [False, True, False, True]
        assert turned_sides(["a"], rater_excess={}, item_excess=[-1], key=[1]) == [True]
        assert turned_sides(["a"], rater_excess={}, item_excess=[1], key=[1]) == [False]

    def test_a_lone_pair_is_turned_for_about_half_of_the_raters(self) -> None:
        n = sum(turned_sides(["a"], rater_excess={}, item_excess=[0], key=[1, rater])[0] for rater in range(400))
        assert 150 < n < 250

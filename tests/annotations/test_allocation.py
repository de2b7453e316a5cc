"""The order in which items are given out: balanced wherever it is cut, random, and determined only by the seed."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2, chisquare

from annotations import allocation
from annotations.allocation import batch_order, global_order, shown_order


@given(st.integers(1, 40), st.integers(1, 6), st.integers(0, 2**63 - 1))
def test_every_beginning_is_balanced_over_methods_and_prompts(n_prompts: int, n_methods: int, seed: int) -> None:
    methods = np.tile(np.arange(n_methods), n_prompts)
    prompts = np.repeat(np.arange(n_prompts), n_methods)

    order = global_order(methods, prompts, seed)

    assert sorted(order) == list(range(n_prompts * n_methods))
    for cut in range(1, len(order) + 1):
        n_by_prompt = np.bincount(prompts[order[:cut]], minlength=n_prompts)
        assert n_by_prompt.max() - n_by_prompt.min() <= 1
    for round_ in range(n_methods):
        began = round_ * n_prompts
        for cut in range(began + 1, began + n_prompts + 1):
            n_by_method = np.bincount(methods[order[began:cut]], minlength=n_methods)
            assert n_by_method.max() - n_by_method.min() <= 1


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9)), max_size=60), st.integers(0, 1000))
def test_uneven_studies_lose_and_repeat_nothing(pairs: list[tuple[int, int]], seed: int) -> None:
    order = global_order([m for m, _ in pairs], [p for _, p in pairs], seed)

    assert sorted(order) == list(range(len(pairs)))
    # A prompt comes for the (r + 1)th time only after every prompt with that many items came r times.
    seen: dict[int, int] = {}
    rounds = []
    for i in order:
        rounds.append(seen.setdefault(pairs[i][1], 0))
        seen[pairs[i][1]] += 1
    assert rounds == sorted(rounds)


def test_the_seed_decides_and_another_seed_decides_otherwise() -> None:
    methods, prompts = np.tile([0, 1], 50), np.repeat(np.arange(50), 2)

    assert global_order(methods, prompts, 7).tolist() == global_order(methods, prompts, 7).tolist()
    assert global_order(methods, prompts, 7).tolist() != global_order(methods, prompts, 8).tolist()


def test_a_method_is_shown_first_as_often_as_any_other() -> None:
    # Over 3,000 seeds each of 3 methods leads 1,000 times in the mean, standard deviation 26: six of them is 156.
    leads = np.bincount([[0, 1, 2][global_order([0, 1, 2], [0, 0, 0], seed)[0]] for seed in range(3000)], minlength=3)

    assert np.all(np.abs(leads - 1000) < 156)


def test_raters_see_their_batches_and_sides_in_orders_of_their_own() -> None:
    orders = {tuple(batch_order(10, seed=1, rater=rater, n_before=0)) for rater in range(50)}
    assert len(orders) > 45
    assert batch_order(10, seed=1, rater=3, n_before=0) != batch_order(10, seed=1, rater=3, n_before=10)

    # 1,000 fair coins: 500 in the mean, standard deviation 16.
    left_first = sum(shown_order(2, seed=1, rater=rater, item=5) == [0, 1] for rater in range(1000))
    assert abs(left_first - 500) < 96


def test_nothing_has_an_order_too() -> None:
    assert global_order([], [], 0).tolist() == []
    assert batch_order(0, seed=0, rater=0, n_before=0) == []


PLANS = [({"gold": 5, "check": 5, "repeat": 5}, 10), ({"gold": 8, "check": 8, "repeat": 8}, 5)]
PLANS += [({"gold": 10}, 10), ({"gold": 3, "check": 3, "repeat": 6}, 20)]
MANY = {"gold": 100, "check": 100}
N_RATERS = 1500
"""With 20,000, the same limits hold."""


@pytest.mark.parametrize("n_rated", [20, 40, 100, 400])
@pytest.mark.parametrize(("shares", "gap"), PLANS)
def test_nobody_who_knows_the_repeats_can_guess_where_gold_and_checks_are(
    shares: dict[str, int], gap: int, n_rated: int
) -> None:
    """Not by place, not by the distance to a repeat, even knowing how many of the rater's cards are gold or a check."""
    reach = 2 * gap + 10
    by_place = np.zeros((3, 2 * n_rated))
    by_distance = np.zeros((3, 2 * reach + 1))
    n_raters = N_RATERS if n_rated < 400 else N_RATERS // 5
    for rater in range(n_raters):
        schedule = allocation.check_schedule(shares, available=MANY, gap=gap, n_rated=n_rated, seed=7, rater=rater)
        is_hidden, is_repeat = (np.zeros(n_rated + len(schedule), bool) for _ in range(2))
        for place, kind in schedule:
            (is_repeat if kind == "repeat" else is_hidden)[place] = True
        assert not is_hidden[-1]
        assert not is_repeat[-1]
        others = np.flatnonzero(~is_repeat)[:-1]  # the last card is always rated
        p = is_hidden.sum() / len(others)
        rows = np.stack([is_hidden[others], np.full(len(others), p), np.full(len(others), p * (1 - p))])
        by_place[:, others] += rows
        for repeat in np.flatnonzero(is_repeat).tolist():
            is_near = np.abs(others - repeat) <= reach
            by_distance[:, others[is_near] - repeat + reach] += rows[:, is_near]

    for found in (by_place, by_distance):
        n_hidden, expected, variance = found[:, found[1] > 10]
        if len(n_hidden):
            z = (n_hidden - expected) / np.sqrt(variance)
            assert chi2.sf((z**2).sum(), len(z)) > 1e-5
            assert np.abs(z).max() < 5


@pytest.mark.parametrize("n_rated", [40, 100, 400])
@pytest.mark.parametrize(("shares", "gap"), PLANS[:3])
def test_each_rater_gets_the_shares_but_for_one_card_and_on_average_exactly(
    shares: dict[str, int], gap: int, n_rated: int
) -> None:
    n_cards = n_rated / (1 - sum(shares.values()) / 100)
    counts = []
    for rater in range(400):
        schedule = allocation.check_schedule(shares, available=MANY, gap=gap, n_rated=n_rated, seed=7, rater=rater)
        found = Counter(kind for _place, kind in schedule)
        assert all(abs(found[kind] - share * n_cards / 100) <= 1 for kind, share in shares.items())
        counts.append([found[kind] for kind in shares])

    means = np.array(counts).mean(axis=0)
    assert means == pytest.approx(np.array(list(shares.values())) * n_cards / 100, abs=0.13)  # 5 standard errors


@pytest.mark.parametrize(("shares", "gap"), [*PLANS, ({"repeat": 25, "mirror": 25, "gold": 25}, 3)])
def test_a_repeat_comes_when_enough_rated_cards_are_far_enough(shares: dict[str, int], gap: int) -> None:
    for rater in range(100):
        schedule = allocation.check_schedule(shares, available=MANY, gap=gap, n_rated=40, seed=3, rater=rater)
        assert [place for place, _kind in schedule] == sorted({place for place, _kind in schedule})
        assert allocation.n_cards(40, schedule) == 40 + len(schedule)
        taken = dict(schedule)
        repeats = [place for place, kind in schedule if kind in ("repeat", "mirror")]
        for n_before, place in enumerate(repeats):
            assert sum(one not in taken for one in range(place - gap)) > n_before


def test_too_few_gold_items_are_spread_over_the_session_or_its_first_part() -> None:
    def places(n_rated: int) -> list[int]:
        drawn = (
            allocation.check_schedule({"gold": 10}, available={"gold": 4}, gap=3, n_rated=n_rated, seed=1, rater=rater)
            for rater in range(300)
        )
        return [place for schedule in drawn for place, _kind in schedule]

    for n_rated, end in ((96, 99), (2000, allocation.LONG)):
        found = places(n_rated)
        assert len(found) == 1200
        quarters = np.histogram(found, bins=4, range=(0, end))[0]
        assert chisquare(quarters).pvalue > 1e-4


def test_the_places_of_checks_are_the_seeds_and_differ_between_raters() -> None:
    def places(seed: int, rater: int) -> list[tuple[int, str]]:
        return allocation.check_schedule(
            {"gold": 10, "repeat": 10}, available={"gold": 9}, gap=5, n_rated=40, seed=seed, rater=rater
        )

    assert places(1, 1) == places(1, 1)
    assert places(1, 1) != places(1, 2)
    assert places(1, 1) != places(2, 1)


def test_a_schedule_without_checks_is_empty() -> None:
    for shares, n_rated in (({}, 10), ({"gold": 10}, 0), ({"gold": 0}, 10)):
        assert allocation.check_schedule(shares, available={"gold": 5}, gap=0, n_rated=n_rated, seed=0, rater=0) == []
    found = allocation.check_schedule({"gold": 20}, available={"gold": 2}, gap=0, n_rated=90, seed=0, rater=0)
    assert len(found) == 2

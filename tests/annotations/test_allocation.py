"""The order in which items are given out: balanced wherever it is cut, random, and the seed's alone."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

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

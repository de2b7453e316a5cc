from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from annotations.stats.comparison.paired_tests import paired_t_test, sign_flip_test, wilcoxon_signed_rank

# Darwin's maize, differences of heights (scipy.stats.wilcoxon documentation; Fisher 1935, The Design of Experiments).
MAIZE = np.array([6, 8, 14, 16, 23, 24, 28, 29, 41, -48, 49, 56, 60, -67, 75])

differences = st.lists(st.integers(-6, 6), min_size=1, max_size=40).filter(lambda d: any(d))


def test_darwin_maize() -> None:
    result = wilcoxon_signed_rank(MAIZE)
    assert result.w == 24
    assert result.p == pytest.approx(0.041259765625, abs=1e-15)
    assert "exact" in result.method
    assert "zeros dropped" in result.method


def test_darwin_maize_by_fishers_randomisation() -> None:
    # Fisher (1935), The Design of Experiments, section 21: of the 2^15 sign assignments, 863 reach a total of 314 on
    # one side, so that p = 2 · 863 / 32768. Counted anew here from the definition.
    total = abs(int(MAIZE.sum()))
    count = sum(
        abs(sum(s * int(d) for s, d in zip(signs, MAIZE, strict=True))) >= total
        for signs in product((1, -1), repeat=15)
    )
    assert total == 314
    result = sign_flip_test(MAIZE, rng=np.random.default_rng(0))
    assert result.p == pytest.approx(count / 2**15, abs=1e-15)
    assert count == 2 * 863
    assert result.n_permutations == 0


@settings(max_examples=80, deadline=None)
@given(differences, st.sampled_from(["drop", "pratt"]))
def test_wilcoxon_normal_equals_scipy(values: list[int], zeros: str) -> None:
    d = np.array(values)
    ours = wilcoxon_signed_rank(d, zeros=zeros, null="normal")
    theirs = stats.wilcoxon(
        d.astype(float), zero_method={"drop": "wilcox", "pratt": "pratt"}[zeros], method="asymptotic", correction=False
    )
    assert ours.w == theirs.statistic
    assert ours.p == pytest.approx(theirs.pvalue, rel=1e-10)
    # SciPy's z of a two-sided test has no sign; ours is that of R₊.
    assert abs(ours.z) == pytest.approx(abs(theirs.zstatistic), rel=1e-10, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 400), min_size=1, max_size=50, unique=True), st.integers(0, 2**31))
def test_wilcoxon_without_ties_equals_scipys_exact_p(sizes: list[int], seed: int) -> None:
    d = np.array(sizes) * np.random.default_rng(seed).choice([-1, 1], len(sizes))
    ours = wilcoxon_signed_rank(d)
    theirs = stats.wilcoxon(d.astype(float), method="exact")
    assert ours.w == theirs.statistic
    assert ours.p == pytest.approx(theirs.pvalue, rel=1e-9)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(-4, 4), min_size=1, max_size=9).filter(lambda d: any(d)))
def test_small_tied_samples_are_counted_out(values: list[int]) -> None:
    d = np.array([x for x in values if x])
    ranks = stats.rankdata(np.abs(d))
    w_plus = [sum(r for r, s in zip(ranks, signs, strict=True) if s > 0) for signs in product((1, -1), repeat=len(d))]
    observed = ranks[d > 0].sum()
    at_most = np.mean(np.array(w_plus) <= observed)
    at_least = np.mean(np.array(w_plus) >= observed)
    assert wilcoxon_signed_rank(np.array(values)).p == pytest.approx(min(1.0, 2 * min(at_most, at_least)))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(-30, 30), min_size=1, max_size=10))
def test_sign_flip_equals_the_enumeration(values: list[int]) -> None:
    d = np.array(values)
    flipped = np.array([(np.array(signs) * d).sum() for signs in product((1, -1), repeat=len(d))])
    result = sign_flip_test(d, rng=np.random.default_rng(0))
    assert result.p == pytest.approx(np.mean(np.abs(flipped) >= abs(d.sum())))
    beyond, equal = np.mean(np.abs(flipped) > abs(d.sum())), np.mean(np.abs(flipped) == abs(d.sum()))
    assert result.mid_p == pytest.approx(beyond + equal / 2)


def test_random_sign_flips_are_near_the_exact_p_and_follow_the_plus_one_rule() -> None:
    rng = np.random.default_rng(3)
    d = rng.integers(-20, 25, 60)
    exact = sign_flip_test(d, rng=rng)
    drawn = sign_flip_test(d, n_permutations=20_000, rng=rng, most_steps=0)
    # Four standard errors of a proportion.
    assert abs(drawn.p - exact.p) < 4 * np.sqrt(exact.p * (1 - exact.p) / 20_000)
    assert abs(drawn.mid_p - exact.mid_p) < 4 * np.sqrt(exact.mid_p * (1 - exact.mid_p) / 20_000)
    assert (drawn.p * 20_001) == pytest.approx(round(drawn.p * 20_001))
    assert "(c + 1) / (k + 1)" in drawn.method
    # TRAPS: a permutation p can be 0 elsewhere; here the observed assignment counts.
    far = sign_flip_test(np.full(200, 3), n_permutations=999, rng=rng, most_steps=0)
    assert far.p == pytest.approx(1 / 1000)
    assert far.mid_p == pytest.approx(0.5 / 1000)


def test_tiny_exact_p_keep_their_accuracy() -> None:
    # All 100 differences equal and positive: only the two assignments of one sign are as extreme: 2 / 2^100.
    assert sign_flip_test(np.full(100, 7), rng=np.random.default_rng(0)).p == pytest.approx(2.0**-99, rel=1e-12)


def test_a_large_one_sided_study_and_very_fine_differences_are_affordable() -> None:
    rng = np.random.default_rng(0)
    won = sign_flip_test(np.full(300_000, 2), n_permutations=99, rng=rng)
    assert won.p == pytest.approx(0.01)
    # Numerators near 64 bits, as unequal numbers of raters make them: their sum would overflow.
    fine = rng.integers(2**58, 2**60, 200) * rng.choice([-1, 1], 200)
    assert sign_flip_test(fine, n_permutations=999, rng=rng).p > 0.001
    equal = np.repeat(fine[:1], 40) * np.tile([1, -1], 20)
    assert sign_flip_test(equal, rng=rng).p == 1.0


def test_paired_t_equals_scipy() -> None:
    d = np.random.default_rng(0).normal(0.3, 1, 25)
    theirs = stats.ttest_1samp(d, 0.0)
    ours = paired_t_test(d)
    assert (ours.t, ours.df, ours.p) == pytest.approx((theirs.statistic, 24, theirs.pvalue))


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([], "needs two prompts"),
        ([1.0], "needs two prompts"),
        ([0.5, 0.5], "all differences are equal"),
        ([0.0, 0.0], "all differences are equal"),
    ],
)
def test_t_without_variation_is_undefined(values: list[float], reason: str) -> None:
    result = paired_t_test(np.array(values))
    assert np.isnan(result.t)
    assert np.isnan(result.p)
    assert reason in result.reason


def test_only_zeros() -> None:
    zeros = np.zeros(5, dtype=int)
    ranks = wilcoxon_signed_rank(zeros)
    assert np.isnan(ranks.p)
    assert ranks.reason == "no prompt differs"
    assert ranks.n_zero == 5
    flips = sign_flip_test(zeros, rng=np.random.default_rng(0))
    assert (flips.p, flips.mid_p) == (1.0, 0.5)
    assert flips.reason == "no prompt differs"
    nothing = sign_flip_test(zeros[:0], rng=np.random.default_rng(0))
    assert np.isnan(nothing.p)


def test_pratt_and_dropping_differ_and_are_named() -> None:
    d = np.array([0, 0, 0, 1, 2, -3, 4, 5, 6, 7, 8, 9, -10, 11, 12])
    dropped, pratt = wilcoxon_signed_rank(d), wilcoxon_signed_rank(d, zeros="pratt")
    # Ranks without zeros 1…12: W₋ = 3 + 10 = 13. With the three zeros ranked first, +3 each: 6 + 13 = 19.
    assert (dropped.w, pratt.w) == (13, 19)
    assert "dropped" in dropped.method
    assert "Pratt" in pratt.method


def test_type_one_error_of_the_permutation_test() -> None:
    """Symmetric differences on a lattice, true null: 5% ± 4 standard errors of 1,500 tests."""
    rng = np.random.default_rng(5)
    p = [sign_flip_test(np.rint(rng.normal(0, 1, 30) * 15).astype(int), rng=rng).p for _ in range(1500)]
    assert abs(np.mean(np.array(p) <= 0.05) - 0.05) < 4 * np.sqrt(0.05 * 0.95 / 1500)


@pytest.mark.parametrize("n", [15, 40])
def test_mid_p_errs_as_often_as_it_says_where_the_exact_p_cannot(n: int) -> None:
    # One rater, whole steps, half of them ties. 3,000 studies: standard error .4 points.
    rng = np.random.default_rng([11, n])
    d = rng.choice([0, 1, 2], size=(3000, n), p=[0.5, 0.3, 0.2]) * rng.choice([-1, 1], size=(3000, n))
    flips = [sign_flip_test(one, rng=rng) for one in d]
    exact, middle = np.mean([one.p <= 0.05 for one in flips]), np.mean([one.mid_p <= 0.05 for one in flips])
    assert exact < 0.04
    assert 0.038 < middle < 0.062

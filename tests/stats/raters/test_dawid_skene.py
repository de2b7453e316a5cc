"""Dawid–Skene: the published fit, a slow EM, its objective, and labels that cannot carry it."""

import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.stats.raters.dawid_skene import dawid_skene, dawid_skene_labels, majority_vote
from annotations.stats.raters.label_patterns import label_patterns
from annotations.stats.ratings import BadRatings, Ratings

# Dawid & Skene (1979), Applied Statistics 28:20, Table 1: 45 patients, observer 1 rated three times, 2 to 5 once.
ANESTHESIA = """
111 1 1 1 1|333 4 3 3 4|112 2 1 2 2|222 3 1 2 1|222 3 2 2 2|222 3 3 2 2|122 2 1 1 1|333 3 4 3 3|222 2 2 2 3|
232 2 2 2 3|444 4 4 4 4|222 3 3 4 3|111 1 1 1 1|222 3 2 1 2|121 1 1 1 1|111 2 1 1 1|111 1 1 1 1|111 1 1 1 1|
222 2 2 2 1|222 1 3 2 2|222 2 2 2 2|222 2 2 2 1|222 3 2 2 2|221 2 2 2 2|111 1 1 1 1|111 1 1 1 1|232 2 2 2 2|
111 1 1 1 1|111 1 1 1 1|112 1 1 2 1|111 1 1 1 1|333 3 2 3 3|111 1 1 1 1|222 2 2 2 2|222 3 2 3 2|433 4 3 4 3|
221 2 2 3 2|232 3 2 3 3|333 3 4 3 2|111 1 1 1 1|111 1 1 1 1|121 2 1 1 1|232 2 2 2 2|121 1 1 1 1|222 2 2 2 2
"""


def anesthesia():
    rows = [row.replace(" ", "") for row in ANESTHESIA.replace("\n", "").split("|")]
    unit = np.repeat(np.arange(45), 7)
    rater = np.tile([0, 0, 0, 1, 2, 3, 4], 45)
    return unit, rater, np.array([int(label) - 1 for row in rows for label in row])


def published_fit():
    return dawid_skene_labels(*anesthesia(), n_units=45, n_raters=5, n_levels=4, smoothing=0, min_labels=1)


def test_published_example():
    # Log-likelihood, error rates and classes of the converged EM; printed error rates to three decimals.
    fit = published_fit()
    assert fit.converged
    assert fit.log_likelihood == pytest.approx(-192.890881, abs=1e-6)
    assert fit.objective == fit.log_likelihood
    assert fit.prevalence == pytest.approx([0.400, 0.422, 0.112, 0.067], abs=5e-4)
    published = [
        [[0.889, 0.111, 0, 0], [0.071, 0.876, 0.053, 0], [0, 0.339, 0.661, 0], [0, 0, 0.556, 0.444]],
        [[0.834, 0.166, 0, 0], [0.053, 0.633, 0.314, 0], [0, 0, 1, 0], [0, 0, 0, 1]],
        [[1, 0, 0, 0], [0.106, 0.788, 0.105, 0], [0, 0.404, 0.199, 0.398], [0, 0, 0.667, 0.333]],
        [[0.944, 0.056, 0, 0], [0.054, 0.843, 0.104, 0], [0, 0, 0.801, 0.199], [0, 0, 0.333, 0.667]],
        [[1, 0, 0, 0], [0.159, 0.735, 0.106, 0], [0, 0.209, 0.791, 0], [0, 0, 0.333, 0.667]],
    ]
    assert fit.confusion == pytest.approx(np.array(published), abs=6e-4)
    classes = "1 4 2 2 2 2 1 3 2 2 4 3 1 2 1 1 1 1 2 2 2 2 2 2 1 1 2 1 1 1 1 3 1 2 2 4 2 3 3 1 1 1 2 1 2"
    assert (fit.level + 1).tolist() == [int(each) for each in classes.split()]
    sure = fit.posterior.max(axis=1)
    # Only patients 7, 35 and 38 are in any doubt.
    assert np.flatnonzero(sure < 0.99).tolist() == [6, 34, 37]
    assert sure[[6, 34, 37]] == pytest.approx([0.981, 0.948, 0.979], abs=5e-4)


def test_one_step_further_changes_nothing():
    """The trap: a fit that stops after four steps on a wrong objective has .335/.665 in observer 1's third row."""
    fit = published_fit()
    assert fit.n_iterations > 4
    longer = dawid_skene_labels(
        *anesthesia(), n_units=45, n_raters=5, n_levels=4, smoothing=0, min_labels=1, tolerance=1e-14
    )
    assert fit.confusion == pytest.approx(longer.confusion, abs=2e-4)
    assert fit.confusion[0, 2, 1] == pytest.approx(0.339, abs=5e-4)


@pytest.mark.parametrize(("n_units", "n_raters", "seed"), [(40, 3, 0), (40, 3, 7), (200, 5, 2)])
def test_posteriors_of_few_labels_have_settled(n_units: int, n_raters: int, seed: int) -> None:
    """Where the objective is nearly flat: stopped on the objective alone, a posterior still moved by .003 to .007."""
    rng = np.random.default_rng(seed)
    truth, accuracy = rng.integers(0, 5, n_units), rng.uniform(0.5, 0.95, n_raters)
    unit, rater = np.arange(n_units).repeat(3), np.argsort(rng.random((n_units, n_raters)), axis=1)[:, :3].ravel()
    guess = rng.integers(0, 5, len(unit))
    label = np.where(rng.random(len(unit)) < accuracy[rater], truth[unit], guess)
    sizes = {"n_units": n_units, "n_raters": n_raters, "n_levels": 5}
    fit = dawid_skene_labels(unit, rater, label, **sizes, smoothing=0.0, min_labels=0)
    assert fit.converged
    further = dawid_skene_labels(
        unit, rater, label, **sizes, smoothing=0.0, min_labels=0, tolerance=1e-14, max_iterations=20_000
    )
    assert fit.posterior == pytest.approx(further.posterior, abs=5e-5)


def slow_em(unit, rater, level, n_units, n_levels, smoothing, n_steps):
    """Label by label with Python floats: the posterior after n_steps and the log-likelihood there."""
    labels = [[] for _ in range(n_units)]
    for u, r, each in zip(unit, rater, level, strict=True):
        labels[u].append((r, each))
    seen = [u for u in range(n_units) if labels[u]]
    truth = {u: [sum(each == k for _, each in labels[u]) / len(labels[u]) for k in range(n_levels)] for u in seen}
    likelihood = math.nan
    for _ in range(n_steps + 1):
        prior = [sum(truth[u][k] for u in seen) / len(seen) for k in range(n_levels)]
        counts = {r: [[smoothing] * n_levels for _ in range(n_levels)] for r in set(rater)}
        for u in seen:
            for r, each in labels[u]:
                for k in range(n_levels):
                    counts[r][k][each] += truth[u][k]
        rates = {
            r: [[c / sum(row) if sum(row) else 1 / n_levels for c in row] for row in rows] for r, rows in counts.items()
        }
        likelihood, new = 0.0, {}
        for u in seen:
            joint = [prior[k] * math.prod(rates[r][k][each] for r, each in labels[u]) for k in range(n_levels)]
            likelihood += math.log(sum(joint))
            new[u] = [each / sum(joint) for each in joint]
        truth = new
    return truth, likelihood


@st.composite
def labels(draw, smallest=2):
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_units, n_raters, n_levels = draw(st.integers(1, 12)), draw(st.integers(2, 5)), draw(st.integers(1, 4))
    n = draw(st.integers(smallest, 60))
    return (
        generator.integers(0, n_units, n),
        generator.integers(0, n_raters, n),
        generator.integers(0, n_levels, n),
        {"n_units": n_units + 1, "n_raters": n_raters, "n_levels": n_levels},
    )


@settings(max_examples=60, deadline=None)
@given(labels(smallest=14), st.sampled_from([0.05, 0.5]), st.integers(1, 6))
def test_the_slow_definition(data, smoothing, n_steps):
    unit, rater, level, sizes = data
    fit = dawid_skene_labels(
        unit, rater, level, **sizes, smoothing=smoothing, min_labels=1, max_iterations=n_steps, tolerance=-1
    )
    truth, likelihood = slow_em(
        unit.tolist(), rater.tolist(), level.tolist(), sizes["n_units"], sizes["n_levels"], smoothing, n_steps
    )
    assert fit.log_likelihood == pytest.approx(likelihood, abs=1e-9)
    for unit_code, posterior in truth.items():
        assert fit.posterior[unit_code] == pytest.approx(posterior, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(labels(), st.sampled_from([0.0, 0.1]), st.sampled_from([1, 10]))
def test_the_objective_never_falls_and_probabilities_are_probabilities(data, smoothing, min_labels):
    unit, rater, level, sizes = data
    fit = dawid_skene_labels(unit, rater, level, **sizes, smoothing=smoothing, min_labels=min_labels)
    if fit.reason:
        assert "two labels" in fit.reason
        return
    assert np.all(np.diff(fit.trace) >= -1e-9)
    seen = fit.level >= 0
    assert fit.posterior[seen].sum(axis=1) == pytest.approx(1)
    rated = np.bincount(rater, minlength=sizes["n_raters"]) > 0
    assert fit.confusion[rated].sum(axis=2) == pytest.approx(1)
    assert np.isnan(fit.confusion[~rated]).all()


@settings(max_examples=40, deadline=None)
@given(labels(smallest=20), st.integers(0, 2**32 - 1))
def test_names_do_not_matter(data, seed):
    """Renaming units, raters and levels, and shuffling the labels, renames the result and changes no figure."""
    unit, rater, level, sizes = data
    generator = np.random.default_rng(seed)
    units, raters, levels = (generator.permutation(sizes[name]) for name in ("n_units", "n_raters", "n_levels"))
    order = generator.permutation(len(unit))
    options = {"min_labels": 1, "max_iterations": 15, "tolerance": -1}
    fit = dawid_skene_labels(unit, rater, level, **sizes, **options)
    renamed = dawid_skene_labels(units[unit][order], raters[rater][order], levels[level][order], **sizes, **options)
    if fit.reason:
        assert renamed.reason == fit.reason
        return
    assert renamed.log_likelihood == pytest.approx(fit.log_likelihood, abs=1e-7)
    assert renamed.posterior[units][:, levels] == pytest.approx(fit.posterior, abs=1e-6, nan_ok=True)


@settings(max_examples=60, deadline=None)
@given(labels(smallest=0))
def test_patterns_put_exactly_the_units_with_equal_labels_together(data):
    unit, rater, level, sizes = data
    patterns = label_patterns(unit, rater, level, **sizes)
    table = patterns.table.toarray()
    whole = np.zeros((sizes["n_units"], sizes["n_raters"] * sizes["n_levels"]))
    np.add.at(whole, (unit, rater * sizes["n_levels"] + level), 1)
    seen = whole.sum(axis=1) > 0
    assert np.array_equal(patterns.of_unit >= 0, seen)
    assert np.array_equal(table[patterns.of_unit[seen]], whole[seen])
    assert len(table) == len(np.unique(whole[seen], axis=0))
    assert patterns.multiplicity.sum() == seen.sum()


def test_a_unit_without_labels_gets_none():
    fit = dawid_skene_labels([0, 0, 2, 2], [0, 1, 0, 1], [1, 1, 0, 0], n_units=4, n_raters=3, n_levels=2)
    assert fit.level.tolist() == [1, -1, 0, -1]
    assert np.isnan(fit.posterior[[1, 3]]).all()
    assert np.isnan(fit.accuracy[2])
    assert fit.n["units_without_labels"] == 2
    assert fit.majority.level.tolist() == [1, -1, 0, -1]


@pytest.mark.parametrize(
    ("unit", "words"), [([], "no labels"), ([0], "no unit has two labels"), ([0, 1, 2], "no unit has two labels")]
)
def test_what_cannot_be_fitted_says_so(unit, words):
    fit = dawid_skene_labels(unit, [0] * len(unit), [1] * len(unit), n_units=3, n_raters=2, n_levels=2)
    assert words in fit.reason
    assert math.isnan(fit.log_likelihood)
    assert (fit.level == -1).all()
    assert np.isnan(fit.posterior).all()
    assert not fit.converged
    assert fit.majority.level[: len(unit)].tolist() == [1] * len(unit)


def test_all_labels_equal():
    fit = dawid_skene_labels([0, 0, 1, 1], [0, 1, 0, 1], [2, 2, 2, 2], n_units=2, n_raters=2, n_levels=3, min_labels=1)
    assert fit.level.tolist() == [2, 2]
    assert fit.prevalence == pytest.approx([0, 0, 1], abs=1e-6)


def test_raters_with_few_labels_share_one_table():
    unit, rater, level = anesthesia()
    # Observers 3, 4 and 5 keep twelve labels each.
    keep = (rater < 2) | (unit < 12)
    fit = dawid_skene_labels(unit[keep], rater[keep], level[keep], n_units=45, n_raters=5, n_levels=4, min_labels=13)
    assert fit.pooled.tolist() == [False, False, True, True, True]
    assert np.array_equal(fit.confusion[2], fit.confusion[4])
    assert not np.array_equal(fit.confusion[0], fit.confusion[1])
    assert fit.n["raters_pooled"] == 3
    # Their labels are used: they name patient 2 as class 4 together with observer 2.
    assert fit.n["labels"] == keep.sum()


def test_smoothing_keeps_error_rates_away_from_0_and_1():
    fit = dawid_skene_labels(*anesthesia(), n_units=45, n_raters=5, n_levels=4, smoothing=0.1, min_labels=1)
    assert fit.confusion.min() > 0
    assert fit.objective < fit.log_likelihood
    assert fit.log_likelihood < published_fit().log_likelihood


def test_accuracy_is_the_chance_of_a_right_label():
    fit = published_fit()
    expected = sum(fit.prevalence[k] * fit.confusion[2, k, k] for k in range(4))
    assert fit.accuracy[2] == pytest.approx(expected)


def test_majority_vote_and_its_ties():
    vote = majority_vote(
        np.array([0, 0, 0, 1, 1, 3, 4, 4, 4]), np.array([2, 2, 0, 1, 0, 4, 0, 1, 2]), n_units=5, n_levels=5
    )
    assert vote.level.tolist() == [2, -1, -1, 4, -1]
    assert vote.tied.tolist() == [False, True, False, False, True]


def test_it_finds_who_is_careless_and_beats_the_vote():
    """Two good raters against three who guess: 80% right by vote at best, more by weighing."""
    generator = np.random.default_rng(8)
    n_units = 2000
    truth = generator.integers(0, 3, n_units)
    chance = np.array([0.95, 0.9, 0.4, 0.4, 0.4])
    right = generator.random((n_units, 5)) < chance
    level = np.where(right, truth[:, None], (truth[:, None] + generator.integers(1, 3, (n_units, 5))) % 3)
    fit = dawid_skene(
        Ratings(
            np.repeat(np.arange(n_units), 5), np.tile(np.arange(5), n_units), level.ravel(), np.arange(3.0), n_units, 5
        )
    )
    assert fit.accuracy == pytest.approx(chance, abs=0.04)
    assert (fit.level == truth).mean() > (fit.majority.level == truth).mean() + 0.05


def test_codes_are_checked():
    with pytest.raises(BadRatings, match="level code"):
        dawid_skene_labels([0], [0], [3], n_units=1, n_raters=1, n_levels=3)
    with pytest.raises(BadRatings, match="differ in length"):
        dawid_skene_labels([0], [0, 1], [0], n_units=1, n_raters=2, n_levels=3)
    with pytest.raises(BadRatings, match="smoothing"):
        dawid_skene_labels([0], [0], [0], n_units=1, n_raters=1, n_levels=3, smoothing=-1)


def test_memory_follows_the_labels_and_not_raters_times_units():
    generator = np.random.default_rng(1)
    n_units, n_raters = 50_000, 2_000
    unit = np.repeat(np.arange(n_units), 3)
    rater, level = generator.integers(0, n_raters, 3 * n_units), generator.integers(0, 5, 3 * n_units)
    tracemalloc.start()
    dawid_skene_labels(unit, rater, level, n_units=n_units, n_raters=n_raters, n_levels=5, max_iterations=2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # A dense table of labels would take 800 MB as bytes.
    assert peak < 60e6

"""How far raters differ in what they prefer, against slow definitions and in simulation."""

import numpy as np
import pytest
from scipy import stats

from annotations.stats.ordinal_model.between_raters import BetweenRaters, between_raters, variance_of_groups
from annotations.stats.ordinal_model.fit import OrdinalFit, fit_ordinal
from annotations.stats.ordinal_model.laplace import Working
from tests.benchmarks.coverage.two_method_freedom import PROMPTS, WORLDS, errors, rules, studies

CROSSED = "raters × methods"


def design(seed: int, n_raters: int, k: int, *, missing: float = 0.0) -> tuple[np.ndarray, ...]:
    """Levels, prompts, raters and methods of the ratings of 15 prompts, with raters of unlike tastes."""
    rng = np.random.default_rng(seed)
    prompt, method, rater = (each.ravel() for each in np.indices((15, k, n_raters)))
    kept = rng.random(len(rater)) >= missing
    prompt, method, rater = prompt[kept], method[kept], rater[kept]
    latent = rng.normal(size=15)[prompt] + rng.normal(size=(n_raters, k))[rater, method] + 0.3 * method
    level = np.searchsorted([-2.0, -0.7, 0.7, 2.0], latent + rng.logistic(size=len(prompt)))
    return level, prompt, rater, method


def fitted(seed: int, n_raters: int, k: int, *, missing: float = 0.0) -> tuple[OrdinalFit, dict, np.ndarray]:
    level, prompt, rater, method = design(seed, n_raters, k, missing=missing)
    groups = {"images": prompt * k + method, "prompts": prompt, "raters": rater, CROSSED: rater * k + method}
    fixed = {str(at): (method == at).astype(np.int64) for at in range(1, k)}
    fit = fit_ordinal(level, fixed, groups=groups)
    assert fit.is_fitted
    return fit, groups, method


@pytest.mark.parametrize(("n_raters", "k", "missing"), [(3, 2, 0.0), (4, 3, 0.0), (5, 3, 0.6)])
def test_the_interaction_is_that_of_a_weighted_two_way_table(n_raters: int, k: int, missing: float) -> None:
    fit, groups, method = fitted(1, n_raters, k, missing=missing)
    found = between_raters(fit, groups, method)
    assert found is not None
    assert fit.working is not None
    # One Newton step for every cell, rater by rater and method by method.
    cells, effect, weight = [], [], []
    own = dict(zip(np.unique(groups[CROSSED]), fit.effects.get(CROSSED, np.zeros(n_raters * k)), strict=False))
    for rater in range(n_raters):
        for at in range(k):
            mine = (groups["raters"] == rater) & (method == at)
            if mine.any():
                cells.append((rater, at))
                weight.append(fit.working.weight[mine].sum())
                effect.append(own[rater * k + at] + fit.working.score[mine].sum() / weight[-1])
    columns = np.zeros((len(cells), n_raters + k))
    for row, (rater, at) in enumerate(cells):
        columns[row, [rater, n_raters + at]] = 1
    w = np.diag(weight)
    left = w - w @ columns @ np.linalg.pinv(columns.T @ w @ columns) @ columns.T @ w
    squares, df = effect @ left @ effect, len(cells) - np.linalg.matrix_rank(columns)
    if not missing:  # All rate all images, so that their effects take nothing from the differences between raters.
        assert found.ratio == pytest.approx(squares / df)
        assert found.variance == pytest.approx((squares - df) / np.trace(left))
    else:
        kept = found.ratio * df / squares
        assert 1 <= kept < 1.6
        assert found.variance == pytest.approx((squares * kept - df) / np.trace(left) * kept)
    assert n_raters - 1 <= found.freedom <= df


def test_of_a_balanced_table_the_variance_is_the_interactions_mean_square() -> None:
    """Where the model found no variance of raters, or some: the mean square over the number of ratings of a method."""
    found = BetweenRaters(ratio=1.5, variance=0.05, freedom=2, shares=np.full(2, 1 / 3), n_raters=3)
    contrast = np.array([[-1.0, 1.0]])
    # Of .08 the images make .02, so that noise makes .06, which is 2/3 · (.05/.5): the table's ratio makes it .09 + ….
    variance, df = found.of(contrast, np.diag([0.04, 0.04]), 0.0, np.full(2, 0.01), 39)
    assert variance[0] == pytest.approx(0.02 + 0.06 + 0.05 * 2 / 3)
    satterthwaite = variance[0] ** 2 / ((variance[0] - 0.02) ** 2 / 2 + 0.02**2 / 39)
    assert df[0] == pytest.approx(np.sqrt(2 * satterthwaite))
    # The same with a deviation of .3 in the model: its part, .09 · 2/3 = .06, is exchanged.
    with_it, _ = found.of(contrast, np.diag([0.07, 0.07]), 0.3, np.full(2, 0.01), 39)
    assert with_it[0] == pytest.approx(variance[0])
    below = BetweenRaters(ratio=0.5, variance=-0.05, freedom=2, shares=np.full(2, 1 / 3), n_raters=3)
    assert below.of(contrast, np.diag([0.04, 0.04]), 0.0, np.full(2, 0.01), 39)[0][0] == pytest.approx(0.02 + 0.03)


@pytest.mark.parametrize("spread", [0.0, 0.6])
def test_three_raters_cover_as_often_as_they_say_whether_or_not_they_differ(spread: float) -> None:
    """A linear model in place of the fit: 3,000 studies of three raters and two methods, 20 ratings of each."""
    rng = np.random.default_rng(3)
    rater, method = (np.repeat(each.ravel(), 20) for each in np.indices((3, 2)))
    apart, deviation, freedom = np.zeros((3, 3000))
    for study in range(3000):
        taste = spread / np.sqrt(2) * rng.normal(size=(3, 2))
        answers = rng.normal(size=3)[rater] + taste[rater, method] + rng.normal(size=len(rater))
        own = np.bincount(rater * 2 + method, answers) / 20
        # Residuals after raters and methods, with weights of 1.
        rest = answers - answers.reshape(3, 2, 20).mean(axis=(1, 2))[rater]
        effect = own.reshape(3, 2).mean(axis=0)
        rest = rest - (effect - effect.mean())[method]
        fit = OrdinalFit({}, {}, {}, np.zeros(0), {}, 0.0, "", {}, working=Working(rest, np.ones(len(rest))))
        found = between_raters(fit, {"raters": rater}, method)
        assert found is not None
        covariance = np.diag([1 / 60, 1 / 60])
        variance, df = found.of(np.array([[-1.0, 1.0]]), covariance, 0.0, np.zeros(2), 100)
        apart[study], deviation[study], freedom[study] = abs(effect[1] - effect[0]), np.sqrt(variance[0]), df[0]
    assert 0.94 < (apart <= stats.t.ppf(0.975, freedom) * deviation).mean() < 0.96


def test_the_simulated_rule_is_the_one_in_use() -> None:
    _, raters, images, noise = studies(3, 0.6, 0.3, 20, np.random.default_rng(4))
    simulated = rules(raters, images, noise, 3)["geometric mean with R - 1"]
    shares = np.full(2, 1 / 3)
    for at in range(20):
        found = BetweenRaters(raters[at] / noise[at], 1.5 * (raters[at] - noise[at]), 2.0, shares, 3)
        covariance = np.diag([0.0, noise[at] + images[at]])
        by_images = np.full(2, images[at] / 2)
        variance, df = found.of(np.array([[-1.0, 1.0]]), covariance, 0.0, by_images, PROMPTS - 1)
        assert variance[0] == pytest.approx(raters[at] + images[at])
        assert stats.t.ppf(0.975, df[0]) == pytest.approx(simulated[at])


@pytest.mark.parametrize("n_raters", [3, 5, 8, 20])
def test_tests_of_two_methods_err_in_4_to_6_percent_however_raters_and_images_differ(n_raters: int) -> None:
    found = [errors(n_raters, *world, 20_000, np.random.default_rng(at)) for at, world in enumerate(WORLDS)]
    in_use = [each["geometric mean with R - 1"] for each in found]
    assert all(0.04 <= share <= 0.055 for share, _ in in_use)
    assert all(1 <= width < 1.2 for _, width in in_use)
    if n_raters == 3:
        assert max(each["Satterthwaite"][0] for each in found) > 0.065


def test_raters_of_one_method_each_are_compared_within_it() -> None:
    rater = np.repeat(np.arange(6), 4)
    method = rater % 2
    score = np.repeat([1.0, 2, 3, 4, 5, 9], 4)
    fit = OrdinalFit({}, {}, {}, np.zeros(0), {}, 0.0, "", {}, working=Working(score, np.ones(24)))
    assert between_raters(fit, {"raters": rater}, method) is None
    found = between_raters(fit, {"raters": rater}, method, within=False)
    # 1, 3, 5 and 2, 4, 9: sums of squares 8 and 26, four ratings each; six raters less two means.
    assert found is not None
    assert found.ratio == pytest.approx(4 * 34 / 4)
    assert found.freedom == 4


def test_images_put_their_variance_into_their_methods() -> None:
    fit = OrdinalFit({}, {}, {}, np.zeros(0), {"images": 0.5}, 0.0, "", {})
    # Images with 1 and 3 ratings of the first method, and with 2 and 2 of the second.
    groups = {"images": np.array([0, 1, 1, 1, 2, 2, 3, 3])}
    method = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    assert variance_of_groups(fit, groups, method, ("images", "prompts × methods")) == pytest.approx([10 / 64, 8 / 64])

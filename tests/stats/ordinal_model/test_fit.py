"""The cumulative link model: published fits of the wine data, and slow definitions."""

import time
from math import sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import integrate, optimize, special, stats

from annotations.stats.ordinal_model import border as arrow_border
from annotations.stats.ordinal_model import random_intercepts as arrow
from annotations.stats.ordinal_model.cumulative_link import Link, pieces
from annotations.stats.ordinal_model.fit import OrdinalFit, fit_ordinal
from annotations.stats.ordinal_model.laplace import Mixed, Plain
from annotations.stats.ordinal_model.random_intercepts import Design

# Randall (1989), as in the R package `ordinal`: rows are bottles (cold/no, cold/no, cold/yes, cold/yes, warm/no …),
# columns the judges 1–9.
WINE = np.array(
    [
        [2, 1, 2, 3, 2, 3, 1, 2, 1],
        [3, 2, 3, 2, 3, 2, 1, 2, 2],
        [3, 1, 3, 3, 4, 3, 2, 2, 3],
        [4, 3, 2, 2, 3, 2, 2, 3, 2],
        [4, 2, 5, 3, 3, 2, 2, 3, 3],
        [4, 3, 5, 2, 3, 4, 3, 3, 2],
        [5, 5, 4, 5, 3, 5, 2, 3, 4],
        [5, 4, 4, 3, 3, 4, 3, 4, 4],
    ]
)
TEMP, CONTACT = np.repeat([0, 1], 36), np.repeat([0, 1, 0, 1], 18)
JUDGE, BOTTLE = np.tile(np.arange(9), 8), np.repeat(np.arange(8), 9)


def wine(n_nodes: int = 10, **groups: NDArray[np.int64]) -> OrdinalFit:
    return fit_ordinal(WINE.ravel(), {"temp": TEMP, "contact": CONTACT}, groups=groups, n_nodes=n_nodes)


def test_wine_without_random_effects() -> None:
    # clm(rating ~ temp + contact), Christensen's tutorial; recomputed with statsmodels OrderedModel.
    fit = wine()
    assert fit.coefficients["temp"] == pytest.approx(2.50310, abs=1e-5)
    assert fit.coefficients["contact"] == pytest.approx(1.52780, abs=3e-5)
    assert fit.thresholds == pytest.approx([-1.34438, 1.25081, 3.46688, 5.00639], abs=3e-5)
    assert fit.log_likelihood == pytest.approx(-86.49192, abs=1e-5)


def test_wine_equals_statsmodels() -> None:
    miscmodels = pytest.importorskip("statsmodels.miscmodels.ordinal_model", reason="statsmodels is not installed")
    for link in ("logit", "probit"):
        model = miscmodels.OrderedModel(WINE.ravel(), np.column_stack((TEMP, CONTACT)).astype(float), distr=link)
        theirs = model.fit(method="bfgs", disp=False, gtol=1e-8)
        ours = fit_ordinal(WINE.ravel(), {"temp": TEMP, "contact": CONTACT}, groups={}, link=link)
        assert list(ours.coefficients.values()) == pytest.approx(theirs.params[:2], abs=1e-4)
        assert list(ours.standard_errors.values()) == pytest.approx(theirs.bse[:2], rel=1e-3)
        assert ours.log_likelihood == pytest.approx(theirs.llf, abs=1e-6)


@pytest.mark.parametrize("n_nodes", [10, 25])
def test_wine_with_random_judges(n_nodes: int) -> None:
    # clmm(rating ~ temp + contact + (1 | judge), nAGQ = 10): 3.06, 1.83, variance 1.29, thresholds −1.62 1.51 4.23 6.09
    # (published); more digits recomputed with 10 and 25 nodes.
    fit = wine(n_nodes, judge=JUDGE)
    assert fit.coefficients["temp"] == pytest.approx(3.06190, abs=2e-5)
    assert fit.coefficients["contact"] == pytest.approx(1.83343, abs=2e-5)
    assert fit.deviations["judge"] ** 2 == pytest.approx(1.28774, abs=1e-4)
    assert fit.thresholds == pytest.approx([-1.62349, 1.51279, 4.22705, 6.08615], abs=2e-5)
    assert fit.log_likelihood == pytest.approx(-81.53246, abs=1e-5)
    assert f"{n_nodes}-node adaptive" in fit.method


def test_wine_by_laplace() -> None:
    # The same by Laplace's approximation: log-likelihood −81.57 (published).
    fit = wine(1, judge=JUDGE)
    assert fit.log_likelihood == pytest.approx(-81.57, abs=0.005)
    assert "Laplace" in fit.method


def test_a_factor_without_variance_is_left_out_and_named() -> None:
    # Bottles add nothing to temperature and contact in these data.
    both, judge = wine(judge=JUDGE, bottle=BOTTLE), wine(1, judge=JUDGE)
    assert both.deviations["bottle"] == 0
    assert "bottle: variance estimated as zero, left out" in both.notes
    assert both.is_fitted
    assert judge.coefficients["temp"] == pytest.approx(both.coefficients["temp"], abs=2e-3)


def design_data(seed: int, n_prompts: int = 6, n_raters: int = 4) -> tuple[NDArray[np.int64], list[NDArray[np.int64]]]:
    """Levels 0…3 and codes of images, prompts (nested) and raters (crossed) for a random half of all cells."""
    rng = np.random.default_rng(seed)
    image, rater = np.nonzero(rng.random((2 * n_prompts, n_raters)) < 0.6)
    image = np.unique(image, return_inverse=True)[1]
    prompt = image // 2
    level = rng.integers(0, 4, len(image))
    level[:4] = range(4)
    return level, [image, prompt, np.unique(rater, return_inverse=True)[1]]


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10_000),
    st.lists(st.sampled_from(["image", "prompt", "topic", "rater", "rater's side"]), min_size=1, unique=True),
    st.sampled_from([1, 1_000_000]),
    st.sampled_from([0, 2, 12]),
    st.sampled_from([-1, 20_000]),
)
def test_block_elimination_equals_dense_algebra(
    seed: int, chosen: list[str], cells: int, narrow: int, few: int
) -> None:
    _, (image, prompt, rater) = design_data(seed)
    every = {"image": image, "prompt": prompt, "topic": prompt // 3, "rater": rater, "rater's side": rater // 2}
    codes = sorted((every[name] for name in chosen), key=lambda code: -code.max())
    design = Design(codes, [int(code.max()) + 1 for code in codes], narrow=narrow, few=few)
    rng = np.random.default_rng(seed)
    weight, deviations = rng.random(len(codes[0])), rng.random(len(codes)) * 2
    incidence = np.hstack([np.eye(size)[code] for code, size in zip(codes, design.sizes, strict=True)])
    scaled = incidence * design.spread(deviations)
    dense = np.eye(scaled.shape[1]) + scaled.T @ (weight[:, np.newaxis] * scaled)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(arrow_border, "_CELLS", cells)
        factored = design.factor(weight, deviations)
        leverages = factored.leverages()
    right = rng.normal(size=len(dense))
    inverse = np.linalg.inv(dense)
    assert design.at_ratings(right) == pytest.approx(incidence @ right)
    assert design.by_group(weight) == pytest.approx(incidence.T @ weight)
    assert factored.log_determinant == pytest.approx(np.linalg.slogdet(dense)[1])
    assert factored.solve(right) == pytest.approx(inverse @ right)
    assert leverages == pytest.approx(np.einsum("ij,jk,ik->i", scaled, inverse, scaled))
    diagonal = np.concatenate([factored.diagonal(factor) for factor in range(len(codes))])
    assert diagonal == pytest.approx(np.diag(inverse))


def test_products_by_pairs_of_entries_are_those_of_sparse_matrices_to_the_last_bit() -> None:
    """The results of a study do not change where its size passes the limit between the two ways."""
    for seed in range(20):
        _, codes = design_data(seed, n_prompts=12)
        sizes = [int(code.max()) + 1 for code in codes]
        rng = np.random.default_rng(seed)
        weight, deviations = rng.random(len(codes[0])), rng.random(3) * 2
        by_pairs, by_matrices = (Design(codes, sizes, few=few).factor(weight, deviations) for few in (20_000, -1))
        assert np.array_equal(by_pairs.cholesky, by_matrices.cholesky)


def test_nested_factors_are_eliminated_and_crossed_ones_are_not() -> None:
    image, rater = np.divmod(np.arange(120), 3)
    nested = [image, image // 2, image // 10]
    sizes = [int(code.max()) + 1 for code in [*nested, rater]]
    assert len(Design([*nested, rater], sizes).borders) == 3
    assert Design([*nested, rater], sizes).n_rest == 3
    assert len(Design([image, np.arange(120) % 20], [40, 20]).borders) == 1


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["logit", "probit"]))
def test_laplace_equals_its_definition_and_its_gradient_the_differences(seed: int, link: Link) -> None:
    level, codes = design_data(seed)
    fixed = (codes[0] % 2)[:, np.newaxis].astype(float)
    sizes = [int(code.max()) + 1 for code in codes]
    mixed = Mixed(Plain(level, fixed, 4, link), Design(codes, sizes), np.zeros(sum(sizes)))
    parameters = np.array([-1.2, 0.1, 1.4, 0.4, 0.8, 0.6, 1.1])
    z = np.hstack([np.eye(size)[code] * sd for code, size, sd in zip(codes, sizes, parameters[4:], strict=True)])
    distribution = stats.logistic.cdf if link == "logit" else stats.norm.cdf
    cuts = np.concatenate(([-np.inf], parameters[:3], [np.inf]))

    def minus_joint(u: NDArray[np.float64]) -> float:
        eta = fixed[:, 0] * parameters[3] + z @ u
        return float(-np.log(distribution(cuts[level + 1] - eta) - distribution(cuts[level] - eta)).sum() + u @ u / 2)

    best = optimize.minimize(minus_joint, np.zeros(z.shape[1]), options={"gtol": 1e-7})
    value, gradient = mixed.log_marginal(parameters)
    # The determinant from second differences of the predictor alone, so that only the sum is reused.
    eta = fixed[:, 0] * parameters[3] + z @ best.x
    h = 1e-4

    def each(at: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.log(distribution(cuts[level + 1] - at) - distribution(cuts[level] - at))

    weight = -(each(eta + h) - 2 * each(eta) + each(eta - h)) / h**2
    dense = np.eye(z.shape[1]) + z.T @ (weight[:, np.newaxis] * z)
    assert value == pytest.approx(-best.fun - np.linalg.slogdet(dense)[1] / 2, abs=1e-4)
    differences = [
        (mixed.log_marginal(parameters + step)[0] - mixed.log_marginal(parameters - step)[0]) / 2e-5
        for step in np.eye(7) * 1e-5
    ]
    assert gradient == pytest.approx(differences, abs=2e-5)


def test_quadrature_equals_numerical_integration() -> None:
    level, codes = design_data(3)
    code = codes[2]
    n_groups = int(code.max()) + 1
    mixed = Mixed(Plain(level, np.zeros((len(level), 1)), 4, "logit"), Design([code], [n_groups]), np.zeros(n_groups))
    parameters = np.array([-1.0, 0.2, 1.1, 0.0, 1.7])
    cuts = np.concatenate(([-np.inf], parameters[:3], [np.inf]))
    total = 0.0
    for group in range(n_groups):
        own = level[code == group]

        def integrand(u: float, own: NDArray[np.int64] = own) -> float:
            p = special.expit(cuts[own + 1] - 1.7 * u) - special.expit(cuts[own] - 1.7 * u)
            return float(np.prod(p) * stats.norm.pdf(u))

        total += np.log(integrate.quad(integrand, -12, 12, epsabs=0, epsrel=1e-11)[0])
    assert mixed.log_marginal_quadrature(parameters, 30)[0] == pytest.approx(total, abs=1e-7)
    value, gradient = mixed.log_marginal_quadrature(parameters, 30)
    for at, slope in enumerate(gradient):
        step = np.eye(5)[at] * 1e-4
        ahead, behind = (mixed.log_marginal_quadrature(parameters + side * step, 30)[0] for side in (1, -1))
        assert slope == pytest.approx((ahead - behind) / 2e-4, abs=2e-5 * max(1, abs(value)))
    # One node is Laplace.
    assert mixed.log_marginal_quadrature(parameters, 1)[0] == pytest.approx(mixed.log_marginal(parameters)[0], abs=1e-9)


@pytest.mark.parametrize("link", ["logit", "probit"])
def test_derivatives_of_one_answer(link: Link) -> None:
    cuts, h = np.array([-1.0, 0.3, 1.5]), 1e-5
    level = np.repeat(np.arange(4), 3)
    eta = np.tile([-1.3, 0.2, 2.4], 4)
    at = pieces(level, eta, cuts, link)
    more = at.derivatives()
    up, down = pieces(level, eta + h, cuts, link), pieces(level, eta - h, cuts, link)
    ends, distribution = np.concatenate(([-np.inf], cuts, [np.inf])), stats.logistic if link == "logit" else stats.norm
    p = distribution.cdf(ends[level + 1] - eta) - distribution.cdf(ends[level] - eta)
    assert at.value == pytest.approx(np.log(p), rel=1e-6)
    assert at.score == pytest.approx((up.value - down.value) / (2 * h), abs=1e-8)
    assert at.weight == pytest.approx(-(up.score - down.score) / (2 * h), abs=1e-8)
    assert more.weight_eta == pytest.approx((up.weight - down.weight) / (2 * h), abs=1e-7)
    # The first threshold is the upper cut of answer 0 and the lower one of answer 1.
    moved = [pieces(level, eta, cuts + shift, link) for shift in (np.array([h, 0, 0]), np.array([-h, 0, 0]))]
    for answer, name in ((0, "upper"), (1, "lower")):
        rows = level == answer
        by_value = (moved[0].value - moved[1].value)[rows] / (2 * h)
        assert getattr(more, name)[rows] == pytest.approx(by_value, abs=1e-8)
        by_score = (moved[0].score - moved[1].score)[rows] / (2 * h)
        assert getattr(more, f"score_{name}")[rows] == pytest.approx(by_score, abs=1e-8)
        by_weight = (moved[0].weight - moved[1].weight)[rows] / (2 * h)
        assert getattr(more, f"weight_{name}")[rows] == pytest.approx(by_weight, abs=1e-7)


def test_unused_levels_and_single_groups_change_nothing() -> None:
    plain = wine(judge=JUDGE)
    stretched = fit_ordinal(
        WINE.ravel() * 3 + 2,
        {"temp": TEMP, "contact": CONTACT},
        groups={"judge": JUDGE * 5, "taster": 8 - JUDGE, "house": np.zeros(72, dtype=int), "glass": np.arange(72)},
    )
    assert stretched.coefficients == pytest.approx(plain.coefficients)
    assert "taster: the same groups as judge, left out" in stretched.notes
    assert "house: one group, no random effect" in stretched.notes
    assert any(note.startswith("glass: one rating per group") for note in stretched.notes)


@pytest.mark.slow
def test_exchanging_the_sides_negates_the_effect_and_reversing_the_scale_too() -> None:
    fit = wine(judge=JUDGE)
    swapped = fit_ordinal(WINE.ravel(), {"temp": 1 - TEMP, "contact": CONTACT}, groups={"judge": JUDGE})
    reversed_scale = fit_ordinal(6 - WINE.ravel(), {"temp": TEMP, "contact": CONTACT}, groups={"judge": JUDGE})
    assert swapped.coefficients["temp"] == pytest.approx(-fit.coefficients["temp"], abs=1e-5)
    assert reversed_scale.coefficients["temp"] == pytest.approx(-fit.coefficients["temp"], abs=1e-5)
    assert reversed_scale.log_likelihood == pytest.approx(fit.log_likelihood)


def test_groups_that_cross_too_widely_are_refused() -> None:
    level, codes = design_data(0, n_prompts=30, n_raters=14)
    groups = {"rater": codes[2], "prompt": codes[1]}
    crossed = fit_ordinal(level, {"side": codes[0] % 2}, groups=groups, dense_limit=10)
    assert "at most 10 can be treated together" in crossed.reason


def test_malformed_arguments() -> None:
    with pytest.raises(ValueError, match="same length"):
        fit_ordinal(np.array([1, 2]), {"refined": np.array([0])}, groups={})
    with pytest.raises(ValueError, match="at least one"):
        fit_ordinal(np.array([1, 2]), {}, groups={})
    with pytest.raises(ValueError, match="n_nodes"):
        fit_ordinal(np.array([1, 2]), {"x": np.array([0, 1])}, groups={}, n_nodes=0)


def simulated(rng: np.random.Generator, image_sd: float) -> tuple[NDArray[np.int64], dict[str, NDArray[np.int64]]]:
    """Answers 0…4 and codes of 40 prompts, two images each, 3 of 15 raters per image; the second side is 0.8 higher."""
    image = np.repeat(np.arange(80), 3)
    rater = np.argsort(rng.random((80, 15)), axis=1)[:, :3].ravel()
    eta = 0.8 * (image % 2) + rng.normal(0, 0.7, 15)[rater] + rng.normal(0, 1, 40)[image // 2]
    eta += rng.normal(0, image_sd, 80)[image] + rng.logistic(size=240)
    return np.searchsorted([-2, -0.5, 1, 2.5], eta), {"prompts": image // 2, "raters": rater, "images": image}


@pytest.mark.slow
def test_standardised_errors_of_the_effect_are_standard_normal() -> None:
    """30 simulated studies; the coverage benchmark has many more."""
    rng = np.random.default_rng(8)
    errors = []
    for _ in range(30):
        level, codes = simulated(rng, 0.0)
        side = codes.pop("images") % 2
        fit = fit_ordinal(level, {"refined": side}, groups=codes)
        errors.append((fit.coefficients["refined"] - 0.8) / fit.standard_errors["refined"])
    # Mean 0 ± 1/√30 and variance χ²(29)/29: within 4 standard errors each.
    assert abs(np.mean(errors)) < 4 / sqrt(30)
    assert 0.35 < np.var(errors, ddof=1) < 2.1


def test_three_ratings_of_one_image_do_not_count_as_three_images() -> None:
    level, codes = simulated(np.random.default_rng(1), 1.5)
    side = codes["images"] % 2
    full = fit_ordinal(level, {"refined": side}, groups=codes)
    without = fit_ordinal(level, {"refined": side}, groups={name: codes[name] for name in ("prompts", "raters")})
    assert full.deviations["images"] == pytest.approx(1.5, abs=0.6)
    assert full.standard_errors["refined"] > 1.3 * without.standard_errors["refined"]


def test_what_leaves_the_fewest_groups_is_eliminated_first() -> None:
    rng = np.random.default_rng(0)
    image, rater = np.repeat(np.arange(40), 5), rng.integers(0, 150, 200)
    codes = [image, image // 4, rater, rater * 2 + image % 2]
    dense = [np.unique(code, return_inverse=True)[1] for code in codes]
    assert arrow.elimination_order(dense)[:2] == [3, 2]
    assert arrow.n_together(codes) == 40 + 10
    assert arrow.elimination_order([image, rater % 3]) == [0, 1]


def test_raters_who_never_differ_have_no_bound_and_take_no_time() -> None:
    """Six raters with the same answers: what prompts add to methods grows for ever. The search once took a minute."""
    prompt, method, seed, rater = (index.ravel() for index in np.indices((11, 4, 2, 6)))
    level = np.clip(np.rint(3.5 + 2 * np.sin(7 * prompt + 3 * method)), 1, 7).astype(np.int64) - 1
    groups = {
        "images": prompt * 8 + method * 2 + seed,
        "prompts": prompt,
        "raters": rater,
        "prompts × methods": prompt * 4 + method,
        "raters × methods": rater * 4 + method,
    }
    fixed = {str(at): (method == at).astype(np.int64) for at in range(1, 4)}
    start = time.process_time()
    fit = fit_ordinal(level, fixed, groups=groups)
    assert fit.reason == "the variance of prompts × methods has no bound in these ratings"
    assert time.process_time() - start < 6

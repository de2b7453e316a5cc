"""Figures of R's ordinal, lme4 and emmeans for published ratings: `tests/data/r_reference`, with its script."""

import csv
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import logit, ndtri

from annotations.stats.comparison.adjusted import adjusted_means
from annotations.stats.ordinal_model.largest_t import largest_t
from annotations.stats.ordinal_model.methods import ordinal_methods
from annotations.stats.ratings import Ratings
from tests.dsg_tifa160 import FOLDER

REFERENCE = Path(__file__).resolve().parents[1] / "data" / "r_reference" / "reference.csv"
METHODS = ["mini-dalle", "sd1dot1", "sd1dot5", "sd2dot1", "vq-diffusion"]


@cache
def reference(analysis: str) -> dict[str, float]:
    with REFERENCE.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["analysis"] == analysis]
    return {row["quantity"]: float(row["value"]) for row in rows}


@cache
def published() -> tuple[Ratings, NDArray[np.int64], NDArray[np.int64]]:
    """The ratings of sixty prompts by five raters, with the prompt and the method of each image."""
    with (FOLDER / "images.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    prompts = sorted({row["prompt_id"] for row in rows})[:60]
    rows = [row for row in rows if row["prompt_id"] in prompts]
    table = [[float(row[f"dsg_rater_{k}"] or "nan") for row in rows] for k in range(1, 6)]
    prompt = np.array([prompts.index(row["prompt_id"]) for row in rows])
    method = np.array([METHODS.index(row["model"]) for row in rows])
    return Ratings.from_matrix(table, [1, 2, 3, 4, 5]), prompt, method


def named(method: int) -> str:
    name = METHODS[method]
    return f"({name})" if "-" in name else name


def test_all_methods_in_one_model_are_those_of_clmm() -> None:
    ratings, prompt, method = published()
    right = reference("clmm")
    found = ordinal_methods(ratings, prompt=prompt, method=method, rng=np.random.default_rng(0))
    assert found.fit is not None
    assert len(ratings) == reference("data")["ratings"]
    assert found.fit.log_likelihood == pytest.approx(right["log_likelihood"], abs=1e-3)
    assert found.fit.thresholds == pytest.approx([right[f"{k}|{k + 1}"] for k in range(1, 5)], abs=2e-3)
    for at, name in enumerate(METHODS[1:], start=1):
        assert found.fit.coefficients[str(at)] == pytest.approx(right[f"method{name}"], abs=2e-3)
        assert found.fit.standard_errors[str(at)] == pytest.approx(right[f"se:method{name}"], rel=5e-3)
    for ours, theirs in (("images", "item"), ("prompts", "prompt"), ("raters", "rater")):
        assert found.fit.deviations[ours] == pytest.approx(right[f"sd:{theirs}"], abs=2e-3)
    assert found.fit.deviations["raters × methods"] == pytest.approx(right["sd:rater:method"], abs=2e-3)


def test_every_pair_and_its_simultaneous_interval_are_those_of_emmeans() -> None:
    ratings, prompt, method = published()
    right = reference("emmeans")
    found = ordinal_methods(ratings, prompt=prompt, method=method, rng=np.random.default_rng(0))
    assert found.fit is not None
    covariance = np.zeros((5, 5))
    covariance[1:, 1:] = found.fit.covariance
    pairs = [(first, second) for first in range(5) for second in range(first + 1, 5)]
    contrasts = np.zeros((10, 5))
    for row, (first, second) in enumerate(pairs):
        contrasts[row, [first, second]] = 1, -1
    of_pairs = contrasts @ covariance @ contrasts.T
    reach = largest_t(of_pairs, 1e9).quantile(0.95)
    by_pair = {(one.first, one.second): one.difference.value for one in found.pairs}
    by_pair |= {(second, first): -value for (first, second), value in by_pair.items()}
    for pair, variance in zip(pairs, np.diag(of_pairs), strict=True):
        name = f"{named(pair[0])} - {named(pair[1])}"
        assert by_pair[pair] == pytest.approx(right[f"difference:{name}"], abs=3e-3)
        assert np.sqrt(variance) == pytest.approx(right[f"se:{name}"], rel=5e-3)
        assert by_pair[pair] + reach * np.sqrt(variance) == pytest.approx(right[f"high:{name}"], abs=6e-3)


def several_images() -> tuple[Ratings, NDArray[np.int64], NDArray[np.int64]]:
    """Fifteen prompts, three methods, two images of each, four raters; drawn as the script does, by MINSTD."""
    state = 1

    def uniform(n: int) -> NDArray[np.float64]:
        nonlocal state
        drawn = np.zeros(n)
        for at in range(n):
            state = 16807 * state % 2147483647
            drawn[at] = state / 2147483647
        return drawn

    uniform(100)
    prompts, cells, images = ndtri(uniform(15)), 1.2 * ndtri(uniform(45)), 0.5 * ndtri(uniform(90))
    severity, tastes = 0.7 * ndtri(uniform(4)), 0.5 * ndtri(uniform(12))
    prompt, method, seed, rater = (index.ravel() for index in np.indices((15, 3, 2, 4)))
    item = prompt * 6 + method * 2 + seed
    latent = 0.6 * method + prompts[prompt] + cells[prompt * 3 + method] + images[item]
    latent += severity[rater] + tastes[rater * 3 + method] + logit(uniform(360))
    level = np.searchsorted([-2, -0.5, 1, 2.5], latent)
    unit = np.arange(90)
    return Ratings(item, rater, level, np.arange(1.0, 6), 90, 4), unit // 6, unit // 2 % 3


def test_several_images_of_a_method_and_prompt_are_those_of_clmm_with_prompt_by_method() -> None:
    ratings, prompt, method = several_images()
    right = reference("several images")
    found = ordinal_methods(ratings, prompt=prompt, method=method, rng=np.random.default_rng(0))
    assert found.fit is not None
    assert found.fit.log_likelihood == pytest.approx(right["log_likelihood"], abs=1e-5)
    assert found.fit.thresholds == pytest.approx([right[f"{k}|{k + 1}"] for k in range(4)], abs=1e-4)
    middle = (right["method1"] + right["method2"]) / 3
    assert found.thresholds == pytest.approx([right[f"{k}|{k + 1}"] - middle for k in range(4)], abs=1e-4)
    assert list(found.fit.coefficients.values()) == pytest.approx([right["method1"], right["method2"]], abs=1e-4)
    assert list(found.fit.standard_errors.values()) == pytest.approx(
        [right["se:method1"], right["se:method2"]], abs=1e-4
    )
    assert found.fit.covariance[0, 1] == pytest.approx(right["covariance"], abs=1e-4)
    theirs = {
        "images": "item",
        "prompts": "prompt",
        "raters": "rater",
        "prompts × methods": "prompt:method",
        "raters × methods": "rater:method",
    }
    for name, deviation in found.fit.deviations.items():
        assert deviation == pytest.approx(right[f"sd:{theirs[name]}"], abs=1e-4)
    assert len(found.fit.deviations) == 5


def test_adjusted_means_are_those_of_emmeans() -> None:
    ratings, prompt, method = published()
    right = reference("sparse")
    # The script's numbers count from 1.
    m, r, p = method[ratings.unit] + 1, ratings.rater + 1, prompt[ratings.unit] + 1
    kept = ((m * r + p) % 5 < 2) | ((m == r) & (p % 2 == 0))
    some = Ratings(
        ratings.unit[kept], ratings.rater[kept], ratings.level[kept], ratings.values, ratings.n_units, ratings.n_raters
    )
    assert len(some) == right["ratings"]
    found = adjusted_means(some, prompt=prompt, method=method)
    for one in found.methods:
        assert one.mean.value == pytest.approx(right[f"adjusted:{METHODS[one.method]}"], abs=1e-8)
        assert one.raw == pytest.approx(right[f"raw:{METHODS[one.method]}"], abs=1e-8)
    raters = np.array([right[f"rater:dsg_rater_{k}"] for k in range(1, 6)])
    assert found.severity == pytest.approx(raters - raters.mean(), abs=1e-8)

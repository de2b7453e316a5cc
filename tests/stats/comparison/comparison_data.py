"""Small designs of two methods on the same prompts, for the tests of the comparison."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotations.stats.ratings import Ratings
from tests import dsg_tifa160

Design = tuple[Ratings, NDArray[np.int64], NDArray[np.int64]]
"""ratings, prompt code per unit, method code per unit"""


def random_design(
    seed: int,
    *,
    n_prompts: int = 8,
    n_raters: int = 4,
    images: int = 2,
    missing: float = 0.4,
    scale: tuple[float, ...] = (1, 2, 3, 4, 5),
) -> Design:
    """Three methods, `images` images each per prompt, cells missing at random; units and ratings in random order."""
    rng = np.random.default_rng(seed)
    n_units = n_prompts * 3 * images
    prompt = np.repeat(np.arange(n_prompts), 3 * images)
    method = np.tile(np.repeat([0, 1, 2], images), n_prompts)
    shuffled = rng.permutation(n_units)
    prompt, method = prompt[shuffled], method[shuffled]
    rater, unit = np.nonzero(rng.random((n_raters, n_units)) >= missing)
    order = rng.permutation(len(unit))
    level = rng.integers(0, len(scale), len(unit))
    return Ratings(unit[order], rater[order], level, np.array(scale, dtype=float), n_units, n_raters), prompt, method


def paired_scores(baseline: list[float], refined: list[float], scale: tuple[float, ...] = (1, 2, 3, 4, 5)) -> Design:
    """One rater, one image a prompt and method: baseline[i] and refined[i] are the ratings of prompt i."""
    ratings = Ratings.from_matrix([baseline + refined], scale)
    n = len(baseline)
    return ratings, np.tile(np.arange(n), 2), np.repeat([0, 1], n)


def dsg_consistency() -> tuple[Design, list[str], dict[str, Any]]:
    """Five raters' consistency ratings of 800 images by five models; the models' names; the expected figures."""
    items = {row["item"]: row for row in dsg_tifa160.item_rows()}
    rows = [row for row in dsg_tifa160.rating_rows() if row["dimension"] == "consistency"]
    raters = sorted({row["rater"] for row in rows})
    prompts = sorted({row["item_id"] for row in items.values()})
    models = sorted({row["t2i_model"] for row in items.values()})
    places = {item: place for place, item in enumerate(items)}
    ratings = Ratings(
        np.array([places[row["item"]] for row in rows]),
        np.array([raters.index(row["rater"]) for row in rows]),
        np.array([int(row["value"]) - 1 for row in rows]),
        np.arange(1.0, 6.0),
        len(items),
        len(raters),
    )
    prompt = np.array([prompts.index(row["item_id"]) for row in items.values()])
    method = np.array([models.index(row["t2i_model"]) for row in items.values()])
    return (ratings, prompt, method), models, dsg_tifa160.expected()

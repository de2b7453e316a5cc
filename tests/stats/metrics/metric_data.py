"""Slow, obvious definitions and small data that several tests of metrics against people use."""

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotations.stats.metrics.pair_counts import PairCounts
from annotations.stats.ratings import Ratings
from tests import dsg_tifa160


def list_pairs(human: NDArray[Any], metric: NDArray[Any], epsilon: float = 0.0) -> PairCounts:
    """Every pair looked at, with the stated tolerance above ε."""
    tolerance = 1e-12 * np.abs(metric).max(initial=0) if epsilon else 0.0
    concordant = discordant = tied_human = tied_metric = tied_both = 0
    for i, j in itertools.combinations(range(len(human)), 2):
        same_human = human[i] == human[j]
        same_metric = abs(metric[i] - metric[j]) <= epsilon + tolerance
        if same_human and same_metric:
            tied_both += 1
        elif same_human:
            tied_human += 1
        elif same_metric:
            tied_metric += 1
        elif (human[i] < human[j]) == (metric[i] < metric[j]):
            concordant += 1
        else:
            discordant += 1
    return PairCounts(concordant, discordant, tied_human, tied_metric, tied_both)


def of_one_rater(values: list[float], scale: list[float] | None = None) -> Ratings:
    """Ratings of one rater, so that the units' means are these very values."""
    return Ratings.from_matrix([values], scale or sorted(set(values)))


@dataclass(frozen=True)
class DsgTifa:
    prompt: NDArray[np.int64]
    method: NDArray[np.int64]
    method_names: list[str]
    metrics: dict[str, NDArray[np.float64]]
    ratings: dict[str, Ratings]
    expected: dict[str, Any]


def read_dsg_tifa() -> DsgTifa:
    """The 800 images of 160 prompts with 19 metrics, rated by 5 and by 2 raters."""
    items = list(dsg_tifa160.item_rows())
    place = {row["item"]: index for index, row in enumerate(items)}
    metrics: dict[str, NDArray[np.float64]] = {}
    for row in dsg_tifa160.metric_rows():
        metrics.setdefault(row["metric"], np.full(len(items), np.nan))[place[row["item"]]] = float(row["value"])
    ratings = {}
    for dimension in ("consistency", "consistency_tifa"):
        mine = [row for row in dsg_tifa160.rating_rows() if row["dimension"] == dimension]
        raters, rater = np.unique([row["rater"] for row in mine], return_inverse=True)
        ratings[dimension] = Ratings(
            np.array([place[row["item"]] for row in mine]),
            rater,
            np.array([int(float(row["value"])) - 1 for row in mine]),
            np.arange(1.0, 6.0),
            len(items),
            len(raters),
        )
    names, method = np.unique([row["t2i_model"] for row in items], return_inverse=True)
    return DsgTifa(
        np.unique([row["item_id"] for row in items], return_inverse=True)[1],
        method,
        list(names),
        metrics,
        ratings,
        dsg_tifa160.expected(),
    )


def simulated(
    n_prompts: int,
    n_methods: int,
    rng: np.random.Generator,
    *,
    quality: tuple[float, ...] = (1.0, 1.0),
    prompt_error: float = 0.7,
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """A study in prompts: sums of three ratings (n,), metrics (len(quality), n), prompt and method codes (n,).

    Images of a prompt share part of their quality, and a metric errs alike on all images of a prompt, by a normal error
    of `prompt_error`, besides an error of its own for each image. Equal qualities make metrics exchangeable.
    """
    shape = (n_prompts, n_methods)
    latent = 0.6 * rng.normal(size=(n_prompts, 1)) + 0.8 * rng.normal(size=shape)
    noisy = latent[..., None] * 1.1 + 3.6 + 0.8 * rng.normal(size=(*shape, 3))
    human = np.clip(np.rint(noisy), 1, 5).sum(axis=2).astype(np.int64)
    scores = [
        weight * latent + prompt_error * rng.normal(size=(n_prompts, 1)) + 0.7 * rng.normal(size=shape)
        for weight in quality
    ]
    metrics = np.round(np.stack([score.ravel() for score in scores]), 1)
    return (
        human.ravel(),
        metrics,
        np.repeat(np.arange(n_prompts), n_methods),
        np.tile(np.arange(n_methods), n_prompts),
    )

"""The replay on real ratings: what docs/methods/adaptive.md says of it, within the error of few replays."""

import csv
from pathlib import Path

import numpy as np
import pytest

from tests import dsg_tifa160
from tests.benchmarks.adaptive_replay import (
    complete_ratings,
    counted_votes,
    prompt_differences,
    ratings_needed,
    replay_consensus,
    replay_means,
    replay_pairs,
)
from tests.stats.reference_data import FLEISS_1971

PREFERENCES = Path(__file__).resolve().parents[2] / "data" / "preferences"


@pytest.fixture(scope="module")
def dsg() -> tuple[list[str], np.ndarray]:
    return complete_ratings(dsg_tifa160.rating_rows(), "consistency")


def votes(name: str) -> list[np.ndarray]:
    with (PREFERENCES / f"{name}.csv").open(newline="") as file:
        return counted_votes(csv.DictReader(file))


def test_raters_are_asked_until_the_consensus_is_settled() -> None:
    # Of five: 3 equal settle it; 2 to 1 needs a fourth, and 3 to 1 is settled; 2 to 2 needs the fifth.
    ratings = np.array([[1, 1, 1, 0, 0], [1, 0, 1, 1, 0], [1, 0, 1, 0, 0], [0, 0, 0, 1, 1]])
    assert ratings_needed(ratings, 2, base=2, rule="open").tolist() == [3, 4, 5, 3]
    assert ratings_needed(ratings, 2, base=2, rule="differ").tolist() == [2, 5, 5, 2]


def test_the_same_consensus_costs_fewer_ratings(dsg: tuple[list[str], np.ndarray]) -> None:
    rng = np.random.default_rng(1)
    agreed = (dsg[1] >= 3).astype(np.int64)
    yes_or_no = replay_consensus(agreed, 2, base=2, kind="majority", replays=4, rng=rng)
    assert yes_or_no.share == pytest.approx(0.321, abs=0.01)
    median = replay_consensus(dsg[1], 5, base=2, kind="median", replays=4, rng=rng)
    assert median.share == pytest.approx(0.222, abs=0.015)
    diagnoses = FLEISS_1971.T.astype(np.int64) - 1
    assert replay_consensus(diagnoses, 5, base=2, kind="majority", replays=20, rng=rng).share == pytest.approx(
        0.150, abs=0.02
    )


def test_means_are_not_worth_further_raters_for_disputed_items(dsg: tuple[list[str], np.ndarray]) -> None:
    saving, bias = replay_means(dsg[1], 5, base=2, distance=1, replays=8, rng=np.random.default_rng(2))
    assert saving.share < -0.2
    assert abs(bias) < 0.03


def test_close_pairs_get_the_prompts_that_clear_ones_leave(dsg: tuple[list[str], np.ndarray]) -> None:
    rng = np.random.default_rng(3)
    citations = replay_pairs(votes("citations"), n_looks=4, alpha=0.05, replays=4, rng=rng)
    assert citations.saving.share == pytest.approx(0.41, abs=0.05)
    assert citations.wrong == 0
    images = replay_pairs(prompt_differences(*dsg), n_looks=4, alpha=0.05, replays=4, rng=rng)
    assert images.n_pairs == 10
    assert images.saving.share == pytest.approx(0.15, abs=0.06)
    # Nothing is decided: the looks cost a little, and nothing comes back.
    puddings = replay_pairs(votes("pudding"), n_looks=4, alpha=0.05, replays=2, rng=rng)
    assert (puddings.n_decided, puddings.n_pairs) == (0, 15)
    assert -0.03 < puddings.saving.share < 0

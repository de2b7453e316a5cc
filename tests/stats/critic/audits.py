"""Audits with a known truth, for the tests and the coverage simulation of the critic's figures."""

from dataclasses import dataclass

import numpy as np

from annotations.stats.critic.audit import CRITIC, PARTLY, RIGHT, WRONG, WRONG_IMAGE, Audit


@dataclass(frozen=True)
class Truth:
    """The figures that endless images of `simulate` would give, with a partly right claim counted half."""

    precision: float
    recall: float
    """Of errors on at least one list."""
    recall_of_all: float
    above_control: float

    @property
    def f1(self) -> float:
        return 2 * self.precision * self.recall / (self.precision + self.recall)


ERRORS, FOUND, PARTLY_SHARE, LISTS, CHANCE = 3.0, 0.6, 0.15, 2, 0.6
"""Mean errors of an image, share the critic finds, share of those it gets partly, auditors, share each one finds."""
CONTROL = 0.2
"""Chance that a claim about another image happens to be right."""


def truth_of(false_claims: float) -> Truth:
    credit = 1 - PARTLY_SHARE / 2
    precision = ERRORS * FOUND * credit / (ERRORS * FOUND + false_claims)
    listed = 1 - (1 - FOUND) * (1 - CHANCE) ** LISTS
    return Truth(precision, FOUND * credit / listed, FOUND * credit, precision - CONTROL)


def simulate(rng: np.random.Generator, n_images: int, *, false_claims: float = 1.0, clustering: float = 0.2) -> Audit:
    """An audit in which images differ: in how easy their errors are to the critic (beta-binomial with intra-image
    correlation `clustering`) and in how much it invents (gamma with variance 1/2 of the squared mean)."""
    n_errors = rng.poisson(ERRORS, n_images)
    scale = 1 / clustering - 1
    ease = rng.beta(FOUND * scale, (1 - FOUND) * scale, n_images)
    image = np.repeat(np.arange(n_images), n_errors)
    found = rng.random(len(image)) < ease[image]
    lists = rng.binomial(LISTS, CHANCE, len(image))
    n_false = rng.poisson(rng.gamma(2.0, false_claims / 2.0, n_images))
    false_image = np.repeat(np.arange(n_images), n_false)
    control_image = np.repeat(np.arange(n_images), rng.poisson(2.0, n_images))
    right = np.where(rng.random(int(found.sum())) < PARTLY_SHARE, PARTLY, RIGHT)
    lucky = np.where(rng.random(len(control_image)) < CONTROL, RIGHT, WRONG)
    missed = ~found & (lists > 0)
    return Audit(
        n_images,
        np.concatenate([image[found], false_image, control_image]),
        np.concatenate([right, np.full(len(false_image), WRONG), lucky]),
        source=np.repeat([CRITIC, WRONG_IMAGE], [int(found.sum()) + len(false_image), len(control_image)]),
        lists=np.concatenate([lists[found], np.zeros(len(false_image) + len(control_image), np.int64)]),
        missed_image=image[missed],
        missed_lists=lists[missed],
        n_auditors=LISTS,
    )

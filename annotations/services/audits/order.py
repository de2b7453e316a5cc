"""What each auditor sees first, and on which side: pure functions of the plan's seed."""

from collections.abc import Sequence
from math import floor

import numpy as np

BLOCK = 10
_LISTS_FIRST, _CLAIMS, _SIDES, _PLACEBO = 4, 5, 6, 7


def lists_first(*, share: float, seed: int, auditor: int, n_before: int) -> bool:
    """Whether an auditor's (n_before + 1)th image asks for their own list before the claims.

    Randomised in blocks of ten, so that after every tenth image the share is exact (up to rounding) for each auditor,
    and within a block the next image cannot be predicted.
    """
    block, place = divmod(n_before, BLOCK)
    n_first = floor((block + 1) * BLOCK * share + 1e-9) - floor(block * BLOCK * share + 1e-9)
    ranks = np.random.default_rng([seed, _LISTS_FIRST, auditor, block]).permutation(BLOCK)
    return bool(ranks[place] < n_first)


def claim_order(claims: Sequence[int], *, seed: int, auditor: int, item: int) -> list[int]:
    """The claims in the order in which one auditor judges them; critics and controls are mixed."""
    places = np.random.default_rng([seed, _CLAIMS, auditor, item]).permutation(len(claims))
    return [claims[int(place)] for place in places]


def is_mirrored(*, seed: int, auditor: int, item: int) -> bool:
    """Whether one auditor sees the refined image on the left."""
    return bool(np.random.default_rng([seed, _SIDES, auditor, item]).integers(2))


def placebo_choice(n_pairs: int, *, share: float, seed: int) -> list[int]:
    """Which pairs are also shown as placebos, the same image twice: a share of them, at least one if any are wanted."""
    n = min(n_pairs, max(1, round(share * n_pairs))) if share > 0 and n_pairs else 0
    return (
        sorted(int(i) for i in np.random.default_rng([seed, _PLACEBO]).choice(n_pairs, n, replace=False)) if n else []
    )

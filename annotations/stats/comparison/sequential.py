"""When may a study stop? Looking after every prompt, with an error rate that holds however often one looks.

A p-value or a 95% interval that is looked at again and again is wrong far more often than 5% of the time. We use a
*confidence sequence* for the mean paired difference. It is valid at all looks at once, so the looks need not be planned
or counted: stop when it excludes zero (or is narrow enough). Two kinds:

"bounded"     (the default) betting: Waudby-Smith and Ramdas (2024), JRSS B 86:1, hedged capital. The error rate holds
              at every n and for every distribution, since a difference on a scale is bounded.
"asymptotic"  Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2024), Annals of Statistics 52:2613, with Robbins' normal
              mixture: mean ± sd · √(2 (t ρ² + 1) / (t² ρ²) · log(√(t ρ² + 1) / α)). Narrower, but valid only in large
              samples: with very skewed differences it was wrong in 8% of simulated studies although its first look was
              at 100 prompts (25% with a first look at 30), so it does not decide by default.

Where the number of looks *is* planned, `group_sequential` gives bounds that waste less. All of this covers other
prompts only: the raters are taken as fixed.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from annotations.stats.arrays import FloatArray

Kind = Literal["asymptotic", "bounded"]

FIRST_LOOK = 100
"""Prompts before the asymptotic sequence may be looked at; docs/methods/comparison.md has the simulation behind it."""

_GRID = 401
"""Candidate means across twice the span of the scale; zero is one of them."""
_LARGEST_BET = 0.75
_CELLS = 2_000_000


@dataclass(frozen=True)
class ConfidenceSequence:
    """Bounds of the mean difference after 1, 2, … n prompts; all hold at once with probability ≥ 1 − alpha.

    low, high   (n,) running bounds, each the tightest so far; infinite before the first look of the asymptotic kind
    mean        (n,) running means
    stopped_at  number of prompts after which zero is excluded for the first time; None if it never is
    method      kind, tuning and first look in words
    """

    low: FloatArray
    high: FloatArray
    mean: FloatArray
    alpha: float
    stopped_at: int | None
    method: str
    reason: str = ""

    @property
    def decision(self) -> str:
        """Which method leads when zero is first excluded: "refined", "baseline", or "undecided" if it never is."""
        if self.stopped_at is None:
            return "undecided"
        return "refined" if self.low[self.stopped_at - 1] > 0 else "baseline"


def confidence_sequence(
    differences: NDArray[np.floating],
    *,
    bound: float,
    alpha: float = 0.05,
    kind: Kind = "bounded",
    aim: int = 100,
    first_look: int = FIRST_LOOK,
) -> ConfidenceSequence:
    """Bounds for the mean of paired differences (n,) that were completed in this order.

    bound  |difference| never exceeds it: the span of the scale (4 on 1…5). Raises ValueError where one does.
    aim, first_look   "asymptotic" only: the number of prompts at which it is tightest, and the number at which it may
                      first be looked at
    The order must not depend on the differences (order of completion, or shuffled by a seed).
    """
    d = np.asarray(differences, dtype=float)
    if not 0 < alpha < 1 or bound <= 0 or aim < 1 or first_look < 2:
        raise ValueError("alpha must lie between 0 and 1, bound and aim be positive, first_look at least 2")
    if len(d) and (not np.isfinite(d).all() or np.abs(d).max() > bound * (1 + 1e-9)):
        raise ValueError(f"a difference is missing or beyond ±{bound:g}, the span of the scale")
    name = "always-valid confidence sequence, "
    if kind == "bounded":
        name += "betting on bounded differences (exact)"
    else:
        name += f"asymptotic, tightest at {aim} prompts, no look before {first_look}"
    if len(d) == 0:
        return ConfidenceSequence(d, d, d, alpha, None, name, "no prompt has ratings of both methods")
    mean = np.cumsum(d) / np.arange(1, len(d) + 1)
    if kind == "bounded":
        low, high = _betting(d / bound, alpha)
        low, high = low * bound, high * bound
    else:
        low, high = _asymptotic(d, mean, alpha, aim, first_look)
    low, high = np.maximum.accumulate(low), np.minimum.accumulate(high)
    outside = (low > 0) | (high < 0)
    stopped_at = int(np.argmax(outside)) + 1 if outside.any() else None
    return ConfidenceSequence(low, high, mean, alpha, stopped_at, name)


def tuning(aim: int, alpha: float) -> float:
    """ρ that makes the asymptotic sequence tightest at `aim` prompts: the minimum over ρ of its width there."""

    def width(log_rho: float) -> float:
        scaled = aim * np.exp(2 * log_rho)
        return float((scaled + 1) / scaled * np.log(np.sqrt(scaled + 1) / alpha))

    from scipy import optimize  # takes a fifth of a second to import, and nothing else here needs it

    best = optimize.minimize_scalar(width, bounds=(-10, 5), method="bounded", options={"xatol": 1e-9})
    return float(np.exp(best.x))


def _asymptotic(
    d: FloatArray, mean: FloatArray, alpha: float, aim: int, first_look: int
) -> tuple[FloatArray, FloatArray]:
    t = np.arange(1, len(d) + 1)
    spread = np.maximum(np.cumsum(d**2) / t - mean**2, 0.0)
    rho2 = tuning(aim, alpha) ** 2
    half = np.sqrt(spread * 2 * (t * rho2 + 1) / (t**2 * rho2) * np.log(np.sqrt(t * rho2 + 1) / alpha))
    # Without variation so far there is no basis for a bound.
    unseen = (t < first_look) | (spread <= 1e-24)
    return np.where(unseen, -np.inf, mean - half), np.where(unseen, np.inf, mean + half)


def _betting(x: FloatArray, alpha: float) -> tuple[FloatArray, FloatArray]:
    """Hedged capital for means m of x in [−1, 1], on a grid of m; bounds are the nearest grid points refuted.

    Capital against m: ½ Π(1 + λᵢ (xᵢ − m)) + ½ Π(1 − λᵢ (xᵢ − m)), a nonnegative martingale if m is the mean; m is
    refuted for good once it reaches 1/α (Ville's inequality). Bets are predictable plug-ins (eq. 26 there, on a scale
    of width 2): λᵢ = √(2 log(2/α) / (s² i log(i + 1))) with s² the regularised variance before i, at most ¾/(1 + |m|).
    """
    i = np.arange(1, len(x) + 1)
    squares = np.cumsum((x - np.cumsum(x) / (i + 1)) ** 2)
    variance = (1.0 + np.concatenate(([0.0], squares[:-1]))) / i
    bets = np.sqrt(2 * np.log(2 / alpha) / (variance * i * np.log(i + 1)))
    grid = np.linspace(-1, 1, _GRID)
    step = (grid[1] - grid[0]) * (1 - 1e-6)
    low, high = np.empty(len(x)), np.empty(len(x))
    alive = np.ones(_GRID, dtype=bool)
    up, down = np.zeros(_GRID), np.zeros(_GRID)
    rows = max(1, _CELLS // _GRID)
    for start in range(0, len(x), rows):
        part = slice(start, start + rows)
        won = np.minimum(bets[part, np.newaxis], _LARGEST_BET / (1 + np.abs(grid))) * (x[part, np.newaxis] - grid)
        ups, downs = up + np.cumsum(np.log1p(won), axis=0), down + np.cumsum(np.log1p(-won), axis=0)
        capital = np.logaddexp(ups, downs) - np.log(2)
        kept = alive & ~np.logical_or.accumulate(capital >= -np.log(alpha), axis=0)
        # Up to the nearest grid point that is refuted, so that what lies between grid points stays covered.
        some = kept.any(axis=1)
        low[part] = np.where(some, grid[np.argmax(kept, axis=1)] - step, x[part])
        high[part] = np.where(some, grid[_GRID - 1 - np.argmax(kept[:, ::-1], axis=1)] + step, x[part])
        alive, up, down = kept[-1], ups[-1], downs[-1]
    return np.clip(low, -1, 1), np.clip(high, -1, 1)

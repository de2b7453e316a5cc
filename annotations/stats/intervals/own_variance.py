"""How much of a statistic's variance over units is due to the units themselves, rather than to who rated them and how.

Let ψ be what a unit adds to a statistic to first order, a mean over the unit's pairs of ratings of a kernel κ, and q
everything that all of its ratings have in common. Var ψ = Var E[ψ | q] + E Var[ψ | q]: the first part is what other
units would change, the second what other ratings of the same units would. Two ratings per unit cannot separate them.
Three can, from below: ratings of one unit are independent given q, so that a third rating says how E[ψ | q] goes with
the unit's level shares p(q), and two say how the shares vary. With c = Cov(E[ψ | q], p) and M = Cov(p),

    Var E[ψ | q] ≥ c' M⁻¹ c,

the variance that the best linear function of the shares explains (Cauchy–Schwarz), whatever the ratings' distribution.
The bound is our own; where ratings follow a latent quality with five levels it is nearly all of the variance
(docs/methods/agreement).
"""

import numpy as np
from numpy.typing import NDArray

from annotations.stats.arrays import FloatArray
from annotations.stats.intervals.pattern_families import PatternFamily

_FEWEST_UNITS = 50
"""With fewer units of three ratings than this, the two parts are not separated."""
MOST_LEVELS = 30
"""Longer scales are not used: they have too many shares to estimate, and the gradient's cost grows with the fourth
power of their number."""
_SURE = 3.0
"""The largest variance of M must be this many standard errors above zero; otherwise units hardly differ."""
_FLAT = 0.03
"""Directions of M with less than this share of the largest variance, or less than their standard error, are left out:
their inverse is noise."""
_CHUNK = 1 << 21
"""Numbers held at once: 16 MiB of doubles."""


def own_variance(
    rows: NDArray[np.int64], multiplicity: NDArray[np.int64], family: PatternFamily, gradient: FloatArray
) -> FloatArray:
    """(n_statistics,): a lower bound of n Var E[ψ | q], the units' own part of the variance of n units.

    rows (n_patterns, n_levels) are counts of ratings, multiplicity (n_patterns,) how many units have them; gradient
    (n_features, n_statistics) takes a unit's features to ψ. n counts the units with three ratings or more; for the
    others nothing is known and nothing is added. The sampling variance of c is subtracted from c' M⁻¹ c, direction by
    direction. Never below 0; 0 with fewer than 50 such units and where it is not certain that units differ.
    """
    n_levels, n_statistics = rows.shape[1], gradient.shape[1]
    size = rows.sum(axis=1)
    rich = size >= 3
    n = int(multiplicity[rich].sum())
    if n < _FEWEST_UNITS:
        return np.zeros(n_statistics)
    counts, size, weight = rows[rich].astype(float), size[rich].astype(float), multiplicity[rich] / n
    shares = counts / size[:, None]
    mean_share = weight @ shares
    variance, direction = _ways_units_differ(counts, size, weight, n)
    if len(variance) == 0:
        return np.zeros(n_statistics)
    kernels = {m: _kernel(family, gradient, m, n_levels) for m in np.unique(size)}

    step = max(1, _CHUNK // (n_levels * n_statistics))
    chunks = [slice(first, first + step) for first in range(0, len(counts), step)]
    mean_effect, joint = np.zeros(n_statistics), np.zeros((n_levels, n_statistics))
    for part in chunks:
        effect, beside = _beside_a_rating(counts[part], size[part], kernels)
        mean_effect += weight[part] @ effect
        joint += np.tensordot(weight[part], beside, axes=1)
    covariance = direction.T @ (joint - np.outer(mean_share, mean_effect))
    first, square = np.zeros_like(covariance), np.zeros_like(covariance)
    for part in chunks:
        effect, beside = _beside_a_rating(counts[part], size[part], kernels)
        # What one unit adds to the covariance, the means' own estimation included.
        beside -= mean_share[:, None] * effect[:, None, :]
        beside -= shares[part][:, :, None] * mean_effect
        along = np.einsum("kd,pks->pds", direction, beside)
        first += np.tensordot(weight[part], along, axes=1)
        square += np.tensordot(weight[part], along**2, axes=1)
    noise = (square - first**2) / (n - 1)
    explained = ((covariance**2 - noise) / variance[:, None]).sum(axis=0)
    return np.asarray(n * np.maximum(explained, 0.0))


def _ways_units_differ(
    counts: FloatArray, size: FloatArray, weight: FloatArray, n: int
) -> tuple[FloatArray, FloatArray]:
    """Eigenvalues (k,) and eigenvectors (n_levels, k) of M, the covariance of the units' level shares: those kept."""
    shares, pairs = counts / size[:, None], size * (size - 1)
    mean = weight @ shares
    second = (counts * (weight / pairs)[:, None]).T @ counts - np.diag(weight / pairs @ counts)
    variance, direction = np.linalg.eigh(second - np.outer(mean, mean))
    # What one unit adds to each variance, the mean's own estimation included.
    adds = ((counts @ direction) ** 2 - counts @ direction**2) / pairs[:, None]
    adds -= 2 * (shares @ direction) * (mean @ direction)
    error = np.sqrt(np.maximum(weight @ adds**2 - (weight @ adds) ** 2, 0.0) / (n - 1))
    kept = (variance > _FLAT * variance[-1]) & (variance > error)
    if not variance[-1] > _SURE * error[-1]:
        kept[:] = False
    return variance[kept], direction[:, kept]


def _kernel(family: PatternFamily, gradient: FloatArray, m: float, n_levels: int) -> FloatArray:
    """(n_levels, n_levels, n_statistics): κ, with ψ of m ratings its mean over ordered pairs of different ratings.

    Every family's features are sums over pairs and over single ratings for a given m, so that κ comes from ψ of
    units whose ratings agree, all or all but one: ψ(all a) = κ_aa, and ψ(one b, else a) = ((m − 2) κ_aa + 2 κ_ab)/m.
    """
    each = np.eye(n_levels)
    agreed = np.asarray(family.features(m * each) @ gradient)
    but_one = np.asarray(family.features(((m - 1) * each[:, None] + each).reshape(-1, n_levels)) @ gradient)
    kernel = (m * but_one.reshape(n_levels, n_levels, -1) - (m - 2) * agreed[:, None]) / 2
    kernel[np.arange(n_levels), np.arange(n_levels)] = agreed
    return kernel


def _beside_a_rating(
    counts: FloatArray, size: FloatArray, kernels: dict[float, FloatArray]
) -> tuple[FloatArray, FloatArray]:
    """ψ (n, n_statistics), and (n, n_levels, n_statistics): means over three different ratings a, b, c of a unit of
    κ_ab [c at the level]."""
    n_statistics = next(iter(kernels.values())).shape[2]
    effect = np.empty((len(counts), n_statistics))
    beside = np.empty((*counts.shape, n_statistics))
    for m in np.unique(size):
        at = size == m
        kernel, some = kernels[m], counts[at]
        itself = np.einsum("aas->as", kernel)
        one = np.tensordot(some, kernel, axes=(1, 1))  # Σ_b r_b κ_ab
        pairs = np.einsum("pa,pas->ps", some, one) - some @ itself
        effect[at] = pairs / (m * (m - 1))
        without = pairs[:, None, :] - 2 * one + 2 * itself
        beside[at] = some[:, :, None] * without / (m * (m - 1) * (m - 2))
    return effect, beside

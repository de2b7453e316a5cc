"""The marginal likelihood of a cumulative link model with random intercepts, by Laplace's approximation.

The random effects are integrated out around their mode: log L ≈ ℓ(û) − û'û/2 − ½ log |H(û)|, exact for Gaussian
integrands. With one factor, adaptive Gauss–Hermite quadrature replaces it to any accuracy (Pinheiro and Bates 1995;
Liu and Pierce 1994). The gradient of the Laplace form is analytic; it includes that the mode moves with the parameters.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special
from scipy.special import roots_hermite

from annotations.stats.arrays import FloatArray
from annotations.stats.ordinal_model.ascent import OutOfReach
from annotations.stats.ordinal_model.cumulative_link import Link, Pieces, pieces
from annotations.stats.ordinal_model.random_intercepts import Design, Factored

_STEPS = 60
_TIGHT = 1e-9
_SHORT = 0.1
"""The length of a step between parameters, in the link's units, beyond which the last mode is a better start than its
tangent."""


class NoMode(OutOfReach):
    """The random effects' mode was not found: the parameters are far from any that fit."""


@dataclass(frozen=True)
class Working:
    """A fit at its maximum, in terms of single ratings.

    score, weight  (n,) first and minus second derivatives of each rating's log-likelihood by its predictor
    effects        of each random factor, (n_groups,), at their mode and in the predictor's units
    """

    score: FloatArray
    weight: FloatArray
    effects: tuple[FloatArray, ...] = ()


@dataclass(frozen=True)
class Plain:
    """A cumulative link model without random effects: level (n,) in 0…J−1, fixed (n, p)."""

    level: NDArray[np.int64]
    fixed: FloatArray
    n_levels: int
    link: Link

    def split(self, parameters: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Thresholds (J−1,), coefficients (p,), standard deviations (n_factors,)."""
        cuts, p = self.n_levels - 1, self.fixed.shape[1]
        return parameters[:cuts], parameters[cuts : cuts + p], parameters[cuts + p :]

    def log_likelihood(self, parameters: FloatArray) -> tuple[float, FloatArray]:
        """The log-likelihood and its gradient by (thresholds, coefficients)."""
        thresholds, coefficients, _ = self.split(parameters)
        at = pieces(self.level, self.fixed @ coefficients, thresholds, self.link)
        more = at.derivatives()
        cuts = cut_sums(self.level, self.n_levels, more.upper, more.lower)
        return float(at.value.sum()), np.concatenate((cuts, self.fixed.T @ at.score))

    def working(self, parameters: FloatArray) -> Working:
        thresholds, coefficients, _ = self.split(parameters)
        at = pieces(self.level, self.fixed @ coefficients, thresholds, self.link)
        return Working(at.score, at.weight)


@dataclass(frozen=True)
class _Mode:
    """What was found at one mode: H, the sums of the scores by group, and derivatives by answer."""

    parameters: FloatArray
    mode: FloatArray
    factored: Factored
    scores: FloatArray
    weight: FloatArray
    score_upper: FloatArray
    score_lower: FloatArray


@dataclass
class Mixed:
    """The same model with random intercepts; `mode` is their last mode, where the next search for it starts.

    follows: start the next search where the mode is expected from how it moves with the parameters, for short steps
    between them. It saves most of a search, and costs memory.
    """

    plain: Plain
    design: Design
    mode: FloatArray
    follows: bool = False
    within: float = _TIGHT**2
    """The search for the mode ends where a step would gain less than this for each random effect."""
    _last: "_Mode | None" = None

    def log_marginal(self, parameters: FloatArray) -> tuple[float, FloatArray]:
        """The Laplace log-likelihood and its gradient by (thresholds, coefficients, standard deviations)."""
        thresholds, coefficients, deviations = self.plain.split(parameters)
        if self.follows and self._last is not None:
            self.mode = self._expected(self._last, parameters)
        at, factored, scale = self._find_mode(thresholds, coefficients, deviations)
        design = self.design
        value = float(at.value.sum() - self.mode @ self.mode / 2 - factored.log_determinant / 2)
        leverage = factored.leverages()
        more = at.derivatives()
        bend = more.weight_eta * leverage / 2
        # How half the log determinant changes with each random effect, and what that does through the mode.
        pull = factored.solve(scale * design.by_group(bend))
        shift = design.at_ratings(scale * pull)
        by_predictor = at.score - bend + at.weight * shift
        cuts = cut_sums(
            self.plain.level,
            self.plain.n_levels,
            more.upper - more.weight_upper * leverage / 2 - shift * more.score_upper,
            more.lower - more.weight_lower * leverage / 2 - shift * more.score_lower,
        )
        scores = design.by_group(at.score)
        through = self.mode * design.by_group(by_predictor) - pull * scores
        by_factor = np.array([part.sum() for part in np.split(through, design.offsets[1:-1])])
        own = self._own(factored, deviations, float(at.weight @ leverage))
        if self.follows:
            self._last = _Mode(parameters, self.mode, factored, scores, at.weight, more.score_upper, more.score_lower)
        return value, np.concatenate((cuts, self.plain.fixed.T @ by_predictor, by_factor - own))

    def _expected(self, last: "_Mode", parameters: FloatArray) -> FloatArray:
        """Where the mode of these parameters is, to first order in how far they are from the last ones."""
        design, level = self.design, self.plain.level
        cuts, coefficients, deviations = self.plain.split(parameters - last.parameters)
        if np.abs(parameters - last.parameters).max() > _SHORT:
            return last.mode
        moved = np.concatenate(([0.0], cuts, [0.0]))
        scores = last.score_upper * moved[level + 1] + last.score_lower * moved[level]
        of_sides = self.plain.fixed @ coefficients
        scores -= last.weight * (of_sides + design.at_ratings(design.spread(deviations) * last.mode))
        scale = design.spread(last.factored.deviations)
        slope = scale * design.by_group(scores) + design.spread(deviations) * last.scores
        return last.mode + last.factored.solve(slope)

    def log_marginal_quadrature(self, parameters: FloatArray, n_nodes: int) -> tuple[float, FloatArray]:
        """The log-likelihood by adaptive Gauss–Hermite quadrature, and its gradient; one factor only.

        The gradient is the mean over the nodes of the ratings' own derivatives, as that of the integral is. That nodes
        move with the parameters changes the sum only by its error, and so is left out.
        """
        thresholds, coefficients, deviations = self.plain.split(parameters)
        _, factored, _ = self._find_mode(thresholds, coefficients, deviations)
        code, n_groups, level = self.design.codes[0], self.design.sizes[0], self.plain.level
        nodes, weights = roots_hermite(n_nodes)
        width = np.sqrt(2 * factored.diagonal(0))
        effect = self.mode[:, np.newaxis] + width[:, np.newaxis] * nodes
        base = self.plain.fixed @ coefficients
        at = [pieces(level, base + deviations[0] * each[code], thresholds, self.plain.link) for each in effect.T]
        joint = np.column_stack([np.bincount(code, each.value, minlength=n_groups) for each in at]) - effect**2 / 2
        terms = joint + np.log(weights) + nodes**2
        log_sum = special.logsumexp(terms, axis=1)
        share = np.exp(terms - log_sum[:, np.newaxis])
        cuts, by_predictor, by_deviation = np.zeros(len(thresholds)), np.zeros(len(level)), 0.0
        for each, of_group, here in zip(at, share.T, effect.T, strict=True):
            more, part = each.derivatives(), of_group[code]
            cuts += cut_sums(level, self.plain.n_levels, part * more.upper, part * more.lower)
            by_predictor += part * each.score
            by_deviation += float((part * each.score) @ here[code])
        gradient = np.concatenate((cuts, self.plain.fixed.T @ by_predictor, [by_deviation]))
        return float(np.sum(log_sum + np.log(width) - np.log(2 * np.pi) / 2)), gradient

    def working(self, parameters: FloatArray) -> Working:
        at, _, scale = self._find_mode(*self.plain.split(parameters))
        effects = np.split(scale * self.mode, self.design.offsets[1:-1])
        return Working(at.score, at.weight, tuple(effects))

    def _find_mode(
        self, thresholds: FloatArray, coefficients: FloatArray, deviations: FloatArray
    ) -> tuple[Pieces, Factored, FloatArray]:
        """Newton's method with halved steps for the concave ℓ(u) − u'u/2; leaves the mode in `self.mode`."""
        design = self.design
        scale = design.spread(deviations)
        level, link = self.plain.level, self.plain.link
        base = self.plain.fixed @ coefficients
        mode = self.mode
        at = pieces(level, base + design.at_ratings(scale * mode), thresholds, link)
        value = at.value.sum() - mode @ mode / 2
        for _ in range(_STEPS):
            slope = scale * design.by_group(at.score) - mode
            factored = design.factor(at.weight, deviations)
            step = factored.solve(slope)
            gain = float(slope @ step)
            if gain < self.within * max(1.0, len(mode)):
                self.mode = mode
                return at, factored, scale
            size = 1.0
            while True:
                tried = mode + size * step
                new = pieces(level, base + design.at_ratings(scale * tried), thresholds, link)
                reached = new.value.sum() - tried @ tried / 2
                if reached >= value - 1e-12 * abs(value):
                    break
                size /= 2
                if size < 1e-8:
                    raise NoMode("no step towards the mode of the random effects raises the likelihood")
            mode, at, value = tried, new, reached
        raise NoMode("the mode of the random effects was not reached")

    def _own(self, factored: Factored, deviations: FloatArray, total: float) -> FloatArray:
        """∂(½ log |H|)/∂σ with the weights held: (groups − trace of that block of H⁻¹) / σ; 0 at σ = 0 by symmetry.

        total: the sum of weight · leverage, which is the sum of (groups − trace) over the factors; with it, the trace
        of the first and largest factor need not be computed.
        """
        sizes = self.design.sizes
        excess = [size - float(factored.diagonal(f).sum()) for f, size in enumerate(sizes[1:], start=1)]
        all_of_them = np.array([total - sum(excess), *excess])
        return np.divide(all_of_them, deviations, out=np.zeros(len(sizes)), where=deviations != 0)


def cut_sums(level: NDArray[np.int64], n_levels: int, upper: FloatArray, lower: FloatArray) -> FloatArray:
    """(J−1,) sums by threshold: the answer j has threshold j above it and j − 1 below."""
    above = np.bincount(level, weights=upper, minlength=n_levels)[:-1]
    below = np.bincount(level, weights=lower, minlength=n_levels)[1:]
    return np.asarray(above + below, dtype=np.float64)

"""How much raters differ in their preferences, and what that adds to the variance of methods' effects.

A fitted model gives every rater × method its own effect by one Newton step from the mode of the random effects. What
remains of that table once raters and methods are subtracted is its interaction, the error term of methods in the
analysis of variance with raters at random (Scheffé 1959, chapter 8). Unlike the maximum-likelihood variance it has no
bound at zero, and known degrees of freedom: a study in which raters seem not to differ still shows how certain that is.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import special

from annotations.stats.arrays import FloatArray, IntArray, totals
from annotations.stats.ordinal_model.fit import OrdinalFit

CROSSED = "raters × methods"
"""The random factor of the model in which raters' preferences are."""
PROMPTS_CROSSED = "prompts × methods"
"""The random factor for how differently prompts suit the methods; if each method has one image per prompt, the image's
effect."""
_LEAST = 0.01
"""A ratio below the one that chance gives in this share of studies is raised to it, for raters who agree to the last
digit."""


@dataclass(frozen=True)
class BetweenRaters:
    """The interaction of raters and methods.

    ratio     its mean square over the one expected from the ratings' own spread; 1 on average without an interaction
    variance  the deviation² of rater × method that it amounts to; negative where the ratio is below 1
    freedom   degrees of freedom: the table's, times Huynh & Feldt's (1976) ε, which is below 1 where raters differ
              about some methods more than about others, and never fewer than one less than there are raters
    shares    (k,) Σ n²/(Σ n)² of the raters' numbers of ratings n: one over how many there are, if equally many
    n_raters  raters who contribute to it
    """

    ratio: float
    variance: float
    freedom: float
    shares: FloatArray
    n_raters: int

    def of(
        self, contrasts: FloatArray, covariance: FloatArray, deviation: float, by_images: FloatArray, df_prompts: float
    ) -> tuple[FloatArray, FloatArray]:
        """Variances (m,) of contrasts (m, k) of the methods' effects over prompts and raters, and degrees of freedom.

        covariance (k, k) of the model, in which `deviation` is that of rater × method; by_images (k,) the part of each
        method's variance that images make. The model's rater part is replaced by the table's. The images' part of the
        sum is as uncertain as prompts are, and the rest is as uncertain as the table (Satterthwaite 1946).

        With two methods the degrees of freedom are the geometric mean of Satterthwaite's and the fewest possible, those
        of the table or of prompts. Satterthwaite's alone are too many in the studies where raters seem to differ less
        than they do (docs/methods/coverage.md). With more methods tests are not too liberal by Satterthwaite's.
        """
        squares = contrasts**2
        whole = np.einsum("mi,ij,mj->m", contrasts, covariance, contrasts, optimize=True)
        per_variance = squares @ self.shares
        rest = np.maximum(whole - deviation**2 * per_variance, 1e-9 * whole)
        images = np.minimum(squares @ by_images, rest)
        noise = rest - images
        raters = noise * self.ratio if self.ratio < 1 else noise + self.variance * per_variance
        total = raters + images
        freedom = total**2 / (raters**2 / self.freedom + images**2 / df_prompts)
        if contrasts.shape[1] == 2:
            freedom = np.sqrt(freedom * min(self.freedom, df_prompts))
        return total, freedom


def between_raters(
    fit: OrdinalFit, groups: Mapping[str, IntArray], method: IntArray, *, within: bool = True
) -> BetweenRaters | None:
    """From a fit of ratings of these groups (n,) and methods (n,) 0, 1, 2…; None where the table has no interaction.

    within: raters of several methods, each less their severity; else all raters, who rated one method each.
    """
    working = fit.working
    if working is None:
        return None
    rater = np.unique(groups["raters"], return_inverse=True)[1]
    taken = _share_taken(fit, groups, int(rater.max()) + 1)
    own = fit.effects.get(CROSSED if within else "raters")
    k = int(method.max()) + 1
    size = (int(rater.max()) + 1, k)
    cell = rater * k + method
    weight = totals(cell, working.weight, size[0] * k)
    effect = np.divide(totals(cell, working.score, len(weight)), weight, out=np.zeros_like(weight), where=weight > 0)
    if own is not None:
        effect[np.unique(cell)] += own
    counts = totals(cell, np.ones(len(cell)), len(weight)).reshape(size)
    shares = (counts**2).sum(axis=0) / counts.sum(axis=0) ** 2
    w, d = weight.reshape(size), effect.reshape(size)
    used = (w > 0).sum(axis=1) > int(within)
    w, d = w[used], d[used]
    of_rater = w.sum(axis=1, keepdims=True)
    part = w / of_rater if within else np.zeros_like(w)
    inner = np.diag(w.sum(axis=0)) - part.T @ w
    inverse = np.linalg.pinv(inner, hermitian=True)
    rank = int(np.linalg.matrix_rank(inner, hermitian=True))
    df = int((w > 0).sum()) - (int(used.sum()) if within else 0) - rank
    if df < 1:
        return None
    of_methods = inverse @ ((w * d).sum(axis=0) - w.T @ (part * d).sum(axis=1))
    left = d - of_methods
    left -= (part * left).sum(axis=1, keepdims=True)
    kept = 1 - taken
    squares = w * left**2 / kept
    spent = w**2
    crossed = spent.T @ part
    bent = np.diag(spent.sum(axis=0)) - crossed - crossed.T + (part * spent.sum(axis=1, keepdims=True)).T @ part
    per_variance = float(w.sum() - (part * w).sum() - (inverse * bent).sum()) * kept
    ratio = max(float(squares.sum()) / df, float(special.chdtri(df, 1 - _LEAST)) / df)
    variance = (ratio - 1) * df / per_variance
    n_raters = int(used.sum())
    fewest = n_raters - (1 if within else rank)
    freedom = max(df * _evenness(np.sqrt(w) * left), float(min(df, fewest))) if within else float(df)
    return BetweenRaters(ratio, variance, freedom, shares, n_raters)


def variance_of_groups(
    fit: OrdinalFit, groups: Mapping[str, IntArray], method: IntArray, names: Iterable[str]
) -> FloatArray:
    """(k,) the part of each method's variance that these factors' groups make, none of which has several methods."""
    k = int(method.max()) + 1
    found = np.zeros(k)
    for name in names:
        if not fit.deviations.get(name):
            continue
        code = np.unique(groups[name], return_inverse=True)[1]
        counts = np.bincount(code).astype(float)
        of_group = np.zeros(len(counts), np.int64)
        of_group[code] = method
        squares, all_of_them = totals(of_group, counts**2, k), totals(of_group, counts, k)
        found += fit.deviations[name] ** 2 * squares / all_of_them**2
    return found


def _share_taken(fit: OrdinalFit, groups: Mapping[str, IntArray], n_raters: int) -> float:
    """The share of a rating's deviation that the effect of its image takes away, on average.

    Where all raters rate an image, its effect takes the same from all of them, which does not matter; that much is left
    out, as if raters were drawn at random for each image.
    """
    variance = fit.deviations.get("images", 0.0) ** 2
    if n_raters < 2 or variance == 0 or fit.working is None:
        return 0.0
    image, weight = np.unique(groups["images"], return_inverse=True)[1], fit.working.weight
    of_image = totals(image, weight, int(image.max()) + 1)
    taken = variance * weight / (1 + variance * of_image[image])
    others = len(image) / len(of_image)
    return float(weight @ taken / weight.sum()) * max(n_raters - others, 0.0) / (n_raters - 1)


def _evenness(left: FloatArray) -> float:
    """Huynh & Feldt's (1976) ε of the interaction (R, k): 1 where all contrasts vary alike, at least 1/(k − 1).

    It corrects Greenhouse & Geisser's (1959), which is too small where raters are few: with three raters whose tastes
    in five methods differ equally, intervals cover .99 with that and .96 with this.
    """
    spread = left.T @ left
    total, n = float(np.trace(spread)), len(left)
    k = int((np.diag(spread) > 0).sum())
    if k < 3 or total == 0:
        return 1.0
    least = 1 / (k - 1)
    plain = float(np.clip(total**2 / ((k - 1) * float((spread**2).sum())), least, 1.0))
    below = (k - 1) * (n - 1 - (k - 1) * plain)
    return float(np.clip((n * (k - 1) * plain - 2) / below, least, 1.0)) if below > 0 else 1.0

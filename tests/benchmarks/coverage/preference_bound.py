"""How often may a test over prompts and raters err where raters are alike, if it errs in 5% at most where they differ?

Run: python -m tests.benchmarks.coverage.preference_bound

Model: the lead of one method has the mean y over R raters, who all voted on the same prompts. In units of the noise of
one rater's mean, y ~ N(0, w + v/R) under the null, and the variance of the raters' means is s² ~ v χ²/(R − 1). v = 1:
raters are alike; above it they differ. w is the prompts' part. The noise and w are taken as known, which only helps.

A test is a probability of rejecting for each y and s². `highest_error` finds the test that errs most often at one v
among those that err in at most `cap` at every v ≥ 1 and are coherent: a lead that is not significant over prompts
alone, |y| ≤ 1.96 √(w + 1/R), is not significant over prompts and raters either, and p never falls with a smaller lead
or with raters who are further apart. It is found by linear programming over a grid of y and s², a method for tests
with a nuisance parameter (Elliott, Müller & Watson 2015, Econometrica 83:771).

`errors` simulates tests of this model, with the product's own variance and degrees of freedom first.
"""

import numpy as np
from scipy import optimize, sparse, stats

from annotations.stats.distributions import t_quantile
from annotations.stats.intervals.crossed_clusters import combined, combined_freedom

RATERS = (3, 5, 8, 12, 20)
PROMPTS = 60
DIFFER = np.exp(np.linspace(0, np.log(60), 35))
WORLDS = {"exactly alike, prompts alike": (0.0, 1.0), "exactly alike": (0.11, 1.0), "tastes of .1": (0.11, 1.27)}
"""w and v: the last are those of "two null alike" of `preferences`, the win rate of two methods."""


def highest_error(
    n_raters: int,
    w: float,
    v: float,
    *,
    cap: float = 0.05,
    coherent: bool = True,
    n_leads: int = 50,
    n_spreads: int = 60,
) -> float:
    """The largest probability of rejecting at v; without `coherent` a lead of any size may be significant."""
    least = stats.norm.isf(0.025) * np.sqrt(w + 1 / n_raters) if coherent else 1e-3
    leads = np.r_[least * np.exp(np.linspace(0, np.log(25 if coherent else 25e3), n_leads)), np.inf]
    spreads = np.r_[0, np.exp(np.linspace(np.log(0.02), np.log(200), n_spreads)), np.inf]

    def chances(at: float) -> np.ndarray:
        of_lead = -2 * np.diff(stats.norm.sf(leads / np.sqrt(w + at / n_raters)))
        of_spread = np.diff(stats.chi2.cdf((n_raters - 1) * spreads / at, n_raters - 1))
        return np.outer(of_lead, of_spread)

    cell = np.arange((len(leads) - 1) * (len(spreads) - 1)).reshape(len(leads) - 1, -1)
    at_most = [sparse.csr_array(np.array([chances(at).ravel() for at in sorted({*DIFFER, v})]))]
    limits = [np.full(at_most[0].shape[0], cap)]
    if coherent:
        eye = sparse.eye_array(cell.size, format="csr")
        for smaller, larger in ((cell[:-1], cell[1:]), (cell[:, 1:], cell[:, :-1])):
            at_most.append(eye[smaller.ravel()] - eye[larger.ravel()])
            limits.append(np.zeros(smaller.size))
    found = optimize.linprog(
        -chances(v).ravel(),
        A_ub=sparse.vstack(at_most),
        b_ub=np.concatenate(limits),
        bounds=(0, 1),
        method="highs-ipm",
    )
    return -float(found.fun)


def errors(n_raters: int, w: float, v: float, n_studies: int, rng: np.random.Generator) -> dict[str, float]:
    """How often tests at 5% reject under the null: the one in use, and others that were tried."""
    rest = (PROMPTS - 1) * (n_raters - 1)
    lead = np.abs(rng.normal(size=n_studies) * np.sqrt(w + v / n_raters))
    raters = v * rng.chisquare(n_raters - 1, n_studies) / (n_raters - 1) / n_raters
    prompts = (w + 1 / n_raters) * rng.chisquare(PROMPTS - 1, n_studies) / (PROMPTS - 1)
    votes = rng.chisquare(rest, n_studies) / rest / n_raters
    both = combined(prompts, raters, votes)
    component = np.maximum(raters - votes, 0)
    reduced = prompts + component
    squares = component**2 / (n_raters - 1) + prompts**2 / (PROMPTS - 1)
    rules = {
        "in use": (both, combined_freedom(both, prompts, PROMPTS, raters, n_raters)),
        "t(R − 1)": (both, np.full(n_studies, n_raters - 1.0)),
        "raters' component alone": (reduced, reduced**2 / squares),
        "t of raters' means": (raters, np.full(n_studies, n_raters - 1.0)),
    }
    found = {
        name: float(np.mean(lead > t_quantile(0.975, freedom) * np.sqrt(variance)))
        for name, (variance, freedom) in rules.items()
    }
    return found | {"t of raters' means is narrower than prompts'": float(_narrower(raters, prompts, n_raters).mean())}


def _narrower(raters: np.ndarray, prompts: np.ndarray, n_raters: int) -> np.ndarray:
    over_raters = t_quantile(0.975, n_raters - 1) * np.sqrt(raters)
    return np.asarray(over_raters < t_quantile(0.975, PROMPTS - 1) * np.sqrt(prompts))


def main() -> None:
    rng = np.random.default_rng(20261130)
    for n_raters in RATERS:
        for name, (w, v) in WORLDS.items():
            bounds = ", ".join(f"{highest_error(n_raters, w, v, cap=cap):.3f} (at most {cap})" for cap in (0.05, 0.06))
            own = ", ".join(f"{rule} {share:.3f}" for rule, share in errors(n_raters, w, v, 200_000, rng).items())
            print(f"{n_raters} raters, {name}: highest possible {bounds}; {own}", flush=True)
        for w in (0.0, 0.11):
            everywhere = [errors(n_raters, w, float(v), 50_000, rng) for v in DIFFER]
            largest = ", ".join(f"{rule} {max(one[rule] for one in everywhere):.3f}" for rule in everywhere[0])
            print(f"{n_raters} raters, prompts {w}, at any difference at most: {largest}", flush=True)


if __name__ == "__main__":
    main()

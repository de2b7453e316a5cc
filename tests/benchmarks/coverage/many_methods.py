"""Do intervals of the ordinal models hold as often as they say, and their tests err as seldom, with few raters?

Run: python -m tests.benchmarks.coverage.many_methods [studies [worlds [raters [methods]]]], such as "100 null 3,5 2,3".

Model: three methods, or two (the odds ratio of `ordinal_effect`), 40 prompts, one image of each. A rating falls into
the level of gain_m + p + i + s_r + t_rm + logistic noise, with prompts p ~ N(0, 1), images i ~ N(0, .3²), raters'
severities s_r ~ N(0, .5²) and their tastes t_rm ~ N(0, .6²/2) for each method, so that gains differ by .6 between
raters. Gains are 0, .4 and .8; in "null" 0. "alike": tastes of .1; "careless": as "tastes", and each rater is with
chance .1 one who draws levels at random; "severe": severities of 1.5. "null careless" and the like are both. In
"images" gains are 0, each prompt suits each method by N(0, .8²), and there are 20 prompts with two images of each
method. Three, four or five raters rate each prompt, all methods of it.

The truth of a difference is that of the model; of "careless", to which the model is not fitted, the mean of fits to
large panels.
"""

import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from zlib import crc32

import numpy as np

from annotations.stats.ordinal_model.effect import ordinal_effect
from annotations.stats.ordinal_model.methods import MethodModel, ordinal_methods
from annotations.stats.ratings import Ratings
from annotations.stats.threads import one_linear_algebra_thread

PROMPTS, K, CUTS = 40, 3, np.array([-2.0, -0.7, 0.7, 2.0])
RATERS = (3, 5, 8, 12, 20)
_LARGE = 100
_FITS = 8


@dataclass(frozen=True)
class World:
    gains: tuple[float, ...] = (0.0, 0.4, 0.8)
    taste: float = 0.6
    careless: float = 0.0
    suits: float = 0.0
    severity: float = 0.5
    images: int = 1
    prompts: int = PROMPTS


WORLDS = {
    "alike": World(taste=0.1),
    "tastes": World(),
    "careless": World(careless=0.1),
    "severe": World(severity=1.5),
    "null": World(gains=(0.0, 0.0, 0.0)),
    "null alike": World(gains=(0.0, 0.0, 0.0), taste=0.1),
    "null careless": World(gains=(0.0, 0.0, 0.0), careless=0.1),
    "null severe": World(gains=(0.0, 0.0, 0.0), severity=1.5),
    "images": World(gains=(0.0, 0.0, 0.0), suits=0.8, images=2, prompts=20),
}


def study(
    world: World, n_raters: int, rng: np.random.Generator, n_prompts: int, k: int
) -> tuple[Ratings, np.ndarray, np.ndarray]:
    """Ratings with the prompts and methods of their units."""
    per_prompt = n_raters if n_raters <= 5 else 4
    rater = np.argsort(rng.random((n_prompts, n_raters)), axis=1)[:, :per_prompt]
    n_images, of_prompt = world.images, k * world.images
    code = np.arange(n_prompts * of_prompt)
    prompt_of, method_of = code // of_prompt, code // n_images % k
    unit = np.broadcast_to(code.reshape(n_prompts, of_prompt, 1), (n_prompts, of_prompt, per_prompt)).ravel()
    who = np.broadcast_to(rater[:, None, :], (n_prompts, of_prompt, per_prompt)).ravel()
    method = method_of[unit]
    taste = world.taste / np.sqrt(2) * rng.normal(size=(n_raters, k))
    latent = np.array(world.gains)[method] + rng.normal(size=n_prompts)[prompt_of[unit]] + taste[who, method]
    latent += 0.3 * rng.normal(size=len(code))[unit] + world.severity * rng.normal(size=n_raters)[who]
    if world.suits:
        latent += world.suits * rng.normal(size=(n_prompts, k))[prompt_of, method_of][unit]
    level = np.searchsorted(CUTS, latent + rng.logistic(size=len(unit)))
    blind = (rng.random(n_raters) < world.careless)[who]
    level = np.where(blind, rng.integers(0, 5, len(unit)), level)
    return Ratings(unit, who, level, np.arange(1.0, 6), len(code), n_raters), prompt_of, method_of


def fitted(world: World, n_raters: int, rng: np.random.Generator, n_prompts: int = PROMPTS) -> MethodModel:
    """The model of one study of three methods."""
    ratings, prompt, method = study(world, n_raters, rng, n_prompts, K)
    return ordinal_methods(ratings, prompt=prompt, method=method, rng=rng)


@cache
def truth(world: World) -> np.ndarray:
    """(K,) effects of the methods with mean 0."""
    if not world.careless or not any(world.gains):
        return np.array(world.gains) - np.mean(world.gains)
    rng = np.random.default_rng(99)
    found = np.zeros(K)
    for _ in range(_FITS):
        for one in fitted(world, _LARGE, rng, 400).methods:
            found[one.method] += one.effect / _FITS
    return found


@dataclass(frozen=True)
class Found:
    """What a study found: whether each interval held, its width, each p; all empty where none was fitted."""

    held: list[bool]
    widths: list[float]
    p: list[float]
    p_simultaneous: list[float]
    p_holm: list[float]
    over_raters: bool


def of_all(world: World, right: np.ndarray, n_raters: int, rng: np.random.Generator) -> Found:
    """A study of three methods; right (K,) their true effects."""
    model = fitted(world, n_raters, rng, world.prompts)
    intervals = [pair.difference.intervals[0] for pair in model.pairs]
    true = [right[pair.first] - right[pair.second] for pair in model.pairs]
    return Found(
        [one.low <= value <= one.high for one, value in zip(intervals, true, strict=True)],
        [one.high - one.low for one in intervals],
        [pair.p for pair in model.pairs],
        [pair.p_simultaneous for pair in model.pairs],
        [pair.p_holm for pair in model.pairs],
        "raters" in model.covers,
    )


def of_two(world: World, right: np.ndarray, n_raters: int, rng: np.random.Generator) -> Found:
    """The logarithm of the odds ratio of two methods, the first and the last of the world."""
    ends = replace(world, gains=(world.gains[0], world.gains[-1]))
    ratings, prompt, method = study(ends, n_raters, rng, world.prompts, 2)
    found = ordinal_effect(ratings, prompt=prompt, method=method, baseline=0, refined=1, rng=rng)
    if found.fit.reason:
        return Found([], [], [], [], [], False)
    (interval,) = found.effect.intervals
    held = interval.low <= right[-1] - right[0] <= interval.high
    return Found([held], [interval.high - interval.low], [found.p], [found.p], [found.p], "raters" in interval.covers)


def results(name: str, n_raters: int, k: int, studies: Iterable[int]) -> list[Found]:
    """Studies by their numbers, each of which has random numbers of its own, as every world and panel has."""
    world, right = WORLDS[name], truth(WORLDS[name])
    one = of_two if k == 2 else of_all
    return [
        one(world, right, n_raters, np.random.default_rng([crc32(name.encode()), n_raters, k, number]))
        for number in studies
    ]


def shares(found: list[Found]) -> dict[str, float]:
    """Shares of fitted studies whose intervals all hold, that find a difference; of single intervals and p < .05."""
    fits = [one for one in found if one.held]
    return {
        "together": float(np.mean([all(one.held) for one in fits])),
        "single": float(np.mean([each for one in fits for each in one.held])),
        "width": float(np.median([each for one in fits for each in one.widths])),
        "a difference is found": float(np.mean([min(one.p_simultaneous) < 0.05 for one in fits])),
        "… by Holm": float(np.mean([min(one.p_holm) < 0.05 for one in fits])),
        "p < .05": float(np.mean([each < 0.05 for one in fits for each in one.p])),
        "covers raters": float(np.mean([one.over_raters for one in fits])),
        "not fitted": 1 - len(fits) / len(found),
    }


def main(arguments: list[str]) -> None:
    n_studies = int(arguments[0]) if arguments else 200
    worlds = arguments[1].split(",") if len(arguments) > 1 else list(WORLDS)
    raters = [int(one) for one in arguments[2].split(",")] if len(arguments) > 2 else RATERS
    methods = [int(one) for one in arguments[3].split(",")] if len(arguments) > 3 else (2, K)
    for name in worlds:
        for n_raters in raters:
            for k in methods:
                with one_linear_algebra_thread():
                    found = shares(results(name, n_raters, k, range(n_studies)))
                figures = ", ".join(f"{what} {value:.3f}" for what, value in found.items())
                print(f"{name}, {n_raters} raters, {k} methods: {figures}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

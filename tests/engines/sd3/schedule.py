"""The noise levels of Stable Diffusion 3's sampler: which share of an image is noise before each step.

Esser et al. 2024, "Scaling Rectified Flow Transformers", equations 12 and 23, as diffusers'
FlowMatchEulerDiscreteScheduler lays them out.
"""

import numpy as np

SHIFT = 3.0  # of Stable Diffusion 3 and 3.5, all sizes
N_TRAINED = 1_000


def shifted(sigma: np.ndarray | float, shift: float) -> np.ndarray:
    """A noise level moved towards more noise, as larger images need: shift·σ / (1 + (shift − 1)·σ). σ in 0 … 1."""
    sigma = np.asarray(sigma, dtype=float)
    return shift * sigma / (1 + (shift - 1) * sigma)


def sigmas(n_steps: int, shift: float = SHIFT) -> np.ndarray:
    """The share of noise before each step and after the last: n_steps + 1 falling values, first 1, last 0.

    The lowest trained level is shifted twice, once when the scheduler is made and once here, as diffusers does: images
    made elsewhere were made so.
    """
    levels = np.linspace(1.0, float(shifted(1 / N_TRAINED, shift)), n_steps)
    return np.append(shifted(levels, shift), 0.0)


def strength(n_steps: int, k: int) -> float:
    """The `strength` that makes diffusers' image-to-image pipelines start at step k of n_steps; in (0, 1].

    Half a step keeps their rounding down from landing one step off, as 1 − k/n_steps does for some n_steps. For
    k = n_steps there is none: nothing is left to do, and they return an empty batch.
    """
    return (n_steps - k - 0.5) / n_steps

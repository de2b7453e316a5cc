"""Requests that Stable Diffusion 3 can draw: whatever it cannot is refused before anything is computed."""

from dataclasses import dataclass

from generation.recipes.contract import DrawRequest, EngineError, Renoise, Resume

MOST_STEPS = 1_000  # as many noise levels as it was trained on


@dataclass(frozen=True)
class Limits:
    """multiple: of which number of pixels both sides must be; largest: at most this many pixels per side."""

    multiple: int
    largest: int


def check(request: DrawRequest, limits: Limits) -> None:
    """Raises EngineError, naming the valid values, for a request that cannot be drawn as it says."""
    if not 1 <= request.n_steps <= MOST_STEPS:
        raise EngineError(f"n_steps is {request.n_steps}.", f"Valid: 1 … {MOST_STEPS}.")
    for name, pixels in (("width", request.width), ("height", request.height)):
        if pixels % limits.multiple or not limits.multiple <= pixels <= limits.largest:
            raise EngineError(
                f"The {name} is {pixels} pixels.", f"Valid: multiples of {limits.multiple} up to {limits.largest}."
            )
    if not 0 <= request.guidance < float("inf"):
        raise EngineError(f"The guidance is {request.guidance}.", "Valid: 0 or more; 1 or less means none.")
    for name, seed in _seeds(request):
        if not 0 <= seed < 2**63:
            raise EngineError(f"The {name} is {seed}.", f"Valid: 0 … {2**63 - 1}.")
    first = first_step(request)
    if bad := [step for step in request.keep_after if not first < step < request.n_steps]:
        raise EngineError(
            f"States are to be kept after {', '.join(map(str, bad))} steps.",
            f"This drawing passes the states after {first + 1} … {request.n_steps - 1} steps.",
        )


def first_step(request: DrawRequest) -> int:
    """How many steps are not drawn. Raises EngineError for a start outside the steps."""
    start, n_steps = request.start, request.n_steps
    if isinstance(start, Renoise):
        if not 0 <= start.k <= n_steps:
            raise EngineError(f"k is {start.k}.", f"Valid with {n_steps} steps: 0 … {n_steps}.")
        return start.k
    if isinstance(start, Resume):
        if not 1 <= start.n_done < n_steps:
            raise EngineError(
                f"The state is the one after {start.n_done} steps.", f"Valid with {n_steps} steps: 1 … {n_steps - 1}."
            )
        return start.n_done
    return 0


def _seeds(request: DrawRequest) -> list[tuple[str, int]]:
    seeds = [("seed", request.seed)]
    if isinstance(request.start, Renoise):
        seeds.append(("noise_seed", request.start.noise_seed))
    return seeds

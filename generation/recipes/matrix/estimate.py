"""Estimates of a matrix: images, steps by kind, paid calls, computing time; and the time left of a run."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from generation.recipes.engine_spec import EngineSpec
from generation.recipes.matrix.matrix import Matrix
from generation.recipes.matrix.plan import PlannedStep, PromptFacts, plan, step_digest

# Engines whose every step is a call of somebody else's computer, or of a server that this site does not run.
PAID = frozenset({"chat", "openai-images"})
# A preview plans this many seeds in full; what more of them add follows from the last one.
SEEDS_IN_FULL = 8


@dataclass(frozen=True)
class Stored:
    """What the prompts have already, so that no model is asked for it: how many have a decomposition, each wording."""

    n_decomposed: int = 0
    n_worded: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Estimate:
    """Upper limits: a refinement that stops early does less, and results of an earlier run may be reused.

    n_steps      by kind: "decompose", "words", "draw", "critique", "score", "choose"
    n_images     how many are drawn
    calls        of paid engines: (engine, model) → how many
    cost         US dollars; None where a model's price is not known
    seconds      of computing on the queue of the GPU, one after the other; None where nothing like it was measured yet
    unmeasured   the kinds of steps for which nothing was
    """

    n_steps: Mapping[str, int]
    n_images: int
    calls: Mapping[tuple[str, str], int]
    cost: float | None
    seconds: float | None
    unmeasured: tuple[str, ...]

    @property
    def n_calls(self) -> int:
        return sum(self.calls.values())


def work_key(kind: str, engine: Mapping[str, Any], parameters: Mapping[str, Any]) -> str:
    """What a step's duration is measured under: the same for steps that take the same time per unit of work."""
    drawing = parameters.get("drawing") or {}
    return step_digest("time", kind, dict(engine), drawing.get("width"), drawing.get("height"))


def work_units(kind: str, parameters: Mapping[str, Any]) -> int:
    """How much work a step is: denoising steps for a drawing (at least 1), 1 for everything else."""
    if kind != "draw":
        return 1
    n_steps = int((parameters.get("drawing") or {}).get("n_steps", 1))
    skipped = {"renoise": parameters.get("k", 0), "switch": parameters.get("k", 0) + 1}.get(
        parameters.get("mode", ""), 0
    )
    return max(1, n_steps - int(skipped))


def engines_of(matrix: Matrix) -> dict[tuple[str, str], tuple[EngineSpec, Mapping[str, Any]]]:
    """By kind and key the kinds of work on the GPU's queue, each with its engine and its parameters' drawing."""
    found: dict[tuple[str, str], tuple[EngineSpec, Mapping[str, Any]]] = {}
    for step in _steps(replace(matrix, seeds=matrix.seeds[:1])):
        if step.engine is not None and step.queue == "gpu":
            key = work_key(step.kind, step.engine.as_json(), step.parameters)
            found[step.kind, key] = (step.engine, step.parameters)
    return found


def paid_model(spec: EngineSpec) -> tuple[str, str] | None:
    """The engine and the model that the ledger names for its calls; None where none is called behind an endpoint."""
    caller = _caller(spec)
    return (caller.engine, str(caller.options.get("model", ""))) if caller.engine in PAID else None


def _caller(spec: EngineSpec) -> EngineSpec:
    """The engine that makes the calls: a judge has one among its options."""
    return EngineSpec.from_json(spec.options["chat"]) if spec.engine == "judge" else spec


def estimate(
    matrix: Matrix,
    *,
    n_prompts: int,
    stored: Stored | None = None,
    seconds_per_unit: Mapping[str, float] | None = None,
    price_per_call: Mapping[tuple[str, str], float | None] | None = None,
) -> Estimate:
    """The sum over all prompts.

    seconds_per_unit  measured seconds by `work_key`
    price_per_call    US dollars by (engine, model)
    """
    stored, measured, prices = stored or Stored(), seconds_per_unit or {}, price_per_call or {}
    per_prompt = _counted(matrix)
    n_steps: Counter[str] = Counter()
    calls: Counter[tuple[str, str]] = Counter()
    seconds, unmeasured = 0.0, set()
    for work, n in per_prompt.items():
        n_here = n * n_prompts
        n_steps[work.kind] += n_here
        if work.model is not None:
            calls[work.model] += max(0, n_here - _already_there(work, stored))
        if work.key in measured:
            seconds += n_here * work.units * measured[work.key]
        elif work.key and n_here:
            unmeasured.add(work.kind)
    calls = +calls
    known = [prices.get(model) for model in calls]
    cost = None if None in known else sum(n * (prices.get(model) or 0.0) for model, n in calls.items())
    return Estimate(
        n_steps=dict(n_steps),
        n_images=n_steps["draw"],
        calls=dict(calls),
        cost=cost,
        seconds=None if unmeasured else seconds,
        unmeasured=tuple(sorted(unmeasured)),
    )


@dataclass(frozen=True)
class _Work:
    """A kind of step: key is empty where the GPU has nothing to do, model None where nothing is paid."""

    kind: str
    key: str
    units: int
    model: tuple[str, str] | None
    words: str


def _counted(matrix: Matrix) -> Counter[_Work]:
    """How many steps of each sort one prompt takes."""
    n_seeds = len(matrix.seeds)
    if n_seeds <= SEEDS_IN_FULL:
        return Counter(map(_work_of, _steps(matrix)))
    most, fewer = (
        Counter(map(_work_of, _steps(replace(matrix, seeds=matrix.seeds[:n]))))
        for n in (SEEDS_IN_FULL, SEEDS_IN_FULL - 1)
    )
    return Counter({work: n + (n - fewer[work]) * (n_seeds - SEEDS_IN_FULL) for work, n in most.items()})


def _steps(matrix: Matrix) -> list[PlannedStep]:
    return plan(PromptFacts(digest="any"), matrix)


def _work_of(step: PlannedStep) -> _Work:
    if step.engine is None:
        return _Work(step.kind, "", 1, None, "")
    paid = paid_model(step.engine)
    key = work_key(step.kind, step.engine.as_json(), step.parameters) if step.queue == "gpu" else ""
    words = str(step.parameters.get("words", "")) if step.kind == "words" else ""
    return _Work(step.kind, key, work_units(step.kind, step.parameters), paid, words)


def _already_there(work: _Work, stored: Stored) -> int:
    if work.kind == "decompose":
        return stored.n_decomposed
    return stored.n_worded.get(work.words, 0) if work.kind == "words" else 0


# --- a run on its way ------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Remaining:
    """Steps of one sort that are still to be done, and what is known of their pace.

    seconds_each  the mean over those that are done; None while none is
    """

    queue: str
    n: int
    seconds_each: float | None


def seconds_left(remaining: Iterable[Remaining], busy: Mapping[str, float]) -> float | None:
    """The time left at the present pace; None while unknown.

    busy  by queue how much work gets done in a second: the seconds of the steps that ended lately over how long that
          was, so about the number of workers. Queues work side by side: the slowest decides.
    """
    needed: Counter[str] = Counter()
    for part in remaining:
        if part.n == 0:
            continue
        if part.seconds_each is None:
            return None
        needed[part.queue] += part.n * part.seconds_each  # type: ignore[assignment]  # a Counter of seconds
    if any(busy.get(queue, 0) <= 0 for queue, seconds in needed.items() if seconds > 0):
        return None
    return max((seconds / busy[queue] for queue, seconds in needed.items() if seconds > 0), default=0.0)


# --- prices ----------------------------------------------------------------------------------------------------------
TOKENS_OF_TEXT = (900, 400)
TOKENS_WITH_IMAGE = (2_500, 700)
TOKENS_A_PRICE = 1_000_000


def guessed_price(spec: EngineSpec, *, with_image: bool) -> float | None:
    """US dollars per call by the prices in its options and a guess at its tokens, until the ledger has real costs.

    The guess: 900 tokens sent and 400 received for text, 2,500 and 700 with an image. None without prices.
    """
    options = _caller(spec).options
    if (image := options.get("price_image")) is not None:
        return float(image)
    price_in, price_out = options.get("price_in"), options.get("price_out")
    if price_in is None or price_out is None:
        return None
    n_in, n_out = TOKENS_WITH_IMAGE if with_image else TOKENS_OF_TEXT
    return float(n_in * price_in + n_out * price_out) / TOKENS_A_PRICE

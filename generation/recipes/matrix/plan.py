"""From a matrix to steps: everything that has to be done for one prompt, once each, and what each step needs.

A step is known by its digest, made of everything its result depends on and of the digests of the steps it needs. So
methods that share a baseline, a decomposition or a critique share the step, within a run and between runs.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from generation.recipes.engine_spec import EngineSpec
from generation.recipes.matrix.matrix import Matrix
from generation.recipes.matrix.methods import BestOf, MethodSpec, Refinement

StepKind = Literal["decompose", "words", "draw", "critique", "score", "choose"]
VERSION = 1


@dataclass(frozen=True)
class PromptFacts:
    """A prompt as the plan sees it: by the digest of its content alone."""

    digest: str


@dataclass(frozen=True)
class Need:
    """A step that must be done before. role: what its result is to the one who needs it.

    Roles: "words" and "critique" give the prompt's text; "parent" the image that is refined (its latents); "prefix" the
    drawing to resume from; "image" what is criticised or scored; "decomposition"; "candidate" and "candidate_score".
    """

    role: str
    digest: str


@dataclass(frozen=True)
class PlannedStep:
    """One thing to do. engine: None if only a decision is made. method: the method of the image that it gives, if any.

    keep_after  states to keep for others; not part of what the step is known by
    """

    kind: StepKind
    digest: str
    engine: EngineSpec | None
    queue: str
    parameters: Mapping[str, Any]
    needs: tuple[Need, ...] = ()
    method: MethodSpec | None = None
    seed: int | None = None
    round: int = 0
    keep_after: tuple[int, ...] = ()


def step_digest(*parts: Any) -> str:
    text = json.dumps([VERSION, *parts], sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def plan(prompt: PromptFacts, matrix: Matrix) -> list[PlannedStep]:
    """The steps for one prompt, each after those it needs. Raises nothing that the matrix has not refused already."""
    planner = _Planner(prompt, matrix)
    for seed in matrix.seeds:
        for method in matrix.methods:
            for metric in matrix.metrics:
                planner.score(planner.image(method, seed), metric)
            planner.image(method, seed)
    return planner.steps()


def images_of(prompt: PromptFacts, matrix: Matrix) -> dict[tuple[str, int], str]:
    """For each method, by its label, and each seed the digest of the step whose image is the method's.

    Needed because methods share steps: a step bears one method's name, and is several methods' image.
    """
    planner = _Planner(prompt, matrix)
    return {(method.label, seed): planner.image(method, seed) for seed in matrix.seeds for method in matrix.methods}


class _Planner:
    def __init__(self, prompt: PromptFacts, matrix: Matrix) -> None:
        self._prompt, self._matrix = prompt, matrix
        self._steps: dict[str, PlannedStep] = {}
        self._keep: dict[str, set[int]] = {}

    def steps(self) -> list[PlannedStep]:
        return [
            replace(step, keep_after=tuple(sorted(self._keep.get(digest, ())))) for digest, step in self._steps.items()
        ]

    def image(self, method: MethodSpec, seed: int) -> str:
        """The step that gives this method's image at this seed."""
        start = self._start(method, seed)
        if method.refinement is None:
            return start
        if method.best_of is None:
            return self._refined(method, start, seed, method.refinement)
        candidates = [
            self._refined(
                replace(method, best_of=None, label=f"{method.label}: k = {k}"),
                start,
                seed,
                replace(method.refinement, k=k),
            )
            for k in method.best_of.values
        ]
        return self._choose(method, method.best_of, candidates, seed, method.refinement.rounds)

    def score(self, image: str, metric: str) -> str:
        spec = self._matrix.metrics[metric]
        needs = [Need("image", image)]
        if spec.options.get("questions") == "decomposition":
            needs.append(Need("decomposition", self._decomposition()))
        return self._add("score", spec, {"metric": metric}, needs)

    # --- the parts ---------------------------------------------------------------------------------------------------
    def _start(self, method: MethodSpec, seed: int) -> str:
        """The first drawing, or the best of several."""
        if method.seeds is None:
            return self._first(method, seed)
        candidates = [self._first(method, seed + offset) for offset in method.seeds.values]
        chooser = MethodSpec(_chooser_label(method), words=method.words, seeds=method.seeds, engine=method.engine)
        return self._choose(chooser, method.seeds, candidates, seed, 0)

    def _first(self, method: MethodSpec, seed: int) -> str:
        plain = MethodSpec(_first_label(method), words=method.words, engine=method.engine)
        needs = [Need("words", self._words(method.words))] if method.words != "prompt" else []
        return self._draw(plain, seed, 0, {"words": method.words}, needs)

    def _refined(self, method: MethodSpec, start: str, seed: int, r: Refinement) -> str:
        image = start
        for round_ in range(1, r.rounds + 1):
            this = replace(r, rounds=round_)
            of_round = replace(method, refinement=this, label=_round_label(method, round_))
            critique = self._critique(image, r)
            needs = [Need("critique", critique), Need("parent", image)]
            mode = r.drawn_as
            if mode == "switch":
                # Every round repeats the first drawing: its state after k + 1 steps is where they all resume.
                needs.append(Need("prefix", start))
                self._keep_after(start, r.k + 1)
            parameters: dict[str, Any] = {"mode": mode, "stop_early": r.stop_early}
            if r.mode != "redraw":
                parameters["k"] = r.k
            if r.mode == "switch":
                parameters["swap_pooled"] = r.swap_pooled
            image = self._draw(of_round, seed, round_, parameters, needs)
        return image

    def _draw(self, method: MethodSpec, seed: int, round_: int, parameters: dict[str, Any], needs: list[Need]) -> str:
        spec = self._matrix.engines[method.engine]
        full = {**parameters, "seed": seed, "drawing": asdict(self._matrix.drawing)}
        return self._add("draw", spec, full, needs, method=method, seed=seed, round_=round_)

    def _critique(self, image: str, r: Refinement) -> str:
        needs = [Need("image", image)]
        if r.critic == "structured":
            needs.append(Need("decomposition", self._decomposition()))
        return self._add("critique", self._matrix.engines["critic"], {"critic": r.critic}, needs)

    def _decomposition(self) -> str:
        return self._add("decompose", self._matrix.engines["language"], {"use_stored": True}, [])

    def _words(self, kind: str) -> str:
        return self._add("words", self._matrix.engines["language"], {"words": kind, "use_stored": True}, [])

    def _choose(self, method: MethodSpec, choice: BestOf, candidates: list[str], seed: int, round_: int) -> str:
        needs = [Need("candidate", candidate) for candidate in candidates]
        needs += [Need("candidate_score", self.score(candidate, choice.by)) for candidate in candidates]
        return self._add("choose", None, {"by": choice.by}, needs, method=method, seed=seed, round_=round_)

    def _keep_after(self, step: str, n_done: int) -> None:
        """Have a drawing keep a state; a choice passes this on to all it chooses from."""
        if n_done >= self._matrix.drawing.n_steps:
            return
        chosen_from = [need.digest for need in self._steps[step].needs if need.role == "candidate"]
        for digest in chosen_from or [step]:
            self._keep.setdefault(digest, set()).add(n_done)

    def _add(
        self,
        kind: StepKind,
        engine: EngineSpec | None,
        parameters: dict[str, Any],
        needs: list[Need],
        *,
        method: MethodSpec | None = None,
        seed: int | None = None,
        round_: int = 0,
    ) -> str:
        digest = step_digest(
            kind,
            engine.as_json() if engine else None,
            parameters,
            self._prompt.digest,
            sorted([need.role, need.digest] for need in needs),
        )
        if digest not in self._steps:
            queue = self._queue(kind, engine)
            self._steps[digest] = PlannedStep(
                kind, digest, engine, queue, parameters, tuple(needs), method, seed, round_
            )
        elif method is not None and method.label in {m.label for m in self._matrix.methods}:
            # Shared by several: it bears the name of the one that was asked for.
            self._steps[digest] = replace(self._steps[digest], method=method)
        return digest

    def _queue(self, kind: StepKind, engine: EngineSpec | None) -> str:
        if engine is None:
            return "cpu"
        return self._matrix.queue(engine)


def _first_label(method: MethodSpec) -> str:
    """The name of the image that everything of this method starts from."""
    plain = method.refinement is None and method.seeds is None
    if plain:
        return method.label
    return "baseline" if method.words == "prompt" else method.words


def _chooser_label(method: MethodSpec) -> str:
    if method.refinement is None or method.seeds is None:
        return method.label
    return f"best of {len(method.seeds.values)} seeds by {method.seeds.by}"


def _round_label(method: MethodSpec, round_: int) -> str:
    """A round before the last bears the name that the method with that many rounds has."""
    if method.refinement is None or round_ == method.refinement.rounds:
        return method.label
    base = method.label.removesuffix(f", {method.refinement.rounds} rounds")
    return base if round_ == 1 else f"{base}, {round_} rounds"

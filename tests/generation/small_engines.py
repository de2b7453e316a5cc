"""Engines of a few lines that keep to the real ones' laws, and a worker that can be given any of them.

An image is a function of its request: the state before step 0 is a hash of the seed, each step hashes the state with
the prompt, and the last state gives the pixels. So a switch to the same prompt, or noise up to the last step, changes
nothing, and whatever else goes into the request changes the picture.
"""

import hashlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone
from PIL import Image as PillowImage

from generation.recipes.contract import (
    Call,
    ChatAnswer,
    ChatRequest,
    Drawn,
    DrawRequest,
    Json,
    OnStep,
    OutOfMemory,
    Renoise,
    Scored,
    ScoreRequest,
)
from generation.recipes.critique.by_model import ClaimSaid, CritiqueSaid, PlainCritiqueSaid
from generation.recipes.decomposition.by_model import DecompositionSaid, EntitySaid, RelationSaid
from generation.recipes.engine_spec import EngineSpec
from generation.recipes.enrich import Enriched
from generation.services.runs.claiming import claim, ready_queues
from generation.services.runs.steering import end_if_done
from generation.services.runs.work import carry_out


def _hash(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()


@dataclass
class Painter:
    """faults: what the next calls raise before they draw. most: images that fit at once. drawn: every request drawn."""

    batch_size: int = 8
    most: int = 100
    gives_latents: bool = True
    faults: list[BaseException] = field(default_factory=list)
    drawn: list[DrawRequest] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    calls: tuple[Call, ...] = ()
    broken: Callable[[DrawRequest], BaseException | None] = lambda request: None
    identity: Json = field(default_factory=lambda: {"engine": "painter", "model": "small", "weights": "none"})

    def draw(self, requests: Sequence[DrawRequest], on_step: OnStep = lambda done, total: None) -> list[Drawn]:
        self.sizes.append(len(requests))
        if self.faults:
            raise self.faults.pop(0)
        if len(requests) > self.most:
            raise OutOfMemory("no room for that many", "Use a smaller size.")
        for request in requests:
            if (error := self.broken(request)) is not None:
                raise error
        on_step(1, 1)
        self.drawn += requests
        return [self._draw(request) for request in requests]

    def _draw(self, request: DrawRequest) -> Drawn:
        start, first = request.start, 0
        state = _hash("noise", request.seed)
        if isinstance(start, Renoise):
            first = start.k
            given = start.latents.decode()
            state = (
                given if first == request.n_steps else _hash("mixed", given, first, _hash("noise", start.noise_seed))
            )
        elif start is not None:
            first, state = start.n_done, start.latents.decode()
        kept = {}
        for step in range(first, request.n_steps):
            if step in request.keep_after:
                kept[step] = state.encode()
            state = _hash(state, request.prompt, request.guidance, request.negative_prompt)
        stream = io.BytesIO()
        PillowImage.frombytes("RGB", (4, 2), bytes.fromhex(state)[:24]).save(stream, "PNG")
        latents = state.encode() if self.gives_latents else b""
        return Drawn(stream.getvalue(), latents, kept, {"first_step": first}, self.calls)


@dataclass
class Talker:
    """Answers every question that the recipes ask. is_content: a critic that finds nothing wrong."""

    is_content: bool = False
    faults: list[BaseException] = field(default_factory=list)
    asked: list[ChatRequest[Any]] = field(default_factory=list)
    identity: Json = field(default_factory=lambda: {"engine": "chat", "model": "small talk", "revision": "r1"})

    def ask(self, request: ChatRequest[Any]) -> ChatAnswer[Any]:
        self.asked.append(request)
        if self.faults:
            raise self.faults.pop(0)
        value = self._value(request)
        return ChatAnswer(value, value.model_dump_json(), (Call("chat", "small talk", "ok", 100, 10, 0.0015, 0.2),))

    def _value(self, request: ChatRequest[Any]) -> Any:
        if request.schema is DecompositionSaid:
            circle, square = (EntitySaid(id=i, text=t, attributes=[]) for i, t in (("e1", "circle"), ("e2", "square")))
            above = RelationSaid(id="r1", subject="e1", predicate="above", object="e2", question="", text="")
            return DecompositionSaid(entities=[circle, square], relations=[above])
        if request.schema is Enriched:
            return Enriched(prompt=f"The same in other words {_hash(request.system, request.user)[:6]}.")
        if request.schema is PlainCritiqueSaid:
            return PlainCritiqueSaid(critique="1. It is flat.", refined_prompt=f"{request.user} It has depth.")
        assert request.schema is CritiqueSaid
        seen = _hash(request.images)[:6]
        claim = ClaimSaid(
            text=f"The circle is off by {seen}.",
            about="r1",
            kind="relation",
            severity="major",
            rank=1,
            confidence=0.9,
            correction=f"The circle rests on the square at {seen}.",
        )
        return CritiqueSaid(claims=[] if self.is_content else [claim])


@dataclass
class Ruler:
    """A metric: a number that follows from image, prompt and questions; or always the same."""

    name: str = "CLIPScore"
    version: str = "ruler 1"
    batch_size: int = 4
    constant: float | None = None
    faults: list[BaseException] = field(default_factory=list)
    scored: list[ScoreRequest] = field(default_factory=list)
    identity: Json = field(default_factory=lambda: {"engine": "ruler"})

    def score(self, requests: Sequence[ScoreRequest]) -> list[Scored]:
        if self.faults:
            raise self.faults.pop(0)
        self.scored += requests
        return [Scored(self._value(request), {"questions": list(request.questions)}) for request in requests]

    def _value(self, request: ScoreRequest) -> float:
        if self.constant is not None:
            return self.constant
        return int(_hash(request.image, request.prompt, request.questions)[:8], 16) / 2**32


@dataclass
class Oracle:
    """Answers every question with the same probability of yes."""

    p_yes: float = 0.1
    asked: list[str] = field(default_factory=list)
    identity: Json = field(default_factory=lambda: {"engine": "oracle"})

    def probabilities(self, image: bytes, questions: Sequence[str]) -> list[float]:
        self.asked += questions
        return [self.p_yes] * len(questions)


@dataclass
class Workshop:
    """A worker with these engines. `work` does whatever can be done; `now` lets it live later."""

    painter: Painter = field(default_factory=Painter)
    talker: Talker = field(default_factory=Talker)
    clip: Ruler = field(default_factory=Ruler)
    blip: Ruler = field(default_factory=lambda: Ruler("BLIP-VQA"))
    oracle: Oracle = field(default_factory=Oracle)
    loaded: list[str] = field(default_factory=list)

    def engine_for(self, spec: EngineSpec) -> Any:
        self.loaded.append(spec.engine)
        return {
            "sd3": self.painter,
            "openai-images": self.painter,
            "chat": self.talker,
            "clip-score": self.clip,
            "blip-vqa": self.blip,
            "oracle": self.oracle,
        }[spec.engine]

    def step(self, queue: str, *, now: datetime | None = None, **more: Any) -> bool:
        """Claim and carry out once; False when there is nothing to do."""
        claimed = claim(queue=queue, now=now)
        if claimed is None:
            return False
        arguments = {"engine_for": self.engine_for, "on_step": lambda done, total: None, **more}
        carry_out(claim=claimed, **arguments)
        end_if_done(run_id=claimed.run_id)
        return True

    def work(self, *, now: datetime | None = None, most: int = 200, **more: Any) -> int:
        """How many claims it took until nothing was left that can be done now."""
        n = 0
        while n < most and (queues := ready_queues(now or timezone.now())):
            assert self.step(queues[-1], now=now, **more)
            n += 1
        assert n < most, "this goes on for ever"
        return n

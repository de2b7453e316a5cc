"""The requests to engines and their answers: the only types that recipes, services and engines share.

An engine is a network or a remote model. Everything here is plain data and bytes, so that code that stores results
needs no torch, and an engine needs no Django.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, Protocol, TypeVar

from pydantic import BaseModel

Json = dict[str, Any]
OnStep = Callable[[int, int], None]  # (steps done, steps in all); may raise Stopped
Answer = TypeVar("Answer", bound=BaseModel)
Answered = TypeVar("Answered", bound=BaseModel, covariant=True)


@dataclass(frozen=True)
class Call:
    """One call of a model, successful or not, for the ledger. cost in US dollars; None where no price is known."""

    engine: str
    model: str
    outcome: str  # "ok", "malformed", "truncated", "refused", "rate limited", "time-out", "server error", …
    n_tokens_in: int = 0
    n_tokens_out: int = 0
    cost: float | None = None
    seconds: float = 0.0


# --- drawing ---------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Renoise:
    """Start from a finished image: add noise up to the time of step `k` and denoise from there.

    latents     the finished image before the decoder, as the engine gave it
    k           0 … n_steps: how many of the steps are left out; 0 starts from noise alone, n_steps changes nothing
    noise_seed  whose noise is added; the image's own seed keeps its layout where little of it is left
    """

    latents: bytes
    k: int
    noise_seed: int


@dataclass(frozen=True)
class Resume:
    """Continue from the state that another drawing had after `n_done` of the same number of steps.

    earlier_prompt  what those steps were drawn with
    swap_pooled     whether the pooled embedding changes with the prompt's; the released DetailScribe code keeps the old
    """

    latents: bytes
    n_done: int
    earlier_prompt: str
    swap_pooled: bool = True


@dataclass(frozen=True)
class DrawRequest:
    """One image. With n_steps, guidance and size it is a function of the engine's identity and of these fields alone.

    keep_after  numbers of steps (1 … n_steps − 1) after which the state is kept, for others to resume from
    """

    prompt: str
    seed: int
    n_steps: int
    guidance: float
    width: int
    height: int
    negative_prompt: str = ""
    start: Renoise | Resume | None = None
    keep_after: tuple[int, ...] = ()


@dataclass(frozen=True)
class Drawn:
    """A finished image. png: the file; latents: what it was decoded from; kept: the states asked for, by steps done.

    calls: what it took, where a remote model drew it
    """

    png: bytes
    latents: bytes = b""
    kept: Mapping[int, bytes] = field(default_factory=dict)
    facts: Json = field(default_factory=dict)
    calls: tuple[Call, ...] = ()


class ImageEngine(Protocol):
    """Draws images. `identity`: everything besides the request that the pixels depend on, as JSON."""

    @property
    def identity(self) -> Json: ...

    @property
    def batch_size(self) -> int:
        """The useful number of images per call."""
        ...

    def draw(self, requests: Sequence[DrawRequest], on_step: OnStep = ...) -> list[Drawn]: ...


# --- asking ----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class ChatRequest(Generic[Answer]):
    """A question to a language model, and with images (PNG files) to one that sees. The answer must fit the schema."""

    system: str
    user: str
    schema: type[Answer]
    images: tuple[bytes, ...] = ()
    temperature: float = 0.0
    max_tokens: int = 2_000
    seed: int | None = None


@dataclass(frozen=True)
class ChatAnswer(Generic[Answered]):
    """The answer, checked against the schema, the text as it came, and every call that it took."""

    value: Answered
    text: str
    calls: tuple[Call, ...] = ()


class ChatEngine(Protocol):
    """A language model; some can see images."""

    @property
    def identity(self) -> Json: ...

    def ask(self, request: ChatRequest[Answer]) -> ChatAnswer[Answer]: ...


# --- scoring ---------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class ScoreRequest:
    """An image (a PNG, JPEG or WebP file), the prompt it is held against, and questions whose right answer is yes."""

    image: bytes
    prompt: str
    questions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scored:
    """One value; higher is better. facts: what it was computed from, such as one probability per question."""

    value: float
    facts: Json = field(default_factory=dict)
    calls: tuple[Call, ...] = ()


class Metric(Protocol):
    """An automatic metric. `name` and `version` are what its scores are filed under."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def identity(self) -> Json: ...

    @property
    def batch_size(self) -> int: ...

    def score(self, requests: Sequence[ScoreRequest]) -> list[Scored]: ...


class Answerer(Protocol):
    """Answers yes-or-no questions about an image: the probability of yes for each question, in order, 0 … 1."""

    @property
    def identity(self) -> Json: ...

    def probabilities(self, image: bytes, questions: Sequence[str]) -> list[float]: ...


# --- what is missing, and what goes wrong ----------------------------------------------------------------------------
@dataclass(frozen=True)
class Missing:
    """A requirement of an engine that is missing here, and the command or the setting that provides it."""

    what: str
    cure: str


class Stopped(Exception):
    """Somebody asked the work to end: raised from `on_step`; it propagates from every engine."""


class EngineError(Exception):
    """What went wrong, the cure, and the calls made until then.

    scope   "call": try the same again after `retry_after_s`; "step": this piece of work cannot be done, others can;
            "run": nothing can go on until somebody has done what the cure says
    """

    scope: Literal["call", "step", "run"] = "step"

    def __init__(
        self, problem: str, cure: str = "", *, calls: Sequence[Call] = (), retry_after_s: float | None = None
    ) -> None:
        super().__init__(problem)
        self.problem, self.cure, self.calls, self.retry_after_s = problem, cure, tuple(calls), retry_after_s


class TryAgain(EngineError):
    """A time-out, a dropped connection, "too many requests", an error of the server: later it may work."""

    scope = "call"


class RateLimited(TryAgain):
    """The server asks for patience: waiting is all that helps, and the wait does not count as a failed try."""


class Refused(EngineError):
    """The model declines to answer."""


class BadAnswer(EngineError):
    """The reply is still not an answer in the requested form after asking again."""


class OutOfMemory(EngineError):
    """The device does not have enough memory for this batch."""


class Unusable(EngineError):
    """Weights, a package, a key or an endpoint is missing or not accepted: every further step would fail too."""

    scope = "run"

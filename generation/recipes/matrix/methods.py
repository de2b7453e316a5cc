"""Ways to get an image, as data: the published methods, their ablations, and a researcher's own combinations.

Sources: DetailScribe (Gu & Mao 2025, arXiv 2504.08714) and its released code; AcT2I (2025, arXiv 2509.16141).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

Words = Literal["prompt", "rewritten", "spatial", "temporal", "emotional"]
Mode = Literal["renoise", "switch", "redraw"]
Critic = Literal["structured", "unstructured", "plain"]
Kind = Literal["baseline", "refined", "rewrite", "other"]

PAPER_SEED = 2628670643
PAPER_SECOND_SEED = 2628670647
ACT2I_SEEDS = (42, 43, 44, 45)
RELEASED_STEPS = (0, 1, 2, 4)
MOST_ROUNDS = 8
MOST_CHOICES = 32


class BadMethod(ValueError):
    """A method that makes no sense: which part is wrong, and what would be valid."""


@dataclass(frozen=True)
class Refinement:
    """How a critic's refined prompt becomes an image.

    mode         "renoise": the finished image gets noise up to t' = T − k and is denoised again (the paper's words);
                 "switch": the drawing is repeated from its seed, and the prompt is replaced at the end of step k, so
                 that k + 1 steps use the old one (the released code); "redraw": from scratch with the refined prompt
    k            0 … T − 1; without meaning for "redraw". "switch" with k = 0 is a redraw: the released code then calls
                 the pipeline with the refined prompt from the start, without its callback
    rounds       how often: each round's critic sees the image of the round before
    critic       "structured": sees the decomposition; "unstructured": the same task without it (the ablation);
                 "plain": only rewrites the prompt from image and text (GPT refine)
    swap_pooled  "switch": whether the pooled embedding changes too; the released code keeps the old one
    stop_early   a round whose critic finds nothing wrong keeps the image as it is
    """

    mode: Mode = "renoise"
    k: int = 2
    rounds: int = 1
    critic: Critic = "structured"
    swap_pooled: bool = True
    stop_early: bool = True

    @property
    def drawn_as(self) -> Mode:
        """The mode in which the image is really drawn: "redraw" for a switch at k = 0."""
        return "redraw" if self.mode == "switch" and self.k == 0 else self.mode


@dataclass(frozen=True)
class BestOf:
    """The best of several by a metric: of seeds (as offsets from the row's seed) or of switch steps.

    A choice after looking: its scores by the same metric are too high, and reports must say so.
    """

    over: Literal["seeds", "k"]
    values: tuple[int, ...]
    by: str = "clip-score"


@dataclass(frozen=True)
class MethodSpec:
    """One method. An image of it is: words → drawing → (best of seeds) → refinement rounds → (best of k)."""

    label: str
    words: Words = "prompt"
    seeds: BestOf | None = None
    refinement: Refinement | None = None
    best_of: BestOf | None = None
    engine: str = "image"  # a key of the matrix's engines: "image", or another that draws

    def __post_init__(self) -> None:
        _check(self.label.strip() != "", "label", self.label, "a name")
        _check(self.words in get_args(Words), "words", self.words, ", ".join(get_args(Words)))
        if self.seeds is not None:
            _check(self.seeds.over == "seeds", "seeds", self.seeds.over, "a best-of over seeds")
            _check_values(self.seeds)
        if self.refinement is not None:
            r = self.refinement
            _check(r.mode in get_args(Mode), "mode", r.mode, ", ".join(get_args(Mode)))
            _check(r.critic in get_args(Critic), "critic", r.critic, ", ".join(get_args(Critic)))
            _check(r.k >= 0, "k", r.k, "0 or more")
            _check(1 <= r.rounds <= MOST_ROUNDS, "rounds", r.rounds, f"1 to {MOST_ROUNDS}")
        if self.best_of is not None:
            _check(self.best_of.over == "k", "best_of", self.best_of.over, "a best-of over k")
            _check_values(self.best_of)
            _check(
                self.refinement is not None and self.refinement.mode != "redraw",
                "best_of",
                self.best_of.over,
                "only with a refinement that has steps",
            )

    @property
    def kind(self) -> Kind:
        if self.refinement is not None:
            return "refined"
        if self.words != "prompt":
            return "rewrite"
        return "other" if self.seeds is not None else "baseline"

    @property
    def largest_k(self) -> int:
        """The largest step index in use; below T or the method cannot be drawn with T steps."""
        if self.refinement is None or self.refinement.mode == "redraw":
            return 0
        return max(self.best_of.values if self.best_of else (self.refinement.k,))

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "MethodSpec":
        """Raises BadMethod for what no method can have, naming the part."""
        known = {"label", "words", "seeds", "refinement", "best_of", "engine"}
        _check(set(data) <= known, "field", ", ".join(sorted(set(data) - known)), ", ".join(sorted(known)))
        try:
            parts = dict(data)
            for name in ("seeds", "best_of"):
                if parts.get(name):
                    parts[name] = BestOf(**{**parts[name], "values": tuple(map(int, parts[name]["values"]))})
            if parts.get("refinement"):
                parts["refinement"] = Refinement(**parts["refinement"])
            return MethodSpec(**{name: value for name, value in parts.items() if value is not None})
        except (TypeError, KeyError) as error:
            raise BadMethod(f"This is not a method: {error}. Its parts are {', '.join(sorted(known))}.") from error


def _check(fine: bool, part: str, value: object, valid: str) -> None:
    if not fine:
        raise BadMethod(f"{part}: {value!r} is not possible. Valid: {valid}.")


def _check_values(choice: BestOf) -> None:
    n = len(set(choice.values))
    _check(
        n == len(choice.values) and 2 <= n <= MOST_CHOICES, "values", choice.values, f"2 to {MOST_CHOICES} different"
    )
    _check(min(choice.values) >= 0, "values", choice.values, "numbers from 0")


def renoised(k: int, *, rounds: int = 1, critic: Critic = "structured") -> MethodSpec:
    """DetailScribe as in the paper: re-noised to t' = T − k."""
    label = f"DetailScribe T−{k}" if k else "DetailScribe T"
    if critic == "unstructured":
        label = f"w/o decomposition T−{k}"
    if rounds > 1:
        label += f", {rounds} rounds"
    return MethodSpec(label, refinement=Refinement("renoise", k, rounds, critic))


def switched(k: int, *, rounds: int = 1, swap_pooled: bool = True) -> MethodSpec:
    """DetailScribe (released code): the prompt is replaced at the end of step k of the same drawing.

    k = 0 is drawn from scratch with the refined prompt, sequence and pooled vector both, as the released code does.
    """
    label = f"DetailScribe switch {k}"
    if not swap_pooled:
        label += ", old pooled embedding"
    if rounds > 1:
        label += f", {rounds} rounds"
    return MethodSpec(label, refinement=Refinement("switch", k, rounds, swap_pooled=swap_pooled))


BASELINE = MethodSpec("baseline")
MULTI_SEED = MethodSpec(
    "multi-seed, best of 2", seeds=BestOf("seeds", (0, PAPER_SECOND_SEED - PAPER_SEED), by="clip-score")
)
REWRITE = MethodSpec("rewrite", words="rewritten")
REFINE_PLAINLY = MethodSpec("GPT refine", refinement=Refinement("redraw", critic="plain"))
WITHOUT_DECOMPOSITION = renoised(2, critic="unstructured")
BEST_OF_FOUR = MethodSpec(
    "DetailScribe switch, best of four by CLIPScore",
    refinement=Refinement("switch", RELEASED_STEPS[0], swap_pooled=False),
    best_of=BestOf("k", RELEASED_STEPS, by="clip-score"),
)
SEED_SEARCH = MethodSpec(
    "seed search of 4, then DetailScribe T−2",
    seeds=BestOf("seeds", (0, 1, 2, 3), by="blip-vqa"),
    refinement=Refinement("renoise", 2),
)
ACT2I = (
    BASELINE,
    MethodSpec("AcT2I spatial", words="spatial"),
    MethodSpec("AcT2I temporal", words="temporal"),
    MethodSpec("AcT2I emotional", words="emotional"),
)
OPENAI_IMAGES = MethodSpec("OpenAI images", engine="openai-images")

# Every method that pages and commands offer by name. The best-of-four is here, named for what it is, and no default.
OFFERED: Mapping[str, MethodSpec] = {
    "baseline": BASELINE,
    "multi-seed": MULTI_SEED,
    "rewrite": REWRITE,
    "gpt-refine": REFINE_PLAINLY,
    "without-decomposition": WITHOUT_DECOMPOSITION,
    **{f"renoise-{k}": renoised(k) for k in (0, 1, 2, 4)},
    **{f"switch-{k}": switched(k) for k in RELEASED_STEPS},
    **{f"switch-{k}-old-pooled": switched(k, swap_pooled=False) for k in RELEASED_STEPS},
    **{f"renoise-2-rounds-{n}": renoised(2, rounds=n) for n in (2, 3, 4)},
    "best-of-four": BEST_OF_FOUR,
    "seed-search": SEED_SEARCH,
    "act2i-spatial": ACT2I[1],
    "act2i-temporal": ACT2I[2],
    "act2i-emotional": ACT2I[3],
    "openai-images": OPENAI_IMAGES,
}


@dataclass(frozen=True)
class Drawing:
    """What all drawings of a run have in common. The defaults are DetailScribe's; AcT2I has 40 steps, guidance 3.5."""

    n_steps: int = 28
    guidance: float = 4.5
    width: int = 1024
    height: int = 1024
    negative_prompt: str = field(default="")

    def __post_init__(self) -> None:
        _check(1 <= self.n_steps <= 1000, "n_steps", self.n_steps, "1 to 1000")
        _check(0 <= self.guidance <= 50, "guidance", self.guidance, "0 to 50")
        for name in ("width", "height"):
            _check(16 <= getattr(self, name) <= 4096, name, getattr(self, name), "16 to 4096")
